#include "sae/storage/input_file.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

#include "sae/core/error.hpp"
#include "support/expect_error.hpp"
#include "support/ordinary_user.hpp"
#include "support/temporary_directory.hpp"

namespace sae {
namespace {

TEST(InputFile, SizeOfARegularFile) {
  const TemporaryDirectory folder;
  const auto path = folder.path() / "file";
  std::ofstream(path) << "12345";
  EXPECT_EQ(size_of_readable_file(path), 5u);
}

TEST(InputFile, MissingFileIsNamedWithTheReason) {
  const TemporaryDirectory folder;
  const auto path = folder.path() / "absent";
  expect_error<MissingInputError>([&] { size_of_readable_file(path); },
                                  {path.string(), "No such file or directory"});
}

TEST(InputFile, FolderIsRefused) {
  const TemporaryDirectory folder;
  expect_error<MissingInputError>([&] { size_of_readable_file(folder.path()); },
                                  {folder.path().string(), "it is a folder"});
}

TEST(InputFile, PipeIsRefusedWithoutWaiting) {
  const TemporaryDirectory folder;
  const auto path = folder.path() / "pipe";
  ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
  expect_error<MissingInputError>([&] { size_of_readable_file(path); }, {"not a regular file"});
}

TEST(InputFile, UnreadableFileIsNamedWithTheReason) {
  const TemporaryDirectory folder;
  const auto path = folder.path() / "secret";
  std::ofstream(path) << "x";
  std::filesystem::permissions(folder.path(), std::filesystem::perms{0755});
  std::filesystem::permissions(path, std::filesystem::perms::none);
  const OrdinaryUser user;
  expect_error<MissingInputError>([&] { size_of_readable_file(path); },
                                  {path.string(), "Permission denied"});
}

}  // namespace
}  // namespace sae
