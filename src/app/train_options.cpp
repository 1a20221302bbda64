#include <algorithm>
#include <map>

#include "help.hpp"
#include "options.hpp"
#include "parsing.hpp"
#include "sae/config/recipes.hpp"
#include "sae/config/values.hpp"
#include "setting_options.hpp"

namespace po = boost::program_options;

namespace sae {
namespace {

template <typename T>
po::typed_value<T>* value_of(T initial, const char* unit) {
  return po::value<T>()->default_value(initial)->value_name(unit);
}

po::typed_value<std::string>* name_of(const std::string& initial, const char* choices) {
  return po::value<std::string>()->default_value(initial)->value_name(choices);
}

std::string recipe_help() {
  std::string names;
  for (const auto& [name, text] : built_in_recipes()) names += name + ", ";
  return fmt::format(
      "ready settings: {}or your own in data/recipes/NAME.cfg, which is looked for first", names);
}

po::options_description session_options() {
  po::options_description session("Run");
  session.add_options()("run", po::value<std::string>()->value_name("FOLDER"),
                        "folder for the results; else runs/<date-time>")(
      "recipe", po::value<std::string>()->value_name("NAME"), recipe_help().c_str())(
      "config", po::value<std::string>()->value_name("FILE"),
      "settings from a file; they override a recipe, the command line overrides them")(
      "progress", name_of("auto", "auto|bar|lines"), "progress bar, or a line per epoch only")(
      "quiet", po::bool_switch(), "print nothing but warnings and errors")(
      "help,h", "the options that people need most");
  session.add_options()("help-all", "this text")("version",
                                                 "versions of the program and its libraries");
  session.add_options()("profile", po::bool_switch(),
                        "write profile.json, where the time went, and trace.json, the first steps");
  session.add_options()("summary-every", value_of<Index>(10, "N"),
                        "write for TensorBoard every N updates, and after epochs; 0: nothing");
  session.add_options()("resume", name_of("never", "never|auto|required|FILE"),
                        "never: start a new run; auto: resume the run in --run if it has a "
                        "checkpoint; required: the same, but fail without one; FILE: resume this "
                        "checkpoint")("checkpoint-every", name_of("60s", "INTERVAL"),
                                      "steps (200), epochs (1e) or seconds (300s)")(
      "keep-checkpoints", value_of<Index>(3, "N"), "keep the newest N")(
      "stop-after-steps", po::value<Index>()->value_name("N"),
      "stop cleanly after N updates, with exit code 75")(
      "max-time", po::value<std::string>()->value_name("TIME"),
      "stop cleanly before this time is over, such as 90s, 55m, 2h or 1:30:00")(
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

CheckpointInterval parse_interval(const std::string& text) {
  const char last = text.empty() ? ' ' : text.back();
  if (last == 's' || last == 'm' || last == 'h' || text.find(':') != std::string::npos) {
    return {.seconds = parse_duration("checkpoint-every", text)};
  }
  const bool epochs = last == 'e';
  const auto numbers =
      parse_integers("checkpoint-every", epochs ? text.substr(0, text.size() - 1) : text);
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
          "--resume needs --run, the folder of the run.");
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

/// What trains MNIST where nothing is chosen.
constexpr const char* kUsualRecipe = "minute";

/// Whether what is trained on what, and how, is left to the program: all that is given is of speed,
/// the seed, or the parts of the data.
bool chooses_nothing(const SettingTexts& given) {
  return std::ranges::all_of(given, [](const auto& entry) {
    const Setting& known = setting(entry.first);
    const bool is_of_parts = known.group == "Data" && known.name != "data";
    return is_of_parts || known.group == "Speed" || known.name == "seed";
  });
}

}  // namespace

Command parse_train_options(const std::vector<std::string>& arguments, const FileTexts& files) {
  po::options_description all;
  all.add(session_options()).add(setting_options());
  if (std::ranges::count(arguments, "--help-all") > 0) {
    return ShowText{help_of(
        "sae_dist [train] [options]",
        fmt::format("Trains a stacked denoising autoencoder; also under mpirun or srun. Without a "
                    "choice of data, network and training it trains on MNIST by the recipe {}. "
                    "Commands: {}; each has its own --help.",
                    kUsualRecipe, fmt::join(command_names(), ", ")),
        all)};
  }
  if (asks_for_help(arguments)) return ShowText{short_help()};
  if (std::ranges::count(arguments, "--version") > 0) return ShowText{version_text()};
  const po::variables_map values = parse_arguments(arguments, all);
  const auto given = [&](const char* option) {
    return values.count(option) > 0 ? values[option].as<std::string>() : std::string();
  };
  // The first source of a setting wins.
  SettingTexts texts = given_settings(values);
  if (const auto file = given("config"); !file.empty()) {
    texts.merge(parse_settings(files.configuration(file), file));
  }
  std::string recipe = given("recipe");
  if (recipe.empty() && given("config").empty() && chooses_nothing(texts) &&
      !files.environment_names_data()) {
    recipe = kUsualRecipe;
  }
  if (!recipe.empty()) texts.merge(parse_settings(files.recipe(recipe), "recipe " + recipe));

  TrainOptions options;
  options.configuration = configuration_of(texts);
  options.configuration.run = given("run");
  options.control = control_of(values);
  options.stall_timeout =
      parse_duration("stall-timeout", values["stall-timeout"].as<std::string>());
  options.quiet = values["quiet"].as<bool>();
  options.summary_every = integer(values, "summary-every", 0);
  options.profile = values["profile"].as<bool>();
  options.progress = choose<std::string>("progress", values["progress"].as<std::string>(),
                                         {{"auto", "auto"}, {"bar", "bar"}, {"lines", "lines"}});
  return options;
}

}  // namespace sae
