#include "sae/core/random.hpp"

#include <Random123/philox.h>

namespace sae {

std::array<std::uint32_t, 4> random_words(const RandomKey& key, std::uint32_t block) {
  const auto purpose = static_cast<std::uint32_t>(key.purpose);
  const philox4x32_ctr_t counter = {
      {block, key.sample, key.epoch, (purpose << 16) | (key.stage & 0xffffU)}};
  const philox4x32_key_t philox_key = {
      {static_cast<std::uint32_t>(key.seed), static_cast<std::uint32_t>(key.seed >> 32)}};
  const philox4x32_ctr_t words = philox4x32(counter, philox_key);
  return {words.v[0], words.v[1], words.v[2], words.v[3]};
}

}  // namespace sae
