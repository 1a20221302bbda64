#include "sae/train/checkpoint.hpp"

#include <gtest/gtest.h>

#include <limits>

#include "sae/core/error.hpp"
#include "sae/model/stacked_autoencoder.hpp"
#include "sae/storage/hdf5_file.hpp"
#include "support/temporary_directory.hpp"

namespace sae {
namespace {

struct CheckpointFile : testing::Test {
  TemporaryDirectory folder;
  std::filesystem::path path = folder.path() / "model.h5";
  Checkpoint checkpoint;

  CheckpointFile() {
    checkpoint.topology = {.inputs = 6, .hidden = {5, 4}, .classes = 3};
    initialize_parameters(ParameterLayout(checkpoint.topology), 3, checkpoint.parameters);
    checkpoint.progress = {.stage = "finetune", .epoch = 4, .step = 77, .finished = true};
    checkpoint.seed = std::numeric_limits<std::uint64_t>::max();
    checkpoint.config = "seed=3\nunits=5,4\n";
  }
};

TEST_F(CheckpointFile, ComesBackAsItWas) {
  save_checkpoint(path, checkpoint);
  const Checkpoint loaded = load_checkpoint(path);
  EXPECT_EQ(loaded.topology, checkpoint.topology);
  EXPECT_EQ(loaded.parameters, checkpoint.parameters);
  EXPECT_EQ(loaded.progress.stage, "finetune");
  EXPECT_EQ(loaded.progress.epoch, 4);
  EXPECT_EQ(loaded.progress.step, 77);
  EXPECT_TRUE(loaded.progress.finished);
  EXPECT_EQ(loaded.seed, checkpoint.seed);
  EXPECT_EQ(loaded.config, checkpoint.config);
}

TEST_F(CheckpointFile, WeightsAreStoredAsInputsTimesOutputs) {
  save_checkpoint(path, checkpoint);
  const auto file = Hdf5File::open(path);
  EXPECT_EQ(file.shape("/model/hidden1/weights"), (std::vector<Index>{6, 5}));
  EXPECT_EQ(file.shape("/model/hidden1/visible_bias"), (std::vector<Index>{6}));
  std::vector<float> stored(30);
  file.read_rows<float>("/model/hidden1/weights", {0, 6}, stored);
  const ParameterLayout layout(checkpoint.topology);
  const auto weights = view_of(checkpoint.parameters, layout.hidden(0).weights);
  for (Index in = 0; in < 6; ++in) {
    for (Index out = 0; out < 5; ++out) {
      EXPECT_EQ(stored[static_cast<std::size_t>(in * 5 + out)], weights(out, in));
    }
  }
}

TEST_F(CheckpointFile, ThatIsMissingIsNamed) {
  EXPECT_THROW(load_checkpoint(path), MissingInputError);
}

TEST_F(CheckpointFile, OfANewerVersionIsRefusedByName) {
  save_checkpoint(path, checkpoint);
  auto file = Hdf5File::create(path);
  file.write_string("/", "format", "sae-checkpoint");
  file.write_integer("/", "version", 2);
  file.close();
  EXPECT_THROW(load_checkpoint(path), DataError);
}

TEST_F(CheckpointFile, ThatIsADataSetIsRefused) {
  auto file = Hdf5File::create(path);
  file.write_string("/", "format", "sae-dataset");
  file.close();
  EXPECT_THROW(load_checkpoint(path), DataError);
}

TEST_F(CheckpointFile, WithWeightsThatAreNotFiniteIsRefused) {
  checkpoint.parameters(3) = std::numeric_limits<float>::quiet_NaN();
  save_checkpoint(path, checkpoint);
  EXPECT_THROW(load_checkpoint(path), DataError);
}

TEST_F(CheckpointFile, IntoAFolderThatIsNotThereIsAnOutputError) {
  EXPECT_THROW(save_checkpoint(folder.path() / "none" / "model.h5", checkpoint), OutputError);
}

}  // namespace
}  // namespace sae
