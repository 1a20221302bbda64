#pragma once

#include <string>

#include "sae/comm/communicator.hpp"
#include "sae/comm/heartbeat.hpp"
#include "sae/data/shard.hpp"
#include "sae/train/stage.hpp"

namespace sae {

// The codes of finished layers do not change while the next one is pretrained: each rank can
// compute those of its shard once and give them away instead of pixels, for memory and longer
// messages.

/// Whether codes are kept in the stages of a run.
struct CodeCaching {
  bool used = false;
  std::string description;  ///< For the start table, with the reason.

  /// The hidden layers whose codes are kept in a stage; 0: pixels are used.
  Index layers_kept(const Stage& stage) const {
    return used && !stage.supervised ? Index{stage.index} : 0;
  }
};

/// Bytes of the codes of so many samples in the stage that has the largest.
double bytes_of_codes(const Configuration& configuration, Index samples);

/// As the configuration asks. Where that is kAuto: as the run that is resumed began, so that it
/// goes on with the same bits. In a new run, where `begun` is null, codes are kept if all ranks are
/// on one host and the codes of all samples take at most a quarter of the memory that is available
/// there. Collective: the same on all ranks.
CodeCaching decide_code_caching(const Configuration& configuration, Index training_samples,
                                const Configuration* begun, Communicator& comm);

/// The codes of the first `layers` hidden layers for the samples of a shard, as a shard of the same
/// samples: bfloat16 where that is the precision of products, else float32. Computed in fixed
/// blocks, so that the same shard gives the same bits. Each block is progress for `heartbeat`,
/// which may be null. Local.
Shard encode_shard(const ParameterLayout& layout, Index layers,
                   const ParametersRef<float>& parameters, Precision precision, const Shard& shard,
                   Heartbeat* heartbeat);

}  // namespace sae
