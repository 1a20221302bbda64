#include "inspect_checkpoint.hpp"

#include <fmt/format.h>

#include <cmath>
#include <optional>

#include "options.hpp"
#include "sae/core/error.hpp"
#include "sae/monitor/text.hpp"
#include "sae/train/stage.hpp"

namespace sae {
namespace {

/// The configuration that a checkpoint holds; none if it is not one of this program.
std::optional<Configuration> configuration_of(const Checkpoint& checkpoint) {
  const FileTexts texts = {.configuration = [&](const auto&) { return checkpoint.config; },
                           .recipe = [](const auto&) { return std::string(); }};
  try {
    return std::get<TrainOptions>(parse_train_options({"--config", "config.cfg"}, texts))
        .configuration;
  } catch (const UsageError&) {
    return std::nullopt;
  }
}

Index epochs_of(const Configuration& configuration, Index stage) {
  const auto i = static_cast<std::size_t>(stage);
  return i < configuration.layers.size() ? configuration.layers[i].epochs
                                         : configuration.finetune_epochs;
}

}  // namespace

std::string progress_lines(const Checkpoint& checkpoint) {
  const Progress& progress = checkpoint.state.progress;
  const auto configuration = configuration_of(checkpoint);
  const Index epochs = configuration ? epochs_of(*configuration, progress.stage) : 0;
  std::string text =
      fmt::format("  progress  {}: stage {}, epoch {}{}{}, {} updates, seed {}\n",
                  progress.finished ? "finished" : "under way", checkpoint.stage_name(),
                  progress.epoch, epochs > 0 ? fmt::format(" of {}", epochs) : "",
                  progress.step_in_epoch > 0
                      ? fmt::format(" after {} updates of it", grouped(progress.step_in_epoch))
                      : "",
                  grouped(progress.step), checkpoint.seed);
  if (checkpoint.state.best) {
    text += fmt::format("  best      epoch {} of finetune, {} validation errors\n",
                        checkpoint.state.best->epoch, grouped(checkpoint.state.best->errors));
  }
  return text;
}

void inspect_checkpoint(const std::filesystem::path& path) {
  const Checkpoint checkpoint = load_checkpoint(path);
  const ParameterLayout layout(checkpoint.topology);
  fmt::print("{}: model {}\n", path.string(), to_string(checkpoint.topology));
  fmt::print("  verified  the digest of all its bytes is right\n{}", progress_lines(checkpoint));
  fmt::print("  data set  {}\n", checkpoint.dataset);
  fmt::print("  optimizer {}\n",
             checkpoint.velocity.size() > 0 ? "velocity, for a resume" : "none");
  fmt::print("\n  {:<22} {:>14} {:>12} {:>20} {:>12}\n", "array", "shape", "norm",
             "root of mean square", "largest");
  for (const ParameterView& view : layout.views()) {
    const auto values = view_of(checkpoint.parameters, view).array();
    const std::string shape = view.is_weights ? fmt::format("{} x {}", view.cols, view.rows)
                                              : fmt::format("{}", view.rows);
    const double squares = values.cast<double>().square().sum();
    fmt::print("  {:<22} {:>14} {:>12.4g} {:>20.4g} {:>12.4g}\n", view.name, shape,
               std::sqrt(squares), std::sqrt(squares / static_cast<double>(view.size())),
               values.abs().maxCoeff());
  }
  fmt::print("\n  configuration\n");
  std::string_view rest = checkpoint.config;
  while (!rest.empty()) {
    const auto end = rest.find('\n');
    fmt::print("    {}\n", rest.substr(0, end));
    rest = end == std::string_view::npos ? "" : rest.substr(end + 1);
  }
}

}  // namespace sae
