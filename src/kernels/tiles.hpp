#pragma once

#if defined(__x86_64__) && defined(__GNUC__)
#include <immintrin.h>

#include <array>
#include <cstdint>

#define SAE_HAS_TILES
/// Of functions that use tiles, whatever the processor that the program is built for.
#define SAE_TILES [[gnu::target("avx512f,avx512bw,avx512vl,avx512dq,avx512bf16,amx-tile,amx-bf16")]]

namespace sae {

/// The palette, the bytes of a row and the rows of each of the eight tiles.
struct alignas(64) TileConfiguration {
  std::uint8_t palette = 1;
  std::uint8_t start_row = 0;
  std::array<std::uint8_t, 14> reserved = {};
  std::array<std::uint16_t, 16> row_bytes = {64, 64, 64, 64, 64, 64, 64, 64};
  std::array<std::uint8_t, 16> rows = {16, 16, 16, 16, 16, 16, 16, 16};
};

/// Before the first tile of a thread. Requires: may_use_tiles().
SAE_TILES inline void begin_tiles() {
  const TileConfiguration configuration;
  asm volatile("" : : "m"(configuration));  // GCC takes only its first bytes for read.
  _tile_loadconfig(&configuration);
}

/// After the last one.
SAE_TILES inline void end_tiles() { _tile_release(); }

}  // namespace sae

#endif
