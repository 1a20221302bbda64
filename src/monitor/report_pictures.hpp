#pragma once

#include <span>
#include <string>
#include <vector>

#include "report_page.hpp"
#include "sae/data/minibatch.hpp"
#include "sae/monitor/pictures.hpp"

namespace sae {

/// The model of a run at some time.
struct ModelState {
  const ParameterLayout& layout;
  std::span<const float> parameters;
  std::string stage;  ///< That trains, or has trained last.
  Index epoch = 0;    ///< Of it.
  Index layer = 0;    ///< That it pretrains, counted from 0; the number of layers in fine-tuning.
};

/// The hidden layer, counted from 0, that a stage pretrains; their number for fine-tuning.
Index layer_of(const RunRecord& record, const std::string& stage, Index hidden_layers);

/// Of each layer that has been trained, or is.
std::vector<ReportPicture> filter_pictures(const ModelState& model, const PictureShape& shape);

/// Samples, corrupted as in the pretraining of a layer, and rebuilt.
ReportPicture reconstruction_picture(const ModelState& model, const DenoisingSettings& settings,
                                     const Minibatch<float>& samples, const PictureShape& shape);

/// Filters of all layers, and reconstructions: those that the record holds of the end of a layer's
/// pretraining, else as the model makes them. `samples` may be empty: none are made then.
ReportPictures model_pictures(const RunRecord& record, const ModelState& model,
                              const Minibatch<float>& samples, const PictureShape& shape);

/// One for each of the model's hardest samples, if these come with their pixels.
std::vector<ReportPicture> hardest_pictures(const ModelResult& model, const PictureShape& shape);

}  // namespace sae
