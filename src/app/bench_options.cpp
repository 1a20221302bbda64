#include "help.hpp"
#include "options.hpp"
#include "parsing.hpp"
#include "sae/config/values.hpp"
#include "setting_options.hpp"

namespace po = boost::program_options;

namespace sae {
namespace {

po::typed_value<std::string>* text(const std::string& initial, const char* unit) {
  return po::value<std::string>()->default_value(initial)->value_name(unit);
}

po::options_description bench_options() {
  po::options_description options("Options");
  options.add_options()("inputs", po::value<Index>()->default_value(784)->value_name("N"),
                        "pixels")("classes", po::value<Index>()->default_value(10)->value_name("N"),
                                  "classes")("seconds", text("0.3", "S"), "of each measurement")(
      "steps-only", po::bool_switch(), "measure training steps only, without their bounds")(
      "stall-timeout", text("300s", "TIME"), "end the job after so long without progress")(
      "json", text("", "FILE|-"), "write the figures there; -: to the output, and no tables")(
      "force", po::bool_switch(), "replace a file even if it is a model or a data set")(
      "help,h", "this text");
  po::options_description settings("Settings, as of train");
  settings.add(setting_options({"units",
                                "activation",
                                "normalization",
                                "lateral",
                                "decoder",
                                "corruption",
                                "corruption-at",
                                "finetune",
                                "finetune-noise",
                                "finetune-corruption",
                                "dropout",
                                "batch-size",
                                "optimizer",
                                "momentum",
                                "weight-average",
                                "precision",
                                "gradient-precision",
                                "averaging",
                                "local-steps",
                                "local-groups",
                                "cache-codes",
                                "data-placement",
                                "threads"}));
  options.add(settings);
  return options;
}

void check_count(const std::string& option, Index count, Index most) {
  require(1 <= count && count <= most,
          fmt::format("--{} is in [1, {}], not {}.", option, most, count));
}

}  // namespace

Command parse_bench_options(const std::vector<std::string>& arguments) {
  constexpr Index kMostSamples = 1000000;
  const auto options = bench_options();
  if (asks_for_help(arguments)) {
    return ShowText{help_of("sae_dist bench [options]",
                            "Measures this machine, and a training step of each stage, on data "
                            "made in memory; also under mpirun or srun.",
                            options)};
  }
  const auto values = parse_arguments(arguments, options);
  const auto name = [&](const char* option) { return values[option].as<std::string>(); };
  BenchOptions result;
  result.bench.configuration = configuration_of(given_settings(values));
  result.bench.inputs = values["inputs"].as<Index>();
  result.bench.classes = values["classes"].as<Index>();
  check_count("inputs", result.bench.inputs, kMaxFeatures);
  check_count("classes", result.bench.classes, kMaxClasses);
  check_count("batch-size", result.bench.configuration.batch_size, kMostSamples);
  result.bench.seconds = parse_real("seconds", name("seconds"));
  require(result.bench.seconds >= 0,
          fmt::format("--seconds is at least 0, not {}.", result.bench.seconds));
  result.bench.steps_only = values["steps-only"].as<bool>();
  result.stall_timeout = parse_duration("stall-timeout", name("stall-timeout"));
  result.json = name("json");
  result.force = values["force"].as<bool>();
  return result;
}

}  // namespace sae
