#include <cmath>
#include <sstream>

#include "options.hpp"
#include "parsing.hpp"

namespace po = boost::program_options;

namespace sae {
namespace {

using Texts = std::vector<std::string>;

po::typed_value<std::string>* name_of(const std::string& initial, const char* choices) {
  return po::value<std::string>()->default_value(initial)->value_name(choices);
}

po::options_description bench_options() {
  po::options_description options(
      "sae_dist bench [options]: what this machine gives and what a training step of each stage "
      "makes\nof it, on data made in memory; also under mpirun or srun");
  options.add_options()("units",
                        po::value<Texts>()
                            ->multitoken()
                            ->default_value({"1000,1000,1000"}, "1000,1000,1000")
                            ->value_name("LIST"),
                        "units of each hidden layer")(
      "inputs", po::value<Index>()->default_value(784), "pixels")(
      "classes", po::value<Index>()->default_value(10), "classes")(
      "batch-size", po::value<Index>()->default_value(100)->value_name("N"),
      "samples per update, over all ranks together")("corruption", name_of("0.3", "C"),
                                                     "share of inputs set to 0, in [0, 1)")(
      "corruption-at", name_of("layer", "layer|image"),
      "corrupt the layer's own input, or the pixels and pass them up")(
      "momentum", name_of("0.9", "M"), "in [0, 1)")(
      "precision", name_of("auto", "auto|float32|bfloat16"), "as of train")(
      "gradient-precision", name_of("auto", "auto|float32|bfloat16"), "as of train")(
      "averaging", name_of("auto", "auto|flat|node"), "as of train")(
      "cache-codes", name_of("auto", "auto|on|off"), "as of train")(
      "threads", name_of("1", "auto|T"), "of each rank, as of train")(
      "seconds", name_of("0.3", "S"), "of each measurement")(
      "steps-only", po::bool_switch(), "measure training steps and nothing to compare them with")(
      "stall-timeout", name_of("300s", "TIME"), "end the job after so long without progress")(
      "json", name_of("", "FILE|-"), "write the figures there; -: to the output, and no tables")(
      "force", po::bool_switch(), "replace a file even if it is a model or a data set")(
      "help", "this text");
  return options;
}

Index count_of(const po::variables_map& values, const std::string& option, Index most) {
  const Index count = values[option].as<Index>();
  require(1 <= count && count <= most,
          fmt::format("--{} is in [1, {}], not {}.", option, most, count));
  return count;
}

double real_of(const po::variables_map& values, const std::string& option) {
  const auto text = values[option].as<std::string>();
  const auto numbers = parse_reals(option, {text});
  require(numbers.size() == 1 && std::isfinite(numbers[0]) && numbers[0] >= 0,
          fmt::format("--{} is a number of 0 or more, not '{}'.", option, text));
  return numbers[0];
}

double share_of(const po::variables_map& values, const std::string& option) {
  const double share = real_of(values, option);
  require(share < 1, fmt::format("--{} is in [0, 1), not {}.", option, share));
  return share;
}

}  // namespace

Command parse_bench_options(const std::vector<std::string>& arguments) {
  constexpr Index kMostSamples = 1000000;
  const auto options = bench_options();
  const auto values = parse_arguments(arguments, options);
  if (values.count("help") > 0) {
    std::ostringstream text;
    text << options;
    return ShowText{text.str()};
  }
  const auto name = [&](const char* option) { return values[option].as<std::string>(); };
  BenchOptions result;
  result.bench.inputs = count_of(values, "inputs", kMaxFeatures);
  result.bench.classes = count_of(values, "classes", kMaxClasses);
  result.bench.seconds = real_of(values, "seconds");
  result.bench.steps_only = values["steps-only"].as<bool>();
  Configuration& configuration = result.bench.configuration;
  const double corruption = share_of(values, "corruption");
  for (const Index units : parse_integers("units", values["units"].as<Texts>())) {
    require(1 <= units && units <= 1000000,
            fmt::format("--units are in [1, 1000000], not {}.", units));
    configuration.layers.push_back({.units = units, .corruption = corruption});
  }
  configuration.corruption_at = parse_corruption_at(name("corruption-at"));
  configuration.batch_size = count_of(values, "batch-size", kMostSamples);
  configuration.momentum = share_of(values, "momentum");
  configuration.averaging = parse_averaging(name("averaging"));
  configuration.cache_codes = parse_cache_codes(name("cache-codes"), configuration.corruption_at);
  configuration.threads = parse_threads(name("threads"));
  result.precision = parse_precision("precision", name("precision"));
  result.gradient_precision = parse_precision("gradient-precision", name("gradient-precision"));
  result.stall_timeout = parse_duration("stall-timeout", name("stall-timeout"));
  result.json = name("json");
  result.force = values["force"].as<bool>();
  return result;
}

}  // namespace sae
