#include <nlohmann/json.hpp>

#include "sae/bench/bench.hpp"

namespace sae {
namespace {

using Json = nlohmann::ordered_json;

Json json_of(const ProductRate& rate) {
  Json json = {{"product", rate.kind},
               {"outputs", rate.outputs},
               {"inputs", rate.inputs},
               {"samples", rate.samples},
               {"result", rate.wide_result ? "float32" : "bfloat16"},
               {"seconds", rate.seconds},
               {"flop_per_second", rate.flop_per_second()}};
  if (rate.peak > 0) {
    json["peak_flop_per_second"] = rate.peak;
    json["share_of_peak"] = rate.share_of_peak();
  }
  return json;
}

Json json_of(const MemoryRate& rate) {
  return {{"pass", rate.pass},
          {"bytes", rate.bytes},
          {"seconds", rate.seconds},
          {"bytes_per_second", rate.bytes_per_second()}};
}

Json json_of(const ReductionRate& rate) {
  return {{"averaging", rate.strategy},
          {"gradient_bytes", rate.bytes},
          {"reduction_seconds", rate.reduction_seconds},
          {"update_seconds", rate.update_seconds},
          {"seconds", rate.seconds()},
          {"bytes_per_second", rate.bytes_per_second()}};
}

Json json_of(const StageBench& stage) {
  Json json = {{"stage", stage.stage},
               {"samples", stage.samples},
               {"parameters", stage.parameters},
               {"record_bytes", stage.record_bytes},
               {"samples_per_second", stage.samples_per_second()},
               {"step_seconds", stage.step_seconds},
               {"mean_step_seconds", stage.mean_step_seconds},
               {"data_seconds", stage.data_seconds},
               {"objective_seconds", stage.objective_seconds},
               {"reduction_seconds", stage.reduction_seconds},
               {"update_seconds", stage.update_seconds},
               {"averaging_seconds", stage.averaging_seconds},
               {"overlap", stage.overlap()}};
  if (stage.bound_seconds() > 0) {
    json["products_seconds"] = stage.products_seconds;
    json["elementwise_seconds"] = stage.elementwise_seconds();
    json["products_flop"] = stage.flop;
    json["products_bound_seconds"] = stage.products_bound_seconds;
    json["update_bytes"] = stage.update_bytes;
    json["update_bound_seconds"] = stage.update_bound_seconds;
    json["bound_seconds"] = stage.bound_seconds();
    json["step_to_bound"] = stage.step_to_bound();
    if (stage.peak > 0) {
      json["peak_flop_per_second"] = stage.peak;
      json["share_of_peak"] = stage.share_of_peak();
    }
  }
  return json;
}

template <typename Entry>
Json list_of(const std::vector<Entry>& entries) {
  Json list = Json::array();
  for (const Entry& entry : entries) list.push_back(json_of(entry));
  return list;
}

}  // namespace

std::string bench_json(const BenchReport& report, const BenchSettings& settings,
                       const std::string& libraries) {
  const Configuration& configuration = settings.configuration;
  Json json;
  json["libraries"] = libraries;
  json["topology"] = to_string(report.topology);
  json["parameters"] = report.parameters;
  json["ranks"] = report.hosts.size();
  json["hosts"] = report.hosts;
  json["threads"] = configuration.threads;
  json["batch_size"] = configuration.batch_size;
  json["precision"] = name_of(precision_of(configuration));
  json["gradient_precision"] = name_of(averaging_settings(configuration).gradient);
  json["averaging"] = report.averaging;
  json["codes"] = report.codes;
  json["data_placement"] = report.data_placement;
  json["momentum"] = configuration.momentum;
  json["measurement_seconds"] = settings.seconds;
  json["products"] = list_of(report.products);
  json["memory"] = list_of(report.memory);
  json["reductions"] = list_of(report.reductions);
  json["stages"] = list_of(report.stages);
  return json.dump(2) + "\n";
}

}  // namespace sae
