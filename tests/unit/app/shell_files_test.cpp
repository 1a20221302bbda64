#include "app/shell_files.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "app/option_list.hpp"
#include "sae/config/recipes.hpp"
#include "sae/config/settings.hpp"
#include "support/expect_error.hpp"

namespace sae {
namespace {

const ListedCommand& command(const std::vector<ListedCommand>& commands, const std::string& name) {
  return *std::ranges::find(commands, name, &ListedCommand::name);
}

const ListedOption& option(const ListedCommand& command, const std::string& name) {
  return *std::ranges::find(command.options, name, &ListedOption::name);
}

TEST(OptionList, HasEverySettingAndTheHelpOfEveryCommand) {
  const auto commands = listed_commands();
  const ListedCommand& train = command(commands, "train");
  for (const Setting& setting : settings()) {
    EXPECT_EQ(std::ranges::count(train.options, setting.name, &ListedOption::name), 1)
        << setting.name;
  }
  for (const ListedCommand& known : commands) {
    EXPECT_EQ(std::ranges::count(known.options, "help", &ListedOption::name), 1) << known.name;
  }
}

TEST(OptionList, TellsWhatAValueCanBe) {
  const auto commands = listed_commands();
  const ListedCommand& train = command(commands, "train");
  const ListedOption& resume = option(train, "resume");
  EXPECT_EQ(resume.words, (std::vector<std::string>{"never", "auto", "required"}));
  EXPECT_EQ(resume.path, ListedOption::Path::kFile);
  EXPECT_EQ(resume.initial, "never");
  EXPECT_EQ(option(train, "run").path, ListedOption::Path::kFolder);
  EXPECT_EQ(option(train, "threads").words, std::vector<std::string>{"auto"});
  EXPECT_EQ(option(train, "recipe").words.size(), built_in_recipes().size());
  EXPECT_EQ(option(train, "quiet").value, "");
  EXPECT_TRUE(option(command(commands, "import"), "output").words.empty());
}

TEST(ShellFiles, NameEveryCommandAndOption) {
  const std::string page = manual_page();
  for (const ListedCommand& known : listed_commands()) {
    EXPECT_NE(page.find("sae_dist " + known.name), std::string::npos) << known.name;
    for (const ListedOption& listed : known.options) {
      EXPECT_NE(bash_completion().find("--" + listed.name), std::string::npos) << listed.name;
      EXPECT_NE(zsh_completion().find("'--" + listed.name), std::string::npos) << listed.name;
    }
  }
}

TEST(ShellFiles, AreForBashZshAndMan) {
  EXPECT_EQ(shell_file("bash"), bash_completion());
  EXPECT_EQ(shell_file("zsh"), zsh_completion());
  EXPECT_EQ(shell_file("man"), manual_page());
  expect_error<UsageError>([] { shell_file("fish"); }, {"'fish'"});
}

}  // namespace
}  // namespace sae
