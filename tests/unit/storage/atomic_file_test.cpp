#include "sae/storage/atomic_file.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <optional>
#include <sstream>
#include <string>

#include "sae/core/error.hpp"
#include "support/expect_error.hpp"
#include "support/ordinary_user.hpp"
#include "support/temporary_directory.hpp"

namespace sae {
namespace {

std::string content(const std::filesystem::path& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

class AtomicFileTest : public testing::Test {
 protected:
  std::ptrdiff_t files_in_folder() const {
    return std::distance(std::filesystem::directory_iterator(folder_.path()), {});
  }

  TemporaryDirectory folder_;
  std::filesystem::path path_ = folder_.path() / "result.h5";
};

TEST_F(AtomicFileTest, CommitPublishesTheContent) {
  AtomicFile file(path_);
  std::ofstream(file.temporary_path()) << "new";
  file.commit();
  EXPECT_EQ(content(path_), "new");
  EXPECT_EQ(files_in_folder(), 1);
}

TEST_F(AtomicFileTest, TemporaryFileIsBesideTheFinalOneAndNamesTheProcess) {
  const AtomicFile file(path_);
  EXPECT_EQ(file.temporary_path().parent_path(), folder_.path());
  EXPECT_TRUE(std::filesystem::exists(file.temporary_path()));
  const std::string name = file.temporary_path().filename().string();
  EXPECT_TRUE(name.starts_with("result.h5.")) << name;
  EXPECT_TRUE(name.ends_with(fmt::format(".{}.tmp", getpid()))) << name;
}

TEST_F(AtomicFileTest, WithoutCommitTheOldFileStaysAndNothingElse) {
  std::ofstream(path_) << "old";
  {
    const AtomicFile file(path_);
    std::ofstream(file.temporary_path()) << "half";
  }
  EXPECT_EQ(content(path_), "old");
  EXPECT_EQ(files_in_folder(), 1);
}

TEST_F(AtomicFileTest, RenameIsTheStepThatReplacesTheOldFile) {
  std::ofstream(path_) << "old";
  {
    AtomicFile file(path_);
    std::ofstream(file.temporary_path()) << "new";
    file.sync_file();
    EXPECT_EQ(content(path_), "old");
    file.rename_into_place();
    EXPECT_EQ(content(path_), "new");
    file.sync_folder();
  }
  EXPECT_EQ(content(path_), "new");
}

TEST_F(AtomicFileTest, CommittedFileLeavesTheNextOneAlone) {
  std::optional<AtomicFile> first(path_);
  first->commit();
  AtomicFile second(path_);
  first.reset();
  EXPECT_TRUE(std::filesystem::exists(second.temporary_path()));
}

TEST_F(AtomicFileTest, LeftoverOfAKilledProcessIsReplaced) {
  std::filesystem::path leftover;
  { leftover = AtomicFile(path_).temporary_path(); }
  std::ofstream(leftover) << "a longer text of old";
  AtomicFile file(path_);
  EXPECT_EQ(content(file.temporary_path()), "");
}

TEST_F(AtomicFileTest, RelativeNameMeansTheCurrentFolder) {
  const auto before = std::filesystem::current_path();
  std::filesystem::current_path(folder_.path());
  AtomicFile file("result.h5");
  file.commit();
  std::filesystem::current_path(before);
  EXPECT_TRUE(std::filesystem::exists(path_));
}

TEST_F(AtomicFileTest, MissingFolderIsFoundAtOnce) {
  const auto path = folder_.path() / "absent" / "result.h5";
  expect_error<OutputError>([&] { AtomicFile{path}; },
                            {path.string(), "No such file or directory"});
}

TEST_F(AtomicFileTest, FolderThatCannotBeWrittenIsFoundAtOnce) {
  std::filesystem::permissions(folder_.path(), std::filesystem::perms{0555});
  {
    const OrdinaryUser user;
    expect_error<OutputError>([&] { AtomicFile{path_}; }, {path_.string(), "Permission denied"});
  }
  std::filesystem::permissions(folder_.path(), std::filesystem::perms{0755});
  EXPECT_EQ(files_in_folder(), 0);
}

TEST_F(AtomicFileTest, FolderUnderTheFinalNameIsFoundAtOnce) {
  std::filesystem::create_directory(path_);
  expect_error<OutputError>([&] { AtomicFile{path_}; }, {path_.string(), "Is a directory"});
  EXPECT_EQ(files_in_folder(), 1);
}

TEST_F(AtomicFileTest, LostTemporaryFileIsAnErrorOfEachStep) {
  AtomicFile file(path_);
  std::filesystem::remove(file.temporary_path());
  expect_error<OutputError>([&] { file.sync_file(); }, {file.temporary_path().string()});
  expect_error<OutputError>([&] { file.rename_into_place(); }, {path_.string()});
  EXPECT_EQ(files_in_folder(), 0);
}

TEST_F(AtomicFileTest, LostFolderIsAnErrorOfTheLastStep) {
  const auto inner = folder_.path() / "inner";
  std::filesystem::create_directory(inner);
  AtomicFile file(inner / "result.h5");
  file.rename_into_place();
  std::filesystem::remove_all(inner);
  expect_error<OutputError>([&] { file.sync_folder(); }, {"inner/result.h5"});
}

}  // namespace
}  // namespace sae
