#include <fmt/format.h>

#include "commands.hpp"
#include "model_input.hpp"
#include "outputs.hpp"
#include "sae/comm/watchdog.hpp"
#include "sae/core/error.hpp"
#include "sae/core/text.hpp"
#include "sae/monitor/text.hpp"
#include "sae/storage/output_file.hpp"
#include "sae/train/evaluation.hpp"
#include "search.hpp"

namespace sae {
namespace {

void check_classes(const ModelInput& input, const std::filesystem::path& data,
                   const Topology& topology, const DatasetInfo& info) {
  if (info.classes > topology.classes) {
    throw DataError(fmt::format("The model {} knows {} classes, the data set {} has {}.",
                                input.model.string(), topology.classes, data.string(),
                                info.classes));
  }
  const Split split = input.split == "test" ? Split::kTest : Split::kTrain;
  if (!info.has_labels(split)) {
    throw DataError(fmt::format("The data set {} has no labelled samples in its {} split.",
                                data.string(), input.split));
  }
}

std::string figures_csv(const Evaluation& result) {
  if (!result.errors) {
    return fmt::format("samples,mean_squared_error,loss\n{},{},{}\n", result.samples,
                       result.reconstruction->mean, result.loss);
  }
  return fmt::format("samples,errors,error_percent,loss\n{},{},{},{}\n", result.samples,
                     *result.errors, result.error_percent(), result.loss);
}

std::string confusion_csv(const Confusion& confusion) {
  const Index classes = confusion.classes();
  std::string text = "label";
  if (classes > kReadableClasses) {
    text += ",predicted,samples\n";
    for (const auto& cell : confusion.cells()) {
      text += fmt::format("{},{},{}\n", cell.label, cell.predicted, cell.count);
    }
    return text;
  }
  for (Index column = 0; column < classes; ++column) text += fmt::format(",{}", column);
  for (Index label = 0; label < classes; ++label) {
    text += fmt::format("\n{}", label);
    for (Index column = 0; column < classes; ++column) {
      text += fmt::format(",{}", confusion.count(label, column));
    }
  }
  return text + "\n";
}

}  // namespace

void run_evaluate(const EvaluateOptions& options, Communicator& comm) {
  const ModelInput& input = options.input;
  Watchdog watchdog(comm, std::chrono::duration<double>(input.stall_timeout), {"evaluate"});
  Heartbeat& heartbeat = watchdog.heartbeat();
  heartbeat.begin_stage(0);
  const Checkpoint checkpoint = load_and_broadcast(input.model, comm);
  const Topology& topology = checkpoint.topology;
  const auto path = find_dataset(input.data, comm);
  DistributedDataset dataset(path, input.data_access, comm, &heartbeat);
  if (comm.is_root()) {
    check_output(options.csv, {input.model, path}, options.force);
    check_suits(input, path, checkpoint, dataset.info());
    if (topology.classes > 0) check_classes(input, path, topology, dataset.info());
    warn_if_untrained(input, checkpoint);
  }
  comm.barrier();
  const SampleSet samples = samples_of(input, input.split, checkpoint, dataset, comm);
  if (comm.is_root()) check_not_empty(input, path, samples, dataset.info());
  comm.barrier();
  const Shard shard = scaled(dataset.load_shard(samples), checkpoint.data.scaling);
  const Evaluation result =
      evaluate(ParameterLayout(topology), checkpoint.parameters, shard, comm, &heartbeat);
  if (!comm.is_root()) return;
  const std::string csv = options.confusion ? confusion_csv(result.confusion) : figures_csv(result);
  if (options.csv == "-") {
    fmt::print("{}", csv);
    return;
  }
  fmt::print("{} on the {} set of {}\n\n", input.model.string(), input.split, path.string());
  if (result.errors) {
    fmt::print("  error  {:.2f} % ({} of {})\n  loss   {:.4f}\n\n  {}", result.error_percent(),
               *result.errors, result.samples, result.loss,
               confusion_table(result.confusion, "", checkpoint.data.class_names));
  } else {
    fmt::print(
        "  squared error  {:.6g} on average over features and {} samples\n  loss           "
        "{:.6g} a sample\n",
        result.reconstruction->mean, grouped(result.samples), result.loss);
  }
  if (!options.csv.empty()) write_text_file(options.csv, csv);
}

}  // namespace sae
