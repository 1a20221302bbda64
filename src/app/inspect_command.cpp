#include <fmt/format.h>

#include <cmath>
#include <system_error>

#include "commands.hpp"
#include "sae/core/error.hpp"
#include "sae/monitor/text.hpp"
#include "sae/storage/sealed_file.hpp"
#include "sae/train/checkpoint.hpp"
#include "sae/train/run_folder.hpp"

namespace sae {
namespace {

void inspect_dataset(const std::filesystem::path& path) {
  const DatasetFile file(path);
  const DatasetInfo& info = file.info();
  fmt::print("{}: data set '{}', {} classes, {} pixels", path.string(), info.name, info.classes,
             info.features);
  if (info.height > 0) fmt::print(" ({} x {})", info.height, info.width);
  fmt::print(", {}\n", info.pixel_type == PixelType::kUint8 ? "uint8" : "float32");
  if (!info.source.empty()) fmt::print("  source   {}\n", info.source);
  if (!info.license.empty()) fmt::print("  licence  {}\n", info.license);
  for (const Split split : {Split::kTrain, Split::kTest}) {
    const Index samples = info.count(split);
    fmt::print("  {:<6} {:>12} samples", name_of(split), grouped(samples));
    if (info.has_labels(split)) {
      constexpr Index kBlock = 65536;
      std::vector<Index> counts(static_cast<std::size_t>(info.classes), 0);
      for (Index begin = 0; begin < samples; begin += kBlock) {
        const Range block{begin, std::min(begin + kBlock, samples)};
        std::vector<std::uint16_t> labels(static_cast<std::size_t>(block.size()));
        file.read_labels(split, block, labels);
        for (const std::uint16_t label : labels) ++counts[label];
      }
      fmt::print("; by class: {}", fmt::join(counts, " "));
    }
    fmt::print("\n");
  }
}

void inspect_checkpoint(const std::filesystem::path& path) {
  const Checkpoint checkpoint = load_checkpoint(path);
  const ParameterLayout layout(checkpoint.topology);
  fmt::print("{}: model {}, {}\n", path.string(), to_string(checkpoint.topology),
             checkpoint.progress.finished ? "of a finished run" : "of a run under way");
  fmt::print("  stage {}, epoch {}, {} updates, seed {}\n", checkpoint.progress.stage,
             checkpoint.progress.epoch, grouped(checkpoint.progress.step), checkpoint.seed);
  fmt::print("\n  {:<22} {:>14} {:>12} {:>12}\n", "array", "shape", "root of mean square",
             "largest");
  for (const ParameterView& view : layout.views()) {
    const auto values = view_of(checkpoint.parameters, view).array();
    const std::string shape = view.is_weights ? fmt::format("{} x {}", view.cols, view.rows)
                                              : fmt::format("{}", view.rows);
    fmt::print("  {:<22} {:>14} {:>19.4g} {:>12.4g}\n", view.name, shape,
               std::sqrt(values.cast<double>().square().mean()), values.abs().maxCoeff());
  }
  fmt::print("\n  configuration\n");
  std::string_view rest = checkpoint.config;
  while (!rest.empty()) {
    const auto end = rest.find('\n');
    fmt::print("    {}\n", rest.substr(0, end));
    rest = end == std::string_view::npos ? "" : rest.substr(end + 1);
  }
}

void inspect(const std::filesystem::path& path) {
  std::error_code ignored;  // What cannot be looked at is refused by who opens it.
  if (std::filesystem::is_directory(path, ignored)) {
    const RunFolder folder(path);
    for (const auto& file : {folder.model(), folder.best()}) {
      if (std::filesystem::exists(file, ignored)) return inspect_checkpoint(file);
    }
    throw MissingInputError(
        fmt::format("In the folder {} no model.h5 and no best.h5 can be seen.", path.string()));
  }
  if (has_seal(path)) return inspect_checkpoint(path);
  inspect_dataset(path);  // Refuses what is none, and says why.
}

}  // namespace

void run_inspect(const InspectOptions& options, Communicator& comm) {
  if (comm.is_root()) inspect(options.file);
  comm.barrier();
}

}  // namespace sae
