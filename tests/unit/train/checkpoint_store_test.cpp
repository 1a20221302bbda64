#include "sae/run/checkpoint_store.hpp"

#include <gtest/gtest.h>

#include <fstream>

#include "sae/core/error.hpp"
#include "sae/model/stacked_autoencoder.hpp"
#include "support/expect_error.hpp"
#include "support/ordinary_user.hpp"
#include "support/temporary_directory.hpp"

namespace sae {
namespace {

namespace fs = std::filesystem;

struct CheckpointStoreTest : testing::Test {
  TemporaryDirectory temporary;
  RunFolder folder{temporary.path() / "run"};

  CheckpointStoreTest() { fs::create_directory(folder.path()); }

  /// A run after so many updates.
  static void fill(Checkpoint& copy, Index step) {
    copy.topology = {.inputs = 6, .hidden = {5}, .classes = 3};
    initialize_parameters(ParameterLayout(copy.topology), 3, copy.parameters);
    copy.state.progress.step = step;
  }
  /// The steps whose checkpoints are there after one of `step` has been saved.
  std::vector<Index> saved(CheckpointStore& store, Index step) const {
    fill(store.buffer(), step);
    store.save_now({.checkpoint = true});
    std::vector<Index> steps;
    for (Index i = 0; i < 100; ++i) {
      if (fs::exists(folder.checkpoint(i))) steps.push_back(i);
    }
    return steps;
  }

  void expect_no_look(const char* reason) const {
    expect_error<OutputError>([&] { find_newest_checkpoint(folder); },
                              {folder.checkpoints().string(), reason});
    expect_error<OutputError>([&] { newest_checkpoint_name(folder); }, {reason});
  }
};

TEST_F(CheckpointStoreTest, OnlyAFolderThatIsNotThereHoldsNoCheckpoint) {
  EXPECT_FALSE(find_newest_checkpoint(folder));
  fs::create_symlink("nowhere", folder.checkpoints());
  expect_no_look("No such file or directory");
  fs::remove(folder.checkpoints());
  std::ofstream(folder.checkpoints()) << "a file";
  expect_no_look("Not a directory");
  fs::remove(folder.checkpoints());
  fs::create_directory(folder.checkpoints());
  EXPECT_FALSE(find_newest_checkpoint(folder));
  fs::permissions(folder.checkpoints(), fs::perms{0});
  const OrdinaryUser user;
  expect_no_look("Permission denied");
}

TEST_F(CheckpointStoreTest, AFolderThatCannotBeListedIsAFailureOfTheWrite) {
  fs::create_directory(folder.checkpoints());
  const auto generation = RunGeneration::take(folder);
  fs::permissions(folder.checkpoints(), fs::perms{0333});
  const OrdinaryUser user;
  CheckpointStore store(folder, generation, 1);
  fill(store.buffer(), 7);
  store.save({.checkpoint = true});
  store.wait_until_idle();
  const auto failures = store.take_failures();
  ASSERT_EQ(failures.size(), 1);
  EXPECT_NE(failures[0].find("Permission denied"), std::string::npos) << failures[0];
}

TEST_F(CheckpointStoreTest, WhatHasJustBeenWrittenStays) {
  CheckpointStore store(folder, RunGeneration::take(folder), 1);
  EXPECT_EQ(saved(store, 1), (std::vector<Index>{1}));
  std::ofstream(folder.checkpoint(9)) << "damaged";
  EXPECT_EQ(saved(store, 2), (std::vector<Index>{2, 9}));
}

TEST_F(CheckpointStoreTest, TheCheckpointOfTheBestEpochStaysUntilBestIsWritten) {
  CheckpointStore store(folder, RunGeneration::take(folder), 1);
  fs::create_directory(folder.best());
  fill(store.change_best(), 1);
  saved(store, 1);
  EXPECT_EQ(saved(store, 2), (std::vector<Index>{1, 2}));
  EXPECT_EQ(saved(store, 3), (std::vector<Index>{1, 3}));
  EXPECT_EQ(store.take_failures().size(), 3);
  fs::remove(folder.best());
  saved(store, 4);
  EXPECT_EQ(load_checkpoint(folder.best()).state.progress.step, 1);
  EXPECT_EQ(saved(store, 5), (std::vector<Index>{5}));
  EXPECT_TRUE(store.take_failures().empty());
}

TEST_F(CheckpointStoreTest, APretrainedModelThatCouldNotBeWrittenIsWrittenWithTheNextCheckpoint) {
  CheckpointStore store(folder, RunGeneration::take(folder), 1);
  fs::create_directory(folder.pretrained());
  fill(store.change_pretrained(), 1);
  EXPECT_EQ(saved(store, 2), (std::vector<Index>{2}));
  EXPECT_EQ(store.take_failures().size(), 1);
  fs::remove(folder.pretrained());
  saved(store, 3);
  EXPECT_EQ(load_checkpoint(folder.pretrained()).state.progress.step, 1);
  EXPECT_TRUE(store.take_failures().empty());
}

TEST_F(CheckpointStoreTest, OfTemporaryFilesOnlyThoseOfOurOwnAreRemoved) {
  const auto ours = [](const fs::path& place) {
    return place / ".model.h5.sae-0123456789abcdef.tmp";
  };
  fs::create_directory(folder.checkpoints());
  for (const fs::path& place : {folder.path(), folder.checkpoints()}) {
    for (const fs::path& name : {ours(place), place / "mine.tmp", place / ".model.h5.tmp"}) {
      std::ofstream(name) << "text";
    }
    fs::create_symlink("mine.tmp", place / ".link.sae-0123456789abcdef.tmp");
  }
  folder.remove_temporary_files();
  for (const fs::path& place : {folder.path(), folder.checkpoints()}) {
    EXPECT_FALSE(fs::exists(ours(place)));
    EXPECT_TRUE(fs::exists(place / "mine.tmp"));
    EXPECT_TRUE(fs::exists(place / ".model.h5.tmp"));
    EXPECT_TRUE(fs::exists(place / ".link.sae-0123456789abcdef.tmp"));
  }
}

}  // namespace
}  // namespace sae
