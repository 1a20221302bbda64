#include <gtest/gtest.h>

#include <regex>
#include <sstream>

#include "app/options.hpp"
#include "sae/core/error.hpp"

namespace sae {
namespace {

const FileTexts kFiles = {.configuration = [](const auto&) { return "unitz=1\n"; },
                          .recipe = [](const auto&) { return ""; },
                          .environment_names_data = [] { return true; }};

std::string answer_to(const std::vector<std::string>& arguments) {
  try {
    parse_command_line(arguments, kFiles);
  } catch (const UsageError& error) {
    return error.what();
  }
  return "accepted";
}

/// What --help or --version prints.
std::string shown(const std::vector<std::string>& arguments) {
  return std::get<ShowText>(parse_command_line(arguments, kFiles)).text;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

/// All but train.
const std::vector<std::string> kCommands = {"bench",       "evaluate", "predict", "encode",
                                            "reconstruct", "score",    "export",  "import",
                                            "inspect",     "report",   "doctor"};

TEST(Help, OfEachCommandNamesItsOptions) {
  for (const auto& [arguments, part] :
       std::vector<std::pair<std::vector<std::string>, std::string>>{
           {{"--help"}, "--finetune-epochs"},
           {{"train", "--help-all"}, "--corruption-at"},
           {{"evaluate", "--help"}, "--split"},
           {{"evaluate", "--help"}, "--confusion"},
           {{"predict", "--help"}, "--csv"},
           {{"encode", "--help"}, "--layer"},
           {{"reconstruct", "--help"}, "--layer"},
           {{"export", "--help"}, "classifier|encoder|autoencoder"},
           {{"import", "--help"}, "--train-images"},
           {{"inspect", "--help"}, "--file"}}) {
    EXPECT_NE(shown(arguments).find(part), std::string::npos);
  }
}

TEST(Help, IsAskedForInThreeWays) {
  EXPECT_EQ(shown({"help"}), shown({"--help"}));
  EXPECT_EQ(shown({"-h"}), shown({"--help"}));
  EXPECT_EQ(shown({"train", "-h"}), shown({"--help"}));
  EXPECT_EQ(shown({"help", "train"}), shown({"--help"}));
  EXPECT_EQ(shown({"help", "help"}), shown({"--help"}));
  EXPECT_EQ(shown({"--units", "5", "--help"}), shown({"--help"}));
  for (const std::string& command : kCommands) {
    EXPECT_EQ(shown({command, "-h"}), shown({command, "--help"})) << command;
    EXPECT_EQ(shown({"help", command}), shown({command, "--help"})) << command;
    // Whatever else is wrong.
    EXPECT_EQ(shown({command, "--nonsense", "-h"}), shown({command, "--help"})) << command;
    EXPECT_EQ(shown({command, "--help"}).find("Usage: sae_dist " + command), 0u) << command;
  }
  EXPECT_NE(answer_to({"help", "fly"}).find("no command 'fly'"), std::string::npos);
  EXPECT_NE(answer_to({"help", "score", "encode"}).find("more arguments"), std::string::npos);
}

TEST(Help, FitsTheScreen) {
  std::vector<std::vector<std::string>> ways = {{"--help"}, {"--help-all"}, {"--version"}};
  for (const std::string& command : kCommands) ways.push_back({command, "--help"});
  for (const auto& way : ways) {
    for (const std::string& line : lines_of(shown(way))) EXPECT_LE(line.size(), 80u) << line;
  }
  for (const char* way : {"--help", "--version"}) {
    EXPECT_LE(lines_of(shown({way})).size(), 23u);  // And a prompt.
  }
}

TEST(Help, InShortNamesOptionsAndCommands) {
  const std::string all = shown({"--help-all"});
  const std::string text = shown({"--help"});
  const std::regex option("--[a-z][a-z-]*");
  for (std::sregex_iterator found(text.begin(), text.end(), option), end; found != end; ++found) {
    EXPECT_NE(all.find(found->str() + " "), std::string::npos) << found->str();
  }
  for (const std::string& command : kCommands) {
    EXPECT_NE(text.find(command), std::string::npos) << command;
  }
}

TEST(Version, NamesTheProgramAndItsLibraries) {
  const std::string text = shown({"--version"});
  EXPECT_EQ(text.find("sae_dist "), 0u);
  for (const char* part : {"commit ", "compiler ", "MPI ", "HDF5 ", "Eigen ", "instructions "}) {
    EXPECT_NE(text.find(part), std::string::npos) << part;
  }
}

TEST(Suggestion, AMistypedWordIsRefusedWithTheOneThatIsMeant) {
  const std::vector<std::pair<std::vector<std::string>, std::string>> cases = {
      {{"--unit", "5"}, "'--unit'; see --help. Did you mean --units?"},
      {{"--learning-rate", "1"},
       "Did you mean --pretrain-learning-rate or --finetune-learning-rate?"},
      {{"--batch_size=5"}, "see --help. Did you mean --batch-size?"},
      {{"train", "--finetune-epoch", "5"}, "Did you mean --finetune-epochs?"},
      {{"evaluate", "m.h5", "--spilt", "test"}, "Did you mean --split?"},
      {{"import", "--cvs", "a"}, "Did you mean --csv?"},
      {{"predcit", "m.h5"}, "There is no command 'predcit'; there are train, import,"},
      {{"predcit", "m.h5"}, "bench and help. Did you mean predict?"},
      {{"hlep"}, "Did you mean help?"}};
  for (const auto& [arguments, part] : cases) {
    const std::string sentence = answer_to(arguments);
    EXPECT_NE(sentence.find(part), std::string::npos) << sentence;
  }
  for (const auto& arguments : std::vector<std::vector<std::string>>{{"--nonsense"}, {"fly"}}) {
    EXPECT_EQ(answer_to(arguments).find("Did you mean"), std::string::npos) << answer_to(arguments);
  }
  const std::string sentence = answer_to({"--config", "my.cfg"});
  EXPECT_NE(sentence.find("no setting 'unitz'. Did you mean units?"), std::string::npos);
}

}  // namespace
}  // namespace sae
