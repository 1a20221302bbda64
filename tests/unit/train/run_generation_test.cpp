#include "sae/run/run_generation.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <map>
#include <optional>
#include <string>

#include "sae/comm/self_communicator.hpp"
#include "sae/core/error.hpp"
#include "sae/storage/output_file.hpp"
#include "support/expect_error.hpp"
#include "support/temporary_directory.hpp"
#include "support/tiny_training.hpp"

namespace sae {
namespace {

struct Generation : testing::Test {
  TemporaryDirectory temporary;
  RunFolder folder{temporary.path()};

  /// What a newer session does first.
  RunGeneration take() const {
    auto generation = RunGeneration::take(folder);
    folder.remove_temporary_files();
    return generation;
  }

  /// Name and contents of each finished file.
  static std::map<std::string, std::string> files_in(const std::filesystem::path& path) {
    std::map<std::string, std::string> files;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(path)) {
      if (!entry.is_regular_file() || entry.path().extension() == ".tmp") continue;
      std::ifstream file(entry.path());
      files[entry.path()] = {std::istreambuf_iterator<char>(file), {}};
    }
    return files;
  }
};

TEST_F(Generation, IsOfTheSessionThatTookTheFolderLast) {
  const auto first = take();
  EXPECT_NO_THROW(first.check());
  const auto second = take();
  EXPECT_EQ(first.number(), 1);
  EXPECT_EQ(second.number(), 2);
  EXPECT_NO_THROW(second.check());
  expect_error<SupersededError>([&] { first.check(); },
                                {folder.path().string(), "(generation 2 of process",
                                 "This one, of generation 1, may not write"});
}

TEST_F(Generation, OfTwoSessionsThatTookTheSameNumberIsTheLaterOnes) {
  const auto ours = take();
  std::ofstream(folder.generation()) << "1 of process 1 on elsewhere at 0 ns\n";
  EXPECT_THROW(ours.check(), SupersededError);
}

TEST_F(Generation, AfterAFileThatIsNotOursIsTheFirst) {
  std::ofstream(folder.generation()) << "damaged";
  EXPECT_EQ(take().number(), 1);
}

TEST_F(Generation, IsOursWhereNobodyHasTakenTheFolder) {
  const auto ours = take();
  std::filesystem::remove(folder.generation());
  EXPECT_NO_THROW(ours.check());
}

// The moment at which a check of the generation alone would not help: it is right, and the session
// is held up before it renames.
TEST_F(Generation, TakenBetweenCheckAndRenameLetsNothingThrough) {
  const auto older = take();
  std::optional<RunGeneration> newer;
  const auto held_up = [&] {
    older.check();
    newer = take();
    write_text_file(folder.config(), "newer", newer->checker());
  };
  EXPECT_THROW(write_text_file(folder.config(), "older", held_up), OutputError);
  Checkpoint checkpoint;
  checkpoint.topology = {.inputs = 2, .hidden = {2}, .classes = 2};
  checkpoint.parameters = Vector<float>::Zero(ParameterLayout(checkpoint.topology).size());
  FileImage image;
  EXPECT_THROW(save_checkpoint(folder.model(), checkpoint, image, held_up), OutputError);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder.path()), {}), 2);
  auto files = files_in(folder.path());
  EXPECT_EQ(files[folder.config()], "newer");
}

TEST_F(Generation, TakenInTheMidstOfTrainingEndsItWithoutATrace) {
  Configuration configuration = tiny_configuration(temporary.path() / "tiny.h5", folder.path());
  TinyDataset().write(configuration.data);
  for (const Index step : {1, 9, 63}) {
    configuration.run = temporary.path() / ("run" + std::to_string(step));
    folder = RunFolder(configuration.run);
    std::map<std::string, std::string> taken;
    Index steps = 0;
    SelfCommunicator comm;
    RunControl control{.checkpoint_every = {.steps = 1}};
    control.stop_requested = [&] {
      if (++steps == step) {
        // Whatever the older session is writing at this moment.
        take();
        taken = files_in(configuration.run);
      }
      return false;
    };
    EXPECT_THROW(train_tiny(configuration, comm, control), SupersededError) << step;
    EXPECT_EQ(files_in(configuration.run), taken) << step;
  }
}

TEST_F(Generation, TakenByAnotherEndsTrainingWithTheNextCheckpoint) {
  Configuration configuration = tiny_configuration(temporary.path() / "tiny.h5", folder.path());
  TinyDataset().write(configuration.data);
  configuration.run = temporary.path() / "run";
  folder = RunFolder(configuration.run);
  Index steps = 0;
  SelfCommunicator comm;
  RunControl control{.checkpoint_every = {.steps = 1}};
  control.stop_requested = [&] {
    if (++steps == 5) take();
    return false;
  };
  EXPECT_THROW(train_tiny(configuration, comm, control), SupersededError);
  EXPECT_LE(steps, 8);  // The checkpoint is written while the next steps are done.
}

}  // namespace
}  // namespace sae
