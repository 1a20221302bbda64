#include "app/options.hpp"

#include <gtest/gtest.h>

#include <set>
#include <sstream>

#include "sae/config/recipes.hpp"
#include "sae/config/settings.hpp"
#include "sae/core/error.hpp"
#include "support/expect_error.hpp"

namespace sae {
namespace {

FileTexts files(const std::string& configuration, const std::string& recipe,
                bool environment_names_data = true) {
  return {.configuration = [=](const auto&) { return configuration; },
          .recipe = [=](const auto&) { return recipe; },
          .environment_names_data = [=] { return environment_names_data; }};
}

Configuration configure(const std::vector<std::string>& arguments,
                        const FileTexts& texts = files("", "")) {
  return std::get<TrainOptions>(parse_command_line(arguments, texts)).configuration;
}

std::string refusal(const std::vector<std::string>& arguments,
                    const FileTexts& texts = files("", "")) {
  try {
    parse_command_line(arguments, texts);
  } catch (const UsageError& error) {
    return error.what();
  }
  return "accepted";
}

TEST(Options, WithoutAChoiceOfDataAndTrainingARecipeServes) {
  const FileTexts usual = files("batch-size=9", "units=7,6", false);
  for (const std::vector<std::string>& arguments : std::vector<std::vector<std::string>>{
           {}, {"--labelled", "100", "--seed", "3", "--threads", "2", "--resume", "never"}}) {
    EXPECT_EQ(configure(arguments, usual).layers.size(), 2u);
    EXPECT_EQ(configure(arguments).layers.size(), 3u);  // $SAE_DATA names the data.
  }
  for (const std::vector<std::string>& choice :
       std::vector<std::vector<std::string>>{{"--data", "my.h5"},
                                             {"--units", "5,5,5"},
                                             {"--finetune-epochs", "2"},
                                             {"--noise", "swap"},
                                             {"--rotate", "1"},
                                             {"--batch-size", "50"},
                                             {"--config", "file"}}) {
    EXPECT_EQ(configure(choice, usual).layers.size(), 3u) << choice[0];
  }
}

TEST(Options, WithoutAnyTheDefaultsTrain) {
  const Configuration c = configure({});
  EXPECT_EQ(c.layers.size(), 3u);
  EXPECT_EQ(c.batch_size, 100);
  EXPECT_FALSE(c.validation_size);
  EXPECT_TRUE(c.data.empty());
}

// Else a run that was begun before there was the setting could not be resumed.
TEST(Options, OfARunAreInEveryCheckpointOrTheirAbsenceHasAMeaning) {
  const std::set<std::string> always = {"validation-size",
                                        "units",
                                        "seed",
                                        "corruption",
                                        "corruption-at",
                                        "pretrain-epochs",
                                        "momentum",
                                        "pretrain-schedule",
                                        "finetune-epochs",
                                        "batch-size",
                                        "weight-decay",
                                        "pretrain-learning-rate",
                                        "warmup-epochs",
                                        "reproducible",
                                        "finetune-schedule",
                                        "learning-rate-decay",
                                        "finetune-learning-rate"};
  for (const Setting& setting : settings()) {
    if (always.contains(setting.name) || setting.on_resume == OnResume::kFree) continue;
    EXPECT_FALSE(setting.before.empty() && setting.follows.empty()) << setting.name;
  }
}

TEST(Options, RecipesOfTheProgramAreInOrder) {
  EXPECT_EQ(built_in_recipes().size(), 10u);
  for (const auto& [name, text] : built_in_recipes()) {
    SCOPED_TRACE(name);
    const auto with = to_text(configure({"--recipe", name}, files("", text)));
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
      if (line.empty() || line[0] == '#') continue;
      EXPECT_NE(with.find(line + "\n"), std::string::npos) << line;
    }
  }
}

TEST(Options, ListsWithBlanksAndDecimalPointsAreListsOfNumbers) {
  const std::vector<std::string> two = {"--units", "9,9", "--pretrain-learning-rate"};
  const auto rates = [&](const std::vector<std::string>& words) {
    auto arguments = two;
    arguments.insert(arguments.end(), words.begin(), words.end());
    const Configuration c = configure(arguments);
    return std::pair(c.layers[0].learning_rate, c.layers[1].learning_rate);
  };
  EXPECT_EQ(rates({"0.1,0.05"}), std::pair(0.1, 0.05));
  EXPECT_EQ(rates({"1,2"}), std::pair(1.0, 2.0));
  EXPECT_EQ(rates({"0, 5"}), std::pair(0.0, 5.0));
  EXPECT_EQ(rates({"0", "5"}), std::pair(0.0, 5.0));
  EXPECT_EQ(configure({"--units", "9,9", "--pretrain-epochs", "0,5"}).layers[1].epochs, 5);
}

TEST(Options, TimesAreUnderstoodAsSlurmDoes) {
  const auto seconds = [](const std::string& text) {
    const auto command = parse_command_line({"--max-time", text}, files("", ""));
    return std::get<TrainOptions>(command).control.max_seconds;
  };
  EXPECT_EQ(seconds("90"), 90);
  EXPECT_EQ(seconds("1.5m"), 90);
  EXPECT_EQ(seconds("30:00"), 1800);
  EXPECT_EQ(seconds("1:00:00"), 3600);
  EXPECT_EQ(seconds("2-12"), 216000);
  EXPECT_EQ(seconds("2-12:30"), 217800);
  EXPECT_EQ(seconds("2-12:30:01"), 217801);
}

TEST(Options, OfAFileMayHoldBlanksCommentsAndQuotes) {
  const std::string text =
      "\xEF\xBB\xBFunits = 7,8 # Two.\r\n#seed=5\n\ndata=/a/b#c.h5\nreproducible=true\n";
  const Configuration c = configure({"--config", "f"}, files(text, ""));
  ASSERT_EQ(c.layers.size(), 2u);
  EXPECT_EQ(c.layers[1].units, 8);
  EXPECT_EQ(c.seed, 1u);
  EXPECT_EQ(c.data, "/a/b#c.h5");
  EXPECT_TRUE(c.reproducible);
}

TEST(Options, AreReadBackAsTheyWereWhateverThePathHolds) {
  for (const char* path :
       {"/a/# b.h5", "#1", " blanks ", "\"q\"", "back\\slash # \"", "a=b", "=#"}) {
    const Configuration c = configure({"--data", path});
    const Configuration again = configure({"--config", "f"}, files(to_text(c), ""));
    EXPECT_EQ(again.data, path);
    EXPECT_EQ(to_text(again), to_text(c));
  }
}

TEST(Options, TrainIsTheDefaultCommand) {
  EXPECT_EQ(configure({"train", "--seed", "5"}).seed, 5u);
  EXPECT_EQ(configure({"--seed=5"}).seed, 5u);
}

TEST(Options, ListsTakeCommasOrBlanksAndOneValueServesAllLayers) {
  for (const auto& units : std::vector<std::vector<std::string>>{
           {"--units", "30,20,10"}, {"--units", "30", "20", "10"}, {"--units=30 20 10"}}) {
    auto arguments = units;
    arguments.insert(arguments.end(), {"--corruption", "0.5"});
    const Configuration c = configure(arguments);
    ASSERT_EQ(c.layers.size(), 3u);
    EXPECT_EQ(c.layers[1].units, 20);
    EXPECT_EQ(c.layers[2].corruption, 0.5);
  }
}

TEST(Options, OneNumberOfUnitsServesAsManyLayersAsOtherListsHave) {
  const Configuration c = configure({"--units", "50", "--corruption", ".1,.2"});
  ASSERT_EQ(c.layers.size(), 2u);
  EXPECT_EQ(c.layers[1].units, 50);
  EXPECT_EQ(configure({"--units", "50"}).layers.size(), 1u);
}

TEST(Options, ActivationIsOneForAllLayersOrOneForEach) {
  EXPECT_NE(to_text(configure({"--units", "5,4"})).find("activation=sigmoid\n"), std::string::npos);
  const Configuration c = configure({"--units", "5,4", "--activation", "gelu", "tanh"});
  EXPECT_EQ(c.layers[0].activation, Activation::kGelu);
  EXPECT_EQ(c.layers[1].activation, Activation::kTanh);
  EXPECT_NE(to_text(c).find("activation=gelu,tanh\n"), std::string::npos);
  EXPECT_FALSE(initial_scale_of(c));  // They need different ones.
  EXPECT_EQ(initial_scale_of(configure({"--activation", "tanh"})), 1);
  expect_error<UsageError>(
      [] {
        configure({"--units", "5,4,3", "--activation", "relu,tanh"});
      },
      {"--activation has 2 values for 3 hidden layers"});
  expect_error<UsageError>(
      [] {
        configure({"--activation", "sine"});
      },
      {"--activation is one of sigmoid, tanh, relu, gelu, not 'sine'"});
}

TEST(Options, InitialScaleIsThatOfTheSourcesUnlessItIsGiven) {
  EXPECT_FALSE(configure({}).initial_scale);
  const Configuration c = configure({"--initial-scale", "0.5"});
  EXPECT_EQ(c.initial_scale, 0.5);
  EXPECT_NE(to_text(c).find("initial-scale=0.5\n"), std::string::npos);
}

TEST(Options, WeightDecayOfPretrainingIsThatOfTheLayerOrOfAll) {
  EXPECT_FALSE(configure({"--units", "50"}).layers[0].weight_decay.has_value());
  const Configuration c = configure({"--units", "50", "--pretrain-weight-decay", "1e-3,0"});
  ASSERT_EQ(c.layers.size(), 2u);
  EXPECT_EQ(c.layers[0].weight_decay, 1e-3);
  EXPECT_EQ(c.layers[1].weight_decay, 0.0);
  EXPECT_NE(to_text(c).find("pretrain-weight-decay=0.001,0\n"), std::string::npos);
}

TEST(Options, CommandLineWinsOverConfigurationFileOverRecipe) {
  const auto texts =
      files("seed=2\nbatch-size=20\n", "# comment\nseed=3\nbatch-size=30\nmomentum=.25\n");
  const Configuration c = configure({"--recipe", "r", "--config", "f", "--seed", "1"}, texts);
  EXPECT_EQ(c.seed, 1u);
  EXPECT_EQ(c.batch_size, 20);
  EXPECT_EQ(c.momentum, 0.25);
}

TEST(Options, TheConfigurationTextGivesTheSameConfiguration) {
  const Configuration c = configure({"--units", "30", "20", "--corruption=.1,.2", "--momentum",
                                     "0.1", "--data", "a b.h5", "--corruption-at", "image"});
  const Configuration again = configure({"--config", "f"}, files(to_text(c), ""));
  EXPECT_EQ(to_text(again), to_text(c));
  EXPECT_EQ(again.data, "a b.h5");
  EXPECT_EQ(again.layers[1].units, 20);
  EXPECT_EQ(again.layers[1].corruption, 0.2);
  EXPECT_EQ(again.corruption_at, CorruptionAt::kImage);
}

TEST(Options, OfInferenceNameModelSamplesAndResults) {
  const auto options = std::get<InferenceOptions>(parse_command_line(
      {"reconstruct", "m.h5", "--split", "train", "--layer", "2", "--output", "r.h5", "--csv", "-"},
      files("", "")));
  EXPECT_EQ(options.kind, Inference::kReconstructions);
  EXPECT_EQ(options.input.model, "m.h5");
  EXPECT_EQ(options.input.split, "train");
  EXPECT_FALSE(options.input.validation_size);
  EXPECT_EQ(options.layer, 2);
  EXPECT_EQ(options.output, "r.h5");
  EXPECT_EQ(options.csv, "-");
}

TEST(Options, OfExportNameModelFileAndPart) {
  const auto options = std::get<ExportOptions>(parse_command_line(
      {"export", "m.h5", "--onnx", "m.onnx", "--part", "encoder", "--layer", "2"}, files("", "")));
  EXPECT_EQ(options.model, "m.h5");
  EXPECT_EQ(options.onnx, "m.onnx");
  EXPECT_EQ(options.part, OnnxPart::kEncoder);
  EXPECT_EQ(options.layer, 2);
  const auto usual = std::get<ExportOptions>(
      parse_command_line({"export", "m.h5", "--onnx", "m.onnx"}, files("", "")));
  EXPECT_FALSE(usual.part);
  EXPECT_EQ(usual.layer, 0);
}

TEST(Options, CodesAreKeptAsIsAskedAndElseByTheTrainer) {
  EXPECT_EQ(configure({}).cache_codes, CacheCodes::kAuto);
  EXPECT_EQ(configure({"--cache-codes", "on"}).cache_codes, CacheCodes::kOn);
  EXPECT_EQ(configure({"--cache-codes=off", "--reproducible"}).cache_codes, CacheCodes::kOff);
}

TEST(Options, WrongOnesAreRefusedWithASentenceThatNamesThem) {
  const std::vector<std::pair<std::vector<std::string>, std::string>> cases = {
      {{"--unknown"}, "unknown"},
      {{"--uni", "3"}, "uni"},
      {{"--units", "0"}, "--units"},
      {{"--units", "ten"}, "--units"},
      {{"--units", ""}, "--units"},
      {{"--corruption", "1.0"}, "--corruption"},
      {{"--corruption", "-0.1"}, "--corruption is in [0, 1), not -0.1"},
      {{"--corruption", "nan"}, "--corruption"},
      {{"--units", "5,5,5", "--corruption", ".1,.2"}, "--corruption has 2 values for 3"},
      {{"--pretrain-weight-decay", "-1"}, "--pretrain-weight-decay"},
      {{"--initial-scale", "0"}, "--initial-scale must be greater than 0"},
      {{"--initial-scale", "inf"}, "--initial-scale"},
      {{"--batch-size", "0"}, "--batch-size"},
      {{"--batch-size", "1.5"}, "batch-size"},
      {{"--momentum", "1"}, "--momentum"},
      {{"--finetune-learning-rate", "-1"}, "--finetune-learning-rate"},
      {{"--finetune-schedule", "steep"}, "constant, exponential, linear, cosine"},
      {{"--validation-size", "-1"}, "--validation-size"},
      {{"--seed", "1", "--seed", "2"}, "seed"},
      {{"--cache-codes", "yes"}, "auto, on, off"},
      {{"--cache-codes", "on", "--corruption-at", "image"}, "--corruption-at image"},
      {{"bench", "--corruption-at", "image", "--cache-codes", "on"}, "--cache-codes on"},
      {{"--cache-codes", "on", "--reproducible"}, "--reproducible"},
      {{"--averaging", "local", "--reproducible"}, "--averaging local"},
      {{"--local-steps", "8"}, "need --averaging local"},
      {{"--averaging", "local", "--local-steps", "0"}, "--local-steps is at least 1"},
      {{"stray"}, "no command 'stray'"},
      {{"train", "-r", "quick"}, "unrecognised option '-r': options begin with '--'; see --help."},
      {{"train", "stray"}, "more arguments than this command takes; see --help."},
      {{"evaluate"}, "MODEL"},
      {{"evaluate", "m.h5", "--split", "all"}, "train, validation, test"},
      {{"predict", "--output", "x"}, "predict needs a MODEL"},
      {{"encode", "m.h5"}, "encode needs --output or --csv"},
      {{"encode", "m.h5", "--output", "x", "--csv", "x"}, "different files"},
      {{"encode", "m.h5", "--output", "-"}, "--csv -"},
      {{"encode", "m.h5", "--output", "x", "--layer", "-1"}, "--layer"},
      {{"predict", "m.h5", "--output", "x", "--layer", "1"}, "layer"},
      {{"export", "--onnx", "x"}, "export needs a MODEL"},
      {{"export", "m.h5"}, "export needs --onnx"},
      {{"export", "m.h5", "--onnx", "-"}, "--onnx is a file"},
      {{"export", "m.h5", "--onnx", "x", "--part", "decoder"}, "classifier, encoder, autoencoder"},
      {{"export", "m.h5", "--onnx", "x", "--layer", "-1"}, "--layer is at least 0, not -1"},
      {{"import", "--output", "x"}, "--from"},
      {{"import", "--from", "x"}, "--output"},
      {{"inspect"}, "FILE"}};
  for (const auto& [arguments, part] : cases) {
    const std::string sentence = refusal(arguments);
    EXPECT_NE(sentence.find(part), std::string::npos) << arguments[0] << ": " << sentence;
  }
}

TEST(Options, ImportTakesATable) {
  const auto options = std::get<ImportCommandOptions>(parse_command_line(
      {"import", "--csv", "a.csv", "--label", "kind", "--ignore", "3", "the name", "--separator",
       "tab", "--missing", "mean", "--test-share", "0.25", "--pixels", "2x3", "--output", "b.h5"},
      files("", "")));
  EXPECT_EQ(options.csv.train, "a.csv");
  EXPECT_EQ(options.csv.label, "kind");
  EXPECT_EQ(options.csv.ignore, (std::vector<std::string>{"3", "the name"}));
  EXPECT_EQ(options.csv.separator, '\t');
  EXPECT_EQ(options.csv.header, CsvFiles::Header::kAuto);
  EXPECT_EQ(options.import.missing, MissingValues::kMean);
  EXPECT_EQ(options.import.test_share, 0.25);
  EXPECT_EQ(options.import.height, 2);
  EXPECT_EQ(options.import.width, 3);
  EXPECT_EQ(options.import.name, "b");
}

TEST(Options, AWrongLineOfAFileIsRefusedWithTheFile) {
  const std::string sentence = refusal({"--config", "my.cfg"}, files("no-such=1\n", ""));
  EXPECT_NE(sentence.find("my.cfg"), std::string::npos) << sentence;
  EXPECT_NE(sentence.find("no-such"), std::string::npos) << sentence;
}

}  // namespace
}  // namespace sae
