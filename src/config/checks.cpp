#include "checks.hpp"

#include <fmt/format.h>

#include "sae/config/values.hpp"

namespace sae {

void check_together(const Configuration& c) {
  require(!c.initial_scale || *c.initial_scale > 0,
          "--initial-scale must be greater than 0: units that start equal stay equal.");
  require(c.cache_codes != CacheCodes::kOn || c.corruption_at != CorruptionAt::kImage,
          "--cache-codes on does not work with --corruption-at image, whose codes change with "
          "every update.");
  require(c.cache_codes != CacheCodes::kOn || !c.distortion.is_used(),
          "--cache-codes on does not work with distorted images, whose codes change with every "
          "update.");
  require(c.early_stop == 0 || c.validation_size != Index{0},
          "--early-stop needs a validation set: --validation-size is 0.");
  const bool classifies = uses_labels(c) || c.finetune == Finetune::kAuto;
  require(uses_labels(c) || c.normalization == Normalization::kNone,
          fmt::format("--normalization {} needs --finetune classify or joint.",
                      name_of(c.normalization, normalization_kinds())));
  require(c.finetune == Finetune::kJoint || !c.lateral, "--lateral needs --finetune joint.");
  require(c.finetune == Finetune::kJoint || c.decoder == Decoder::kTied,
          "--decoder free needs --finetune joint.");
  require(c.finetune != Finetune::kJoint || c.reconstruction_weight > 0,
          "--finetune joint needs a --reconstruction-weight above 0; with 0 use --finetune "
          "classify.");
  require(classifies || (c.finetune_corruption == 0 && c.label_smoothing == 0 && c.dropout == 0),
          "--finetune-corruption, --dropout and --label-smoothing need --finetune classify or "
          "joint.");
  require(c.finetune_noise == NoiseKind::kGaussian || c.finetune_corruption < 1,
          "--finetune-corruption is in [0, 1) for all noise but gaussian.");
  require(c.finetune == Finetune::kJoint || c.labelled_batch.value_or(0) == 0,
          "--labelled-batch needs --finetune joint.");
  require(c.finetune != Finetune::kJoint || c.labelled == 0 || c.labelled_batch != Index{0},
          "--finetune joint with --labelled needs a --labelled-batch above 0.");
  const bool local = c.averaging == Averaging::kLocal;
  const Configuration usual;
  const bool speaks_of_groups = c.local_groups || c.local_steps != usual.local_steps ||
                                c.outer_learning_rate != usual.outer_learning_rate ||
                                c.outer_momentum != usual.outer_momentum;
  require(local || !speaks_of_groups,
          "--local-steps, --local-groups, --outer-rate and --outer-momentum need "
          "--averaging local.");
  if (!c.reproducible) return;
  require(!local, "--reproducible does not work with --averaging local, which depends on groups.");
  require(c.normalization != Normalization::kBatch && c.labelled_batch.value_or(0) == 0,
          "--reproducible splits minibatches; --normalization batch and --labelled-batch need "
          "them whole.");
  require(c.gradient_precision != Precision::kBfloat16,
          "--reproducible adds up gradients in float32, not bfloat16.");
  require(c.averaging != Averaging::kNode,
          "--reproducible does not work with --averaging node, which sums in another order.");
  require(c.cache_codes != CacheCodes::kOn,
          "--reproducible does not work with --cache-codes on, which computes codes in blocks.");
}

}  // namespace sae
