#include <boost/any.hpp>
#include <cmath>
#include <limits>
#include <map>
#include <sstream>

#include "config_file.hpp"
#include "options.hpp"
#include "parsing.hpp"

namespace po = boost::program_options;

namespace sae {
namespace {

using Texts = std::vector<std::string>;

po::typed_value<Texts>* list_of(const std::string& initial) {
  return po::value<Texts>()->multitoken()->default_value({initial}, initial)->value_name("LIST");
}

template <typename T>
po::typed_value<T>* value_of(T initial, const char* unit) {
  return po::value<T>()->default_value(initial)->value_name(unit);
}

po::typed_value<std::string>* name_of(const std::string& initial, const char* choices) {
  return po::value<std::string>()->default_value(initial)->value_name(choices);
}

/// Reals and the seed are read as text, so that the configuration repeats them as they were
/// written.
po::typed_value<std::string>* number_of(const std::string& initial, const char* unit) {
  return po::value<std::string>()->default_value(initial)->value_name(unit);
}

constexpr const char* kSchedules = "constant|exponential|linear|cosine";

/// The options that decide on the result: what config.cfg holds.
std::vector<po::options_description> configuration_options() {
  po::options_description data("Data");
  data.add_options()("data", po::value<std::string>()->value_name("FILE"),
                     "data set; else $SAE_DATA, data/mnist.h5, the installed one")(
      "data-access", name_of("scatter", "scatter|shared"),
      "rank 0 reads and sends, or every rank reads its own part")(
      "validation-size", value_of<Index>(5000, "N"),
      "the first N training samples choose the best model and train nothing");

  po::options_description network("Network");
  network.add_options()("units", list_of("1000,1000,1000"), "units of each hidden layer")(
      "seed", number_of("1", "N"), "of weights, order and noise")(
      "initial-scale", number_of("4", "S"),
      "initial weights are uniform within +-S sqrt(6 / (inputs + outputs)) of their layer; the "
      "smaller, the smoother are the filters");

  po::options_description pretraining("Pretraining (one value per hidden layer, or one for all)");
  pretraining.add_options()("corruption", list_of("0.3"), "share of inputs set to 0, in [0, 1)")(
      "corruption-at", name_of("layer", "layer|image"),
      "corrupt the layer's own input, or the pixels and pass them up")(
      "pretrain-epochs", list_of("5"), "epochs")("pretrain-learning-rate", list_of("0.03"),
                                                 "learning rate at the start")(
      "pretrain-schedule", name_of("linear", kSchedules), "how it falls")(
      "pretrain-weight-decay", po::value<Texts>()->multitoken()->value_name("LIST"),
      "instead of --weight-decay; the larger, the smoother are the filters");

  po::options_description finetuning("Fine-tuning");
  finetuning.add_options()("finetune-epochs", value_of<Index>(15, "N"), "epochs")(
      "finetune-learning-rate", number_of("0.6", "RATE"), "learning rate at the start")(
      "finetune-schedule", name_of("linear", kSchedules), "how it falls");

  po::options_description optimizer("Optimizer (both)");
  optimizer.add_options()("batch-size", value_of<Index>(100, "N"),
                          "samples per update, over all ranks together")(
      "momentum", number_of("0.9", "M"), "in [0, 1)")("weight-decay", number_of("1e-5", "D"),
                                                      "of an L2 penalty D/2 |w|^2 on the weights")(
      "learning-rate-decay", number_of("0.95", "F"), "factor per epoch of exponential schedules")(
      "warmup-epochs", number_of("0", "N"), "epochs over which the rate first rises from 0");
  po::options_description speed("Speed");
  speed.add_options()("precision", name_of("auto", "auto|float32|bfloat16"),
                      "of the operands of products; auto: bfloat16 if all processors have it")(
      "gradient-precision", name_of("auto", "auto|float32|bfloat16"),
      "of gradients on their way between ranks; auto: as --precision")(
      "averaging", name_of("auto", "auto|flat|node"),
      "each rank holds and updates everything, or the ranks of a node share one copy")(
      "cache-codes", name_of("auto", "auto|on|off"),
      "keep the codes of finished layers while the next is pretrained; auto: if they fit")(
      "threads", name_of("1", "auto|T"),
      "of each rank; auto: the cores it is bound to, divided among the ranks that share them");
  optimizer.add_options()("reproducible", po::bool_switch(),
                          "the same bits on 1, 2, 4, 8 or 16 ranks; slower");
  return {data, network, pretraining, finetuning, optimizer, speed};
}

po::options_description session_options() {
  po::options_description session("Run");
  session.add_options()("run", po::value<std::string>()->value_name("FOLDER"),
                        "folder for the results; else runs/<date-time>")(
      "recipe", po::value<std::string>()->value_name("NAME"),
      "ready settings: blog, tutorial, quick, or a file data/recipes/NAME.cfg; a file comes first")(
      "config", po::value<std::string>()->value_name("FILE"),
      "settings from a file; the command line wins over it, it wins over a recipe")(
      "progress", name_of("auto", "auto|bar|lines"), "progress bar, or a line per epoch only")(
      "quiet", po::bool_switch(), "print nothing but warnings and errors")("help", "this text");
  session.add_options()("profile", po::bool_switch(),
                        "write profile.json, where the time went, and trace.json, the first steps");
  session.add_options()("summary-every", value_of<Index>(10, "N"),
                        "write for TensorBoard every N updates, and after epochs; 0: nothing");
  session.add_options()("resume", name_of("never", "never|auto|required|FILE"),
                        "go on with the run in --run: not, if there is a checkpoint, or by all "
                        "means; or from this checkpoint")(
      "checkpoint-every", name_of("60s", "INTERVAL"), "steps (200), epochs (1e) or seconds (300s)")(
      "keep-checkpoints", value_of<Index>(3, "N"), "the newest N stay")(
      "stop-after-steps", po::value<Index>()->value_name("N"),
      "stop in good order after N updates, with exit code 75")(
      "max-time", po::value<std::string>()->value_name("TIME"),
      "likewise, in time before such as 90s, 55m, 2h or 1:30:00 are over")(
      "stall-timeout", name_of("300s", "TIME"), "end the job after so long without progress")(
      "on-divergence", name_of("stop", "stop|reduce"),
      "end with exit code 76, or go back to the last checkpoint with half the learning rate");
  return session;
}

Index integer(const po::variables_map& values, const std::string& option, Index least) {
  const Index value = values[option].as<Index>();
  require(value >= least, fmt::format("--{} is at least {}, not {}.", option, least, value));
  return value;
}

/// A real in [least, limit), or in [least, limit] if `limit_allowed`.
double real(const po::variables_map& values, const std::string& option, double least, double limit,
            bool limit_allowed = false) {
  const auto numbers = parse_reals(option, {values[option].as<std::string>()});
  require(numbers.size() == 1, fmt::format("--{} takes one number.", option));
  const double x = numbers[0];
  require(std::isfinite(x) && x >= least && (x < limit || (limit_allowed && x == limit)),
          fmt::format("--{} is out of range: {}; see --help.", option, x));
  return x;
}

/// As many values as there are layers: those given, or the one given for all.
template <typename T>
std::vector<T> per_layer(const std::string& option, std::vector<T> given, std::size_t layers) {
  if (given.size() == 1) given.resize(layers, given[0]);
  require(given.size() == layers,
          fmt::format("--{} has {} values for {} hidden layers; give one for each, or one for all.",
                      option, given.size(), layers));
  return given;
}

std::vector<PretrainSettings> hidden_layers(const po::variables_map& values) {
  const auto texts = [&](const char* option) { return values[option].as<Texts>(); };
  auto units = parse_integers("units", texts("units"));
  auto corruption = parse_reals("corruption", texts("corruption"));
  auto epochs = parse_integers("pretrain-epochs", texts("pretrain-epochs"));
  auto rates = parse_reals("pretrain-learning-rate", texts("pretrain-learning-rate"));
  std::vector<double> decays;
  if (values.count("pretrain-weight-decay") > 0) {
    decays = parse_reals("pretrain-weight-decay", texts("pretrain-weight-decay"));
  }
  std::size_t layers = units.size();
  if (layers == 1)
    layers = std::max({corruption.size(), epochs.size(), rates.size(), decays.size()});
  units = per_layer("units", units, layers);
  corruption = per_layer("corruption", corruption, layers);
  epochs = per_layer("pretrain-epochs", epochs, layers);
  rates = per_layer("pretrain-learning-rate", rates, layers);
  if (!decays.empty()) decays = per_layer("pretrain-weight-decay", decays, layers);

  std::vector<PretrainSettings> result;
  for (std::size_t i = 0; i < layers; ++i) {
    require(units[i] >= 1, fmt::format("--units are at least 1, not {}.", units[i]));
    require(units[i] <= 1000000, fmt::format("--units are at most 1,000,000, not {}.", units[i]));
    require(corruption[i] >= 0 && corruption[i] < 1,
            fmt::format("--corruption is in [0, 1), not {}.", corruption[i]));
    require(epochs[i] >= 0, fmt::format("--pretrain-epochs are at least 0, not {}.", epochs[i]));
    require(std::isfinite(rates[i]) && rates[i] >= 0,
            fmt::format("--pretrain-learning-rate is at least 0, not {}.", rates[i]));
    result.push_back({units[i], corruption[i], epochs[i], rates[i], std::nullopt});
    if (decays.empty()) continue;
    require(std::isfinite(decays[i]) && decays[i] >= 0,
            fmt::format("--pretrain-weight-decay is at least 0, not {}.", decays[i]));
    result.back().weight_decay = decays[i];
  }
  return result;
}

CheckpointInterval parse_interval(const std::string& text) {
  const char last = text.empty() ? ' ' : text.back();
  if (last == 's' || last == 'm' || last == 'h' || text.find(':') != std::string::npos) {
    return {.seconds = parse_duration("checkpoint-every", text)};
  }
  const bool epochs = last == 'e';
  const auto numbers =
      parse_integers("checkpoint-every", {epochs ? text.substr(0, text.size() - 1) : text});
  require(numbers.size() == 1 && numbers[0] >= 1,
          fmt::format("--checkpoint-every is steps (200), epochs (1e) or seconds (300s), not '{}'.",
                      text));
  if (epochs) return {.epochs = numbers[0]};
  return {.steps = numbers[0]};
}

RunControl control_of(const po::variables_map& values) {
  const auto name = [&](const char* option) { return values[option].as<std::string>(); };
  RunControl control;
  const std::map<std::string, Resume> kinds = {
      {"never", Resume::kNever}, {"auto", Resume::kAuto}, {"required", Resume::kRequired}};
  const auto kind = kinds.find(name("resume"));
  control.resume = kind != kinds.end() ? kind->second : Resume::kFile;
  if (control.resume == Resume::kFile) control.resume_file = name("resume");
  require(control.resume == Resume::kNever || values.count("run") > 0,
          "--resume needs --run: the folder of the run to go on with.");
  control.checkpoint_every = parse_interval(name("checkpoint-every"));
  control.keep_checkpoints = integer(values, "keep-checkpoints", 1);
  if (values.count("stop-after-steps") > 0) {
    control.stop_after_steps = integer(values, "stop-after-steps", 1);
  }
  if (values.count("max-time") > 0) {
    control.max_seconds = parse_duration("max-time", name("max-time"));
  }
  control.on_divergence =
      choose<OnDivergence>("on-divergence", name("on-divergence"),
                           {{"stop", OnDivergence::kStop}, {"reduce", OnDivergence::kReduce}});
  return control;
}

/// An option's value as a configuration file has it.
std::string text_of(const boost::any& value) {
  if (const auto* text = boost::any_cast<std::string>(&value)) return config_value(*text);
  if (const auto* texts = boost::any_cast<Texts>(&value)) {
    return fmt::format("{}", fmt::join(*texts, ","));
  }
  if (const auto* yes = boost::any_cast<bool>(&value)) return *yes ? "true" : "false";
  return fmt::format("{}", boost::any_cast<Index>(value));
}

void store_file(const std::string& text, const std::string& where,
                const po::options_description& options, po::variables_map& values) {
  const auto parsed = parse_config_file(text, where, options);
  try {
    po::store(parsed, values);
  } catch (const po::error& error) {
    throw UsageError(fmt::format("In {}: {}.", where, error.what()));
  }
}

Configuration configuration_of(const po::variables_map& values) {
  const std::vector<std::pair<std::string, Schedule>> schedules = {
      {"constant", Schedule::kConstant},
      {"exponential", Schedule::kExponential},
      {"linear", Schedule::kLinear},
      {"cosine", Schedule::kCosine}};
  const auto name = [&](const char* option) { return values[option].as<std::string>(); };
  const double unbounded = std::numeric_limits<double>::infinity();
  Configuration c;
  if (values.count("data") > 0) c.data = name("data");
  if (values.count("run") > 0) c.run = name("run");
  c.data_access =
      choose<DataAccess>("data-access", name("data-access"),
                         {{"scatter", DataAccess::kScatter}, {"shared", DataAccess::kShared}});
  c.validation_size = integer(values, "validation-size", 0);
  c.seed = parse_seed(name("seed"));
  c.initial_scale = real(values, "initial-scale", 0, unbounded);
  require(c.initial_scale > 0, "--initial-scale is more than 0: equal units stay equal.");
  c.layers = hidden_layers(values);
  c.corruption_at = parse_corruption_at(name("corruption-at"));
  c.pretrain_schedule = choose("pretrain-schedule", name("pretrain-schedule"), schedules);
  c.finetune_epochs = integer(values, "finetune-epochs", 0);
  c.finetune_learning_rate = real(values, "finetune-learning-rate", 0, unbounded);
  c.finetune_schedule = choose("finetune-schedule", name("finetune-schedule"), schedules);
  c.batch_size = integer(values, "batch-size", 1);
  c.momentum = real(values, "momentum", 0, 1);
  c.weight_decay = real(values, "weight-decay", 0, unbounded);
  c.learning_rate_decay = real(values, "learning-rate-decay", 1e-6, 1, true);
  c.reproducible = values["reproducible"].as<bool>();
  c.warmup_epochs = real(values, "warmup-epochs", 0, unbounded);
  c.averaging = parse_averaging(name("averaging"));
  c.cache_codes = parse_cache_codes(name("cache-codes"), c.corruption_at);
  c.threads = parse_threads(name("threads"));
  return c;
}

}  // namespace

Command parse_train_options(const std::vector<std::string>& arguments, const FileTexts& files) {
  po::options_description configuration;
  for (const auto& group : configuration_options()) configuration.add(group);
  po::options_description all(
      "sae_dist [train] [options]: trains a stacked denoising autoencoder; also under mpirun or "
      "srun.\nOther commands: bench, evaluate, predict, encode, reconstruct, import, inspect, "
      "report, doctor; each has a --help of its own");
  all.add(session_options()).add(configuration);

  po::variables_map values = parse_arguments(arguments, all);
  if (values.count("help") > 0) {
    std::ostringstream text;
    text << all;
    return ShowText{text.str()};
  }
  // What is stored first wins.
  const auto given = [&](const char* option) {
    return values.count(option) > 0 ? values[option].as<std::string>() : std::string();
  };
  if (const auto file = given("config"); !file.empty()) {
    store_file(files.configuration(file), file, configuration, values);
  }
  if (const auto recipe = given("recipe"); !recipe.empty()) {
    store_file(files.recipe(recipe), "recipe " + recipe, configuration, values);
  }

  TrainOptions options;
  options.configuration = configuration_of(values);
  const auto precision = [&](const char* option) {
    return parse_precision(option, values[option].as<std::string>()).value_or(Precision::kFloat32);
  };
  options.configuration.precision = precision("precision");
  options.configuration.gradient_precision = precision("gradient-precision");
  if (options.configuration.reproducible) {
    require(options.configuration.gradient_precision != Precision::kBfloat16,
            "--reproducible adds up gradients in float32, not bfloat16.");
    require(options.configuration.averaging != Averaging::kNode,
            "--reproducible has its own order of sums, which --averaging node cannot keep.");
    require(
        options.configuration.cache_codes != CacheCodes::kOn,
        "--reproducible computes codes sample by sample of a slice, --cache-codes on in blocks.");
  }
  options.control = control_of(values);
  options.stall_timeout =
      parse_duration("stall-timeout", values["stall-timeout"].as<std::string>());
  options.quiet = values["quiet"].as<bool>();
  options.summary_every = integer(values, "summary-every", 0);
  options.profile = values["profile"].as<bool>();
  options.progress = choose<std::string>("progress", values["progress"].as<std::string>(),
                                         {{"auto", "auto"}, {"bar", "bar"}, {"lines", "lines"}});
  for (const auto& option : configuration.options()) {
    const std::string& name = option->long_name();
    if (values.count(name) == 0) continue;
    options.configuration.text += name + "=" + text_of(values[name].value()) + "\n";
  }
  return options;
}

}  // namespace sae
