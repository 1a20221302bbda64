#pragma once

#include <string>

#include "sae/comm/communicator.hpp"
#include "sae/comm/heartbeat.hpp"
#include "sae/data/shard.hpp"
#include "sae/train/stage.hpp"

namespace sae {

// The codes of finished layers are constant while the next layer is pretrained. Each rank can
// compute those of its shard once and exchange codes instead of pixels, at the cost of memory and
// longer messages.

/// Whether pretraining stages cache codes.
struct CodeCaching {
  bool used = false;
  std::string description;  ///< With the reason, for the start table.

  /// Number of hidden layers whose codes a stage caches; 0: the stage reads pixels.
  Index layers_kept(const Stage& stage) const {
    return used && !stage.finetunes ? Index{stage.index} : 0;
  }
};

/// Bytes of the codes of so many samples, in the stage with the largest codes.
double bytes_of_codes(const Configuration& configuration, Index samples);

/// Decides whether to cache codes. kAuto follows the resumed run, so that it keeps its bits. In a
/// new run (`resumed` is null) kAuto means: cache if all ranks are on one host and the codes of all
/// samples take at most a quarter of its available memory.
/// Collective: the same result on all ranks.
CodeCaching decide_code_caching(const Configuration& configuration, Index training_samples,
                                const Configuration* resumed, Communicator& comm);

/// Encodes a shard through the first `layers` hidden layers. Returns a shard of codes for the same
/// samples, in bfloat16 if products are, else float32. Computes fixed blocks, so equal shards give
/// equal bits. Each block beats `heartbeat`, which may be null. Local.
Shard encode_shard(const ParameterLayout& layout, Index layers,
                   const ParametersRef<float>& parameters, Precision precision, const Shard& shard,
                   Heartbeat* heartbeat);

}  // namespace sae
