#pragma once

#include <string>
#include <vector>

#include "run_record.hpp"
#include "sae/monitor/model_pictures.hpp"

namespace sae {

struct ReportPictures {
  std::vector<ReportPicture> filters = {};
  std::vector<ReportPicture> reconstructions = {};
  std::vector<ReportPicture> distorted = {};  ///< One, where images are distorted.
  std::vector<ReportPicture> hardest = {};    ///< One for each of the hardest samples, or none.
  std::string missing = {};                   ///< Why there are none, a sentence.
};

/// Filters of all layers that have been trained, or are, and their reconstructions: those that the
/// record holds of the end of a layer's pretraining, else as the model makes them.
/// Requires: the pictures can show samples.
ReportPictures report_pictures(ModelPictures& pictures, const RunRecord& record);

/// Samples, corrupted as in the pretraining of a layer, and reconstructed.
ReportPicture reconstruction_picture(ModelPictures& pictures, Index layer);

/// One for each of the model's hardest samples, if these come with their pixels.
std::vector<ReportPicture> hardest_pictures(const ModelResult& model, const PictureShape& shape);

}  // namespace sae
