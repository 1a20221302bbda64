#include "inspect_checkpoint.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "sae/config/settings.hpp"
#include "sae/core/error.hpp"
#include "sae/core/text.hpp"
#include "sae/train/stage.hpp"

namespace sae {
namespace {

/// Epochs of the current stage; 0 if the checkpoint has settings of a newer program.
Index epochs_in(const Checkpoint& checkpoint) {
  try {
    return epochs_of(recorded_configuration(checkpoint.config), checkpoint.state.progress.stage);
  } catch (const DataError&) {
    return 0;
  }
}

}  // namespace

std::string progress_lines(const Checkpoint& checkpoint) {
  const Progress& progress = checkpoint.state.progress;
  const Index epochs = epochs_in(checkpoint);
  std::string text =
      fmt::format("  progress  {}: stage {}, epoch {}{}{}, {} updates, seed {}\n",
                  progress.finished ? "finished" : "before the end", checkpoint.stage_name(),
                  progress.epoch, epochs > 0 ? fmt::format(" of {}", epochs) : "",
                  progress.step_in_epoch > 0
                      ? fmt::format(" after {} updates of it", grouped(progress.step_in_epoch))
                      : "",
                  grouped(progress.step), checkpoint.seed);
  if (checkpoint.state.best) {
    const BestEpoch& best = *checkpoint.state.best;
    const std::string figure =
        checkpoint.topology.classes > 0
            ? fmt::format("{} validation errors", grouped(static_cast<Index>(best.figure)))
            : fmt::format("validation loss {:.6g}", best.figure);
    text += fmt::format("  best      epoch {} of finetune, {}\n", best.epoch, figure);
  }
  return text;
}

void inspect_checkpoint(const std::filesystem::path& path) {
  const Checkpoint checkpoint = load_checkpoint(path);
  const ParameterLayout layout(checkpoint.topology);
  fmt::print("{}: model {}\n", path.string(), to_string(checkpoint.topology));
  fmt::print("  verified  the digest of all its bytes is right\n{}", progress_lines(checkpoint));
  fmt::print("  data set  {}\n", checkpoint.dataset);
  fmt::print("  inputs    {}, scale {}, visible units {}\n",
             checkpoint.data.type == PixelType::kUint8 ? "bytes / 255" : "float32",
             name_of(checkpoint.data.scaling.kind, scaling_kinds()),
             name_of(checkpoint.topology.visible, visible_kinds()));
  if (!checkpoint.data.class_names.empty()) {
    constexpr std::size_t kMost = 20;
    const auto& names = checkpoint.data.class_names;
    const auto end = names.begin() + static_cast<std::ptrdiff_t>(std::min(kMost, names.size()));
    fmt::print("  classes   {}{}\n", fmt::join(names.begin(), end, ", "),
               names.size() > kMost ? ", ..." : "");
  }
  fmt::print("  optimizer {}\n",
             checkpoint.slots.empty() ? "none" : describe_slots(checkpoint) + ", for a resume");
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
