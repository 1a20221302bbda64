#include "sae/storage/output_file.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <optional>
#include <sstream>
#include <string>
#include <thread>

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

class OutputFileTest : public testing::Test {
 protected:
  std::ptrdiff_t files_in_folder() const {
    return std::distance(std::filesystem::directory_iterator(folder_.path()), {});
  }

  TemporaryDirectory folder_;
  std::filesystem::path path_ = folder_.path() / "result.h5";
};

TEST_F(OutputFileTest, CommitPublishesTheContent) {
  OutputFile file(path_);
  std::ofstream(file.temporary_path()) << "new";
  file.commit();
  EXPECT_EQ(content(path_), "new");
  EXPECT_EQ(files_in_folder(), 1);
}

TEST_F(OutputFileTest, TemporaryFileIsBesideTheFinalOneUnderANameOfOurOwn) {
  const OutputFile file(path_);
  const OutputFile other(path_);
  EXPECT_EQ(file.temporary_path().parent_path(), folder_.path());
  EXPECT_TRUE(std::filesystem::exists(file.temporary_path()));
  EXPECT_NE(file.temporary_path(), other.temporary_path());
  EXPECT_TRUE(OutputFile::is_unfinished(file.temporary_path()));
  for (const char* name : {"result.h5", "result.tmp", ".sae-0123456789abcdef.tmp",
                           ".a.sae-0123456789abcdeg.tmp", "a.sae-0123456789abcdef.tmp"}) {
    EXPECT_FALSE(OutputFile::is_unfinished(name)) << name;
  }
}

TEST_F(OutputFileTest, WithoutCommitTheOldFileStaysAndNothingElse) {
  std::ofstream(path_) << "old";
  {
    const OutputFile file(path_);
    std::ofstream(file.temporary_path()) << "half";
  }
  EXPECT_EQ(content(path_), "old");
  EXPECT_EQ(files_in_folder(), 1);
}

TEST_F(OutputFileTest, RenameIsTheStepThatReplacesTheOldFile) {
  std::ofstream(path_) << "old";
  {
    OutputFile file(path_);
    std::ofstream(file.temporary_path()) << "new";
    file.sync_file();
    EXPECT_EQ(content(path_), "old");
    file.rename_into_place();
    EXPECT_EQ(content(path_), "new");
    file.sync_folder();
  }
  EXPECT_EQ(content(path_), "new");
}

TEST_F(OutputFileTest, CommittedFileLeavesTheNextOneAlone) {
  std::optional<OutputFile> first(path_);
  first->commit();
  OutputFile second(path_);
  first.reset();
  EXPECT_TRUE(std::filesystem::exists(second.temporary_path()));
}

TEST_F(OutputFileTest, LinksAreFollowedAndStay) {
  const auto target = folder_.path() / "target.h5";
  const auto link = folder_.path() / "link.h5";
  std::filesystem::create_symlink("target.h5", link);  // To nothing yet.
  std::filesystem::create_symlink(link, path_);
  for (const std::string text : {"new", "newer"}) {
    write_text_file(path_, text);
    EXPECT_TRUE(std::filesystem::is_symlink(path_));
    EXPECT_TRUE(std::filesystem::is_symlink(link));
    EXPECT_EQ(content(target), text);
  }
  EXPECT_EQ(files_in_folder(), 3);
}

TEST_F(OutputFileTest, WhatIsNoFileIsRefusedOrWrittenThrough) {
  ASSERT_EQ(mkfifo(path_.c_str(), 0600), 0);
  expect_error<OutputError>([&] { OutputFile{path_}; }, {path_.string(), "not a file"});
  std::string read;
  std::thread reader([&] { read = content(path_); });
  write_text_file(path_, "through");
  reader.join();
  EXPECT_EQ(read, "through");
  EXPECT_TRUE(std::filesystem::is_fifo(path_));
  EXPECT_EQ(files_in_folder(), 1);
}

TEST_F(OutputFileTest, AFailedWriteIsToldWithItsReason) {
  std::filesystem::create_symlink("/dev/full", path_);
  expect_error<OutputError>([&] { write_text_file(path_, "text"); },
                            {"/dev/full", "No space left on device"});
}

TEST_F(OutputFileTest, RelativeNameMeansTheCurrentFolder) {
  const auto before = std::filesystem::current_path();
  std::filesystem::current_path(folder_.path());
  OutputFile file("result.h5");
  file.commit();
  std::filesystem::current_path(before);
  EXPECT_TRUE(std::filesystem::exists(path_));
}

TEST_F(OutputFileTest, MissingFolderIsFoundAtOnce) {
  const auto path = folder_.path() / "absent" / "result.h5";
  expect_error<OutputError>([&] { OutputFile{path}; },
                            {path.string(), "No such file or directory"});
}

TEST_F(OutputFileTest, FolderThatCannotBeWrittenIsFoundAtOnce) {
  std::filesystem::permissions(folder_.path(), std::filesystem::perms{0555});
  {
    const OrdinaryUser user;
    expect_error<OutputError>([&] { OutputFile{path_}; }, {path_.string(), "Permission denied"});
  }
  std::filesystem::permissions(folder_.path(), std::filesystem::perms{0755});
  EXPECT_EQ(files_in_folder(), 0);
}

TEST_F(OutputFileTest, FolderUnderTheFinalNameIsFoundAtOnce) {
  std::filesystem::create_directory(path_);
  expect_error<OutputError>([&] { OutputFile{path_}; }, {path_.string(), "Is a directory"});
  EXPECT_EQ(files_in_folder(), 1);
}

TEST_F(OutputFileTest, LostTemporaryFileIsAnErrorOfEachStep) {
  OutputFile file(path_);
  std::filesystem::remove(file.temporary_path());
  expect_error<OutputError>([&] { file.sync_file(); }, {file.temporary_path().string()});
  expect_error<OutputError>([&] { file.rename_into_place(); }, {path_.string()});
  EXPECT_EQ(files_in_folder(), 0);
}

TEST_F(OutputFileTest, LostFolderIsAnErrorOfTheLastStep) {
  const auto inner = folder_.path() / "inner";
  std::filesystem::create_directory(inner);
  OutputFile file(inner / "result.h5");
  file.rename_into_place();
  std::filesystem::remove_all(inner);
  expect_error<OutputError>([&] { file.sync_folder(); }, {"inner/result.h5"});
}

}  // namespace
}  // namespace sae
