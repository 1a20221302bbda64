#include "sae/run/checkpoint.hpp"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <iterator>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "sae/core/error.hpp"
#include "sae/model/stacked_autoencoder.hpp"
#include "sae/storage/hdf5_file.hpp"
#include "sae/storage/sealed_file.hpp"
#include "support/expect_error.hpp"
#include "support/temporary_directory.hpp"

namespace {

bool memory_is_short = false;
std::filesystem::path saved_file;
std::vector<std::string> synced;  // With whether the saved file had its name.

}  // namespace

/// In place of the C library's: how an image grows.
void* mremap(void* old, std::size_t size, std::size_t wanted, int flags, ...) noexcept {
  if (memory_is_short) {
    errno = ENOMEM;
    return MAP_FAILED;
  }
  return reinterpret_cast<void*>(syscall(SYS_mremap, old, size, wanted, flags, nullptr));
}

/// In place of the C library's: what is safe on the disk, and when.
int fsync(int descriptor) {
  struct stat status {};
  fstat(descriptor, &status);
  synced.push_back(std::string(S_ISDIR(status.st_mode) ? "folder" : "file") +
                   (std::filesystem::exists(saved_file) ? " after" : " before"));
  return static_cast<int>(syscall(SYS_fsync, descriptor));
}

namespace sae {
namespace {

struct CheckpointFile : testing::Test {
  TemporaryDirectory folder;
  std::filesystem::path path = folder.path() / "model.h5";
  Checkpoint checkpoint;
  FileImage image;

  CheckpointFile() {
    checkpoint.topology = {.inputs = 6, .hidden = {5, 4}, .classes = 3};
    initialize_parameters(ParameterLayout(checkpoint.topology), 3, checkpoint.parameters);
    checkpoint.state.progress = {.stage = 2, .epoch = 4, .step = 77, .finished = true};
    checkpoint.seed = std::numeric_limits<std::uint64_t>::max();
    checkpoint.config = "seed=3\nunits=5,4\n";
    checkpoint.state.progress.step_in_epoch = 7;
    checkpoint.slots = {{"velocity", 0.5f * checkpoint.parameters},
                        {"moment2", 0.25f * checkpoint.parameters}};
    checkpoint.state.epoch_sums = {.loss = 1.0 / 3, .errors = 4, .samples = 70};
    checkpoint.state.best = BestEpoch{.figure = 5, .epoch = 3, .reached = 2, .step = 60};
    checkpoint.state.divergences = 1;
    checkpoint.state.start_loss = 2.5;
    checkpoint.history = "{\"stage\":\"pretrain1\"}\n";
    checkpoint.dataset = "tiny";
  }

  void save() { save_checkpoint(path, checkpoint, image); }
  /// The image as a file, sealed, whatever it holds.
  void write_sealed() {
    seal_image(image);
    std::ofstream stream(path);
    image.write_to(path);
  }
};

std::string contents(const std::filesystem::path& path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

TEST_F(CheckpointFile, ComesBackAsItWas) {
  save();
  const Checkpoint loaded = load_checkpoint(path);
  EXPECT_EQ(loaded.topology, checkpoint.topology);
  EXPECT_EQ(loaded.parameters, checkpoint.parameters);
  EXPECT_EQ(loaded.state.progress.stage, 2);
  EXPECT_EQ(loaded.state.progress.epoch, 4);
  EXPECT_EQ(loaded.state.progress.step, 77);
  EXPECT_TRUE(loaded.state.progress.finished);
  EXPECT_EQ(loaded.seed, checkpoint.seed);
  EXPECT_EQ(loaded.config, checkpoint.config);
  ASSERT_EQ(loaded.slots.size(), 2u);
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(loaded.slots[i].name, checkpoint.slots[i].name);
    EXPECT_EQ(loaded.slots[i].values, checkpoint.slots[i].values);
  }
  EXPECT_EQ(loaded.state.progress.step_in_epoch, 7);
  EXPECT_EQ(loaded.state.epoch_sums.loss, 1.0 / 3);
  EXPECT_EQ(loaded.state.epoch_sums.errors, 4);
  EXPECT_EQ(loaded.state.epoch_sums.samples, 70);
  EXPECT_EQ(loaded.state.best->figure, 5);
  EXPECT_EQ(loaded.state.best->reached, 2);
  EXPECT_EQ(loaded.state.best->epoch, 3);
  EXPECT_EQ(loaded.state.best->step, 60);
  EXPECT_EQ(loaded.state.divergences, 1);
  EXPECT_EQ(loaded.state.start_loss, 2.5);
  EXPECT_EQ(loaded.history, checkpoint.history);
  EXPECT_EQ(loaded.dataset, "tiny");
}

TEST_F(CheckpointFile, IsOnTheDiskBeforeItGetsItsNameAndItsNameOnceItIsSaved) {
  saved_file = path;
  synced.clear();
  save();
  EXPECT_EQ(synced, (std::vector<std::string>{"file before", "folder after"}));
}

TEST_F(CheckpointFile, WeightsAreStoredAsInputsTimesOutputs) {
  save();
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
  auto file = Hdf5File::create_image(image, path, kSealBytes);
  file.write_string("/", "format", "sae-checkpoint");
  file.write_integer("/", "version", 3);
  file.close();
  write_sealed();
  expect_error<DataError>([&] { load_checkpoint(path); }, {"version 3", path.string()});
}

TEST_F(CheckpointFile, OfAnActivationThatIsNotKnownIsRefusedByName) {
  auto file = Hdf5File::create_image(image, path, kSealBytes);
  for (const auto& [name, text] : {std::pair{"format", "sae-checkpoint"},
                                   {"stage", "finetune"},
                                   {"config", ""},
                                   {"dataset", ""},
                                   {"optimizer_slots", ""}}) {
    file.write_string("/", name, text);
  }
  file.write_integer("/", "version", 2);
  file.write_integer("/", "seed", 1);
  const std::vector<float> zeros(6);
  file.write<float>("/model/hidden1/weights", {3, 2}, zeros);
  file.write<float>("/model/output/weights", {2, 3}, zeros);
  file.write_string("/model", "activation", "sine");
  file.close();
  write_sealed();
  expect_error<DataError>([&] { load_checkpoint(path); }, {"activation 'sine'", path.string()});
}

TEST_F(CheckpointFile, ThatIsAnotherFileIsRefused) {
  auto file = Hdf5File::create(path);
  file.write_string("/", "format", "sae-dataset");
  file.close();
  EXPECT_THROW(load_checkpoint(path), DataError);
  auto sealed = Hdf5File::create_image(image, path, kSealBytes);
  sealed.write_string("/", "format", "sae-dataset");
  sealed.close();
  write_sealed();
  EXPECT_THROW(load_checkpoint(path), DataError);
}

TEST_F(CheckpointFile, WithWeightsThatAreNotFiniteIsNeitherSavedNorLoaded) {
  checkpoint.parameters(3) = std::numeric_limits<float>::quiet_NaN();
  EXPECT_THROW(save(), OutputError);
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
  compose_checkpoint(path, checkpoint, image);
  write_sealed();
  EXPECT_THROW(load_checkpoint(path), DataError);
}

TEST_F(CheckpointFile, DamagedInAnyByteIsRefused) {
  save();
  const std::string good = contents(path);
  const auto refused = [&](const std::string& contents) {
    std::ofstream(path, std::ios::binary) << contents;
    EXPECT_THROW(load_checkpoint(path), DataError);
  };
  std::mt19937 random(1);
  for (int i = 0; i < 200; ++i) {
    std::string bad = good;
    bad[random() % bad.size()] ^= static_cast<char>(1U << (random() % 8));
    refused(bad);
  }
  for (int i = 0; i < 50; ++i) refused(good.substr(0, random() % good.size()));
  refused("");
  refused(good + "x");
}

TEST_F(CheckpointFile, OfOneFeatureAndActivationsThatDifferComesBackAsItWas) {
  checkpoint.topology = {
      .inputs = 1, .hidden = {{5, Activation::kGelu}, {4, Activation::kTanh}}, .classes = 3};
  initialize_parameters(ParameterLayout(checkpoint.topology), 3, checkpoint.parameters);
  checkpoint.slots.clear();
  checkpoint.data.scaling = {.kind = ScalingKind::kRankGauss,
                             .values = Matrix<float>::Random(3, 1),
                             .normal = Matrix<float>::Random(3, 1)};
  save();
  const Checkpoint found = load_checkpoint(path);
  EXPECT_EQ(found.topology, checkpoint.topology);
  EXPECT_EQ(found.data.scaling.values, checkpoint.data.scaling.values);
  EXPECT_EQ(found.data.scaling.normal, checkpoint.data.scaling.normal);
}

TEST_F(CheckpointFile, IsTheSameFromAnImageThatHeldAnother) {
  save();
  const std::string first = contents(path);
  checkpoint.history.assign(100'000, 'x');
  checkpoint.topology = {.inputs = 700, .hidden = {300}, .classes = 3};
  initialize_parameters(ParameterLayout(checkpoint.topology), 3, checkpoint.parameters);
  checkpoint.slots.clear();
  save();
  EXPECT_EQ(load_checkpoint(path).parameters, checkpoint.parameters);
  FileImage other;
  save_checkpoint(folder.path() / "other.h5", checkpoint, other);
  EXPECT_EQ(contents(path), contents(folder.path() / "other.h5"));
  EXPECT_NE(contents(path), first);
}

TEST_F(CheckpointFile, ThatReadsBackOtherwiseIsAnOutputError) {
  save();
  EXPECT_NO_THROW(check_written(path, image));
  image.bytes()[static_cast<std::size_t>(kSealBytes) + 100] ^= std::byte{1};
  seal_image(image);
  EXPECT_THROW(check_written(path, image), OutputError);
}

TEST_F(CheckpointFile, IntoAFolderThatIsNotThereIsAnOutputError) {
  EXPECT_THROW(save_checkpoint(folder.path() / "none" / "model.h5", checkpoint, image),
               OutputError);
}

TEST_F(CheckpointFile, OneThatFailsForLackOfMemoryDoesNotHarmTheNext) {
  checkpoint.topology = {.inputs = 700, .hidden = {600}, .classes = 3};  // Over 1 MB.
  initialize_parameters(ParameterLayout(checkpoint.topology), 3, checkpoint.parameters);
  checkpoint.slots.clear();
  memory_is_short = true;
  EXPECT_THROW(save(), OutputError);
  memory_is_short = false;
  EXPECT_FALSE(std::filesystem::exists(path));
  save();
  EXPECT_EQ(load_checkpoint(path).parameters, checkpoint.parameters);
}

}  // namespace
}  // namespace sae
