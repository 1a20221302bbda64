// classify_image MODEL DATASET SAMPLE: the class of an image of the test split and its probability.
#include <iostream>
#include <span>
#include <string>
#include <vector>

#include "sae/core/error.hpp"
#include "sae/data/dataset_file.hpp"
#include "sae/data/shard.hpp"
#include "sae/model/stacked_autoencoder.hpp"
#include "sae/run/checkpoint.hpp"

int main(int argc, char** argv) {
  if (argc != 4) {
    std::cerr << "usage: classify_image MODEL DATASET SAMPLE\n";
    return static_cast<int>(sae::ExitCode::kUsage);
  }
  try {
    const sae::Checkpoint model = sae::load_checkpoint(argv[1]);
    const sae::DatasetFile dataset(argv[2]);
    const sae::Index sample = std::stoll(argv[3]);
    const sae::RecordFormat format{dataset.info().features, dataset.info().pixel_type};
    if (format.features != model.topology.inputs) throw sae::DataError("The sizes differ.");

    std::vector<std::byte> record(format.bytes());
    dataset.read_images(sae::Split::kTest, {sample, sample + 1},
                        std::span(record).first(format.pixel_bytes()));
    sae::Matrix<float> image(format.features, 1);  // One sample per column.
    sae::decode_pixels(format, record, {image.data(), static_cast<std::size_t>(image.size())});

    const sae::ParameterLayout layout(model.topology);
    const sae::Matrix<float> logits = sae::classify<float>(layout, model.parameters, image);
    sae::Index label = 0;
    const float largest = logits.col(0).maxCoeff(&label);
    std::cout << label << ' ' << 1 / (logits.array() - largest).exp().sum() << '\n';
  } catch (const sae::Error& error) {
    std::cerr << error.what() << '\n';
    return static_cast<int>(error.code());
  }
}
