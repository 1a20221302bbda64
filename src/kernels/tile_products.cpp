#include "tile_products.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <stdexcept>

#include "sae/kernels/bfloat16.hpp"
#include "sae/kernels/instructions.hpp"
#include "tiles.hpp"

namespace sae {

bool by_tiles() {
  static const bool usable = may_use_tiles();
  return usable;
}

#ifdef SAE_HAS_TILES
namespace {

constexpr Index kTileRows = 16;   // Of a tile; of a tile of results also the columns.
constexpr Index kTileDepth = 32;  // Elements of a row of a tile, over which a product sums.

struct alignas(64) Tile {
  std::array<std::uint16_t, kTileRows * kTileDepth> elements;
};
struct alignas(64) ResultTile {
  std::array<float, kTileRows * kTileRows> elements;
};
struct Rows {
  __m512i at[kTileRows];

  __m512i& operator[](std::size_t row) { return at[row]; }
};

Index tiles_over(Index size, Index tile) { return (size + tile - 1) / tile; }

/// A column-major matrix.
struct Operand {
  const std::uint16_t* elements;
  Index rows, cols, stride;
};

Operand operand(const ConstMatrixRef<bfloat16>& matrix) {
  return {bits_of(matrix.data()), matrix.rows(), matrix.cols(), matrix.outerStride()};
}

/// The first `count` bits, all if there are fewer.
std::uint32_t first_bits(Index count) {
  if (count >= 32) return ~std::uint32_t{0};
  return count <= 0 ? 0 : (std::uint32_t{1} << count) - 1;
}

/// 16 columns, 32 elements of each; 0 outside of the matrix.
SAE_TILES inline void load_columns(const Operand& from, Index row, Index col, Rows& to) {
  const __mmask32 inside = first_bits(from.rows - row);
  for (Index i = 0; i < kTileRows; ++i) {
    to[static_cast<std::size_t>(i)] =
        col + i < from.cols
            ? _mm512_maskz_loadu_epi16(inside, from.elements + (col + i) * from.stride + row)
            : _mm512_setzero_si512();
  }
}

/// 16 elements of a column, 32 bits for each; 0 outside of the matrix.
SAE_TILES inline __m512i widened_column(const Operand& from, Index row, Index col) {
  if (col >= from.cols) return _mm512_setzero_si512();
  const auto inside = static_cast<__mmask16>(first_bits(from.rows - row));
  return _mm512_cvtepu16_epi32(
      _mm256_maskz_loadu_epi16(inside, from.elements + col * from.stride + row));
}

/// 16 pairs of columns, 16 elements of each, those of a pair side by side.
SAE_TILES inline void load_pairs(const Operand& from, Index row, Index col, Rows& to) {
  for (Index i = 0; i < kTileRows; ++i) {
    const __m512i second = widened_column(from, row, col + 2 * i + 1);
    to[static_cast<std::size_t>(i)] =
        _mm512_or_si512(widened_column(from, row, col + 2 * i), _mm512_slli_epi32(second, 16));
  }
}

/// Of 16 rows of 16 elements of 32 bits.
SAE_TILES inline void transpose(Rows& rows) {
  Rows step;
  for (std::size_t i = 0; i < 16; i += 2) {
    step[i] = _mm512_unpacklo_epi32(rows[i], rows[i + 1]);
    step[i + 1] = _mm512_unpackhi_epi32(rows[i], rows[i + 1]);
  }
  for (std::size_t i = 0; i < 16; i += 4) {
    rows[i] = _mm512_unpacklo_epi64(step[i], step[i + 2]);
    rows[i + 1] = _mm512_unpackhi_epi64(step[i], step[i + 2]);
    rows[i + 2] = _mm512_unpacklo_epi64(step[i + 1], step[i + 3]);
    rows[i + 3] = _mm512_unpackhi_epi64(step[i + 1], step[i + 3]);
  }
  // Now row 4 i + j holds, in quarter q, elements 4 q + j of rows 4 i to 4 i + 3.
  for (std::size_t j = 0; j < 4; ++j) {
    step[j] = _mm512_shuffle_i32x4(rows[j], rows[4 + j], 0x88);
    step[4 + j] = _mm512_shuffle_i32x4(rows[j], rows[4 + j], 0xdd);
    step[8 + j] = _mm512_shuffle_i32x4(rows[8 + j], rows[12 + j], 0x88);
    step[12 + j] = _mm512_shuffle_i32x4(rows[8 + j], rows[12 + j], 0xdd);
  }
  for (std::size_t j = 0; j < 4; ++j) {
    rows[j] = _mm512_shuffle_i32x4(step[j], step[8 + j], 0x88);
    rows[4 + j] = _mm512_shuffle_i32x4(step[4 + j], step[12 + j], 0x88);
    rows[8 + j] = _mm512_shuffle_i32x4(step[j], step[8 + j], 0xdd);
    rows[12 + j] = _mm512_shuffle_i32x4(step[4 + j], step[12 + j], 0xdd);
  }
}

/// Which way a matrix lies in memory: along the sums of a product, or across them.
enum class Lies { kAlong, kAcross };
/// Tiles of the left operand have its rows, of the right one pairs of its rows side by side.
enum class Side { kLeft, kRight };

/// Two tiles of the right operand, which lies across, at once: a line of memory holds elements of
/// both. The first gets elements 0 to 3, 8 to 11, 16 to 19 and 24 to 27 of 32, the second the
/// others, as unpacking has it.
SAE_TILES inline void pack_two(const Operand& from, Index row, Index depth, Tile& first,
                               Tile& second) {
  const __mmask32 inside = first_bits(from.rows - row);
  for (Index i = 0; i < kTileRows; ++i) {
    const Index col = depth * kTileDepth + 2 * i;
    const std::uint16_t* const at = from.elements + col * from.stride + row;
    const __m512i even =
        col < from.cols ? _mm512_maskz_loadu_epi16(inside, at) : _mm512_setzero_si512();
    const __m512i odd = col + 1 < from.cols ? _mm512_maskz_loadu_epi16(inside, at + from.stride)
                                            : _mm512_setzero_si512();
    const auto line = static_cast<std::size_t>(i * kTileDepth);
    _mm512_store_si512(first.elements.data() + line, _mm512_unpacklo_epi16(even, odd));
    _mm512_store_si512(second.elements.data() + line, _mm512_unpackhi_epi16(even, odd));
  }
}

/// Tile `at` of the rows of results, tile `depth` of the sums.
template <Lies Lie, Side At>
SAE_TILES inline void pack(const Operand& from, Index at, Index depth, Tile& to) {
  Rows rows;
  if constexpr (Lie == Lies::kAlong) {
    load_columns(from, depth * kTileDepth, at * kTileRows, rows);
  } else {
    load_pairs(from, at * kTileRows, depth * kTileDepth, rows);
  }
  if constexpr ((Lie == Lies::kAlong) != (At == Side::kLeft)) transpose(rows);
  for (std::size_t i = 0; i < kTileRows; ++i) {
    _mm512_store_si512(to.elements.data() + i * kTileDepth, rows[i]);
  }
}

/// Sums of two tiles on the left by two on the right: [0] and [1] are of the first on the left.
using Block = std::array<ResultTile, 4>;

/// Multiplies two tiles on either side, or the first alone, `depth` times; the second ones lie
/// `left_step` and `right_step` tiles after the first. Goes on with the sums unless it is the
/// first. The whole passes the first cache by, where the panel stays.
template <Side WholeIs, bool TwoLeft, bool TwoRight>
SAE_TILES inline void multiply_block(const Tile* left, Index left_step, const Tile* right,
                                     Index right_step, Index depth, bool is_first, Block& sums) {
  // The compiler does not know what the instructions of tiles read and write.
  asm volatile("" : : : "memory");
  if (is_first) {
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
  } else {
    _tile_loadd(0, sums[0].elements.data(), 64);
    if constexpr (TwoRight) _tile_loadd(1, sums[1].elements.data(), 64);
    if constexpr (TwoLeft) _tile_loadd(2, sums[2].elements.data(), 64);
    if constexpr (TwoLeft && TwoRight) _tile_loadd(3, sums[3].elements.data(), 64);
  }
  for (Index k = 0; k < depth; ++k) {
    if constexpr (WholeIs == Side::kLeft) {
      _tile_stream_loadd(4, left + k, 64);
      if constexpr (TwoLeft) _tile_stream_loadd(5, left + left_step + k, 64);
      _tile_loadd(6, right + k, 64);
      if constexpr (TwoRight) _tile_loadd(7, right + right_step + k, 64);
    } else {
      _tile_loadd(4, left + k, 64);
      if constexpr (TwoLeft) _tile_loadd(5, left + left_step + k, 64);
      _tile_stream_loadd(6, right + k, 64);
      if constexpr (TwoRight) _tile_stream_loadd(7, right + right_step + k, 64);
    }
    _tile_dpbf16ps(0, 4, 6);
    if constexpr (TwoRight) _tile_dpbf16ps(1, 4, 7);
    if constexpr (TwoLeft) _tile_dpbf16ps(2, 5, 6);
    if constexpr (TwoLeft && TwoRight) _tile_dpbf16ps(3, 5, 7);
  }
  _tile_stored(0, sums[0].elements.data(), 64);
  if constexpr (TwoRight) _tile_stored(1, sums[1].elements.data(), 64);
  if constexpr (TwoLeft) _tile_stored(2, sums[2].elements.data(), 64);
  if constexpr (TwoLeft && TwoRight) _tile_stored(3, sums[3].elements.data(), 64);
  asm volatile("" : : : "memory");
}

SAE_TILES inline void transpose(ResultTile& tile) {
  Rows rows;
  for (std::size_t i = 0; i < kTileRows; ++i) {
    rows[i] = _mm512_load_si512(tile.elements.data() + i * kTileRows);
  }
  transpose(rows);
  for (std::size_t i = 0; i < kTileRows; ++i) {
    _mm512_store_si512(tile.elements.data() + i * kTileRows, rows[i]);
  }
}

/// Writes 32 elements of each of 16 columns, at (row, col) of the result; of tiles from pack_two,
/// `Unpacked`, in their order.
template <bool Unpacked, typename R>
SAE_TILES inline void write(const ResultTile& first, const ResultTile& second, Index row, Index col,
                            MatrixRef<R>& result) {
  const std::uint32_t inside = first_bits(result.rows() - row);
  const Index columns = std::min(kTileRows, result.cols() - col);
  for (Index i = 0; i < columns; ++i) {
    __m512 low = _mm512_load_ps(first.elements.data() + i * kTileRows);
    __m512 high = _mm512_load_ps(second.elements.data() + i * kTileRows);
    R* const to = result.data() + (col + i) * result.outerStride() + row;
    if constexpr (std::is_same_v<R, float>) {
      if constexpr (Unpacked) {
        const __m512i lower = _mm512_setr_epi64(0, 1, 8, 9, 2, 3, 10, 11);
        const __m512i upper = _mm512_setr_epi64(4, 5, 12, 13, 6, 7, 14, 15);
        const __m512d pairs = _mm512_castps_pd(low);
        low = _mm512_castpd_ps(_mm512_permutex2var_pd(pairs, lower, _mm512_castps_pd(high)));
        high = _mm512_castpd_ps(_mm512_permutex2var_pd(pairs, upper, _mm512_castps_pd(high)));
      }
      _mm512_mask_storeu_ps(to, static_cast<__mmask16>(inside), low);
      _mm512_mask_storeu_ps(to + kTileRows, static_cast<__mmask16>(inside >> kTileRows), high);
    } else {
      auto rounded = reinterpret_cast<__m512i>(_mm512_cvtne2ps_pbh(high, low));
      if constexpr (Unpacked) {
        rounded = _mm512_permutexvar_epi64(_mm512_setr_epi64(0, 4, 1, 5, 2, 6, 3, 7), rounded);
      }
      _mm512_mask_storeu_epi16(to, inside, rounded);
    }
  }
}

/// At least so many; kept for the next product.
Tile* memory_for(Vector<float>& memory, Index tiles) {
  const Index size = tiles * static_cast<Index>(sizeof(Tile) / sizeof(float));
  if (memory.size() < size) memory.resize(size);
  return reinterpret_cast<Tile*>(memory.data());
}

/// Products are computed one at a time.
Vector<float>& whole_memory() {
  static Vector<float> memory;
  return memory;
}

/// Packs `count` tiles of the rows of results from `at` on, each of `depth` tiles, the second
/// `step` after the first.
template <Lies Lie, Side At>
SAE_TILES inline void pack_panel(const Operand& from, Index at, Index count, Range depth,
                                 Index step, Tile* to) {
  for (Index k = 0; k < depth.size(); ++k) {
    if constexpr (Lie == Lies::kAcross && At == Side::kRight) {
      pack_two(from, at * kTileRows, depth.begin + k, to[k], to[step + k]);
    } else {
      pack<Lie, At>(from, at, depth.begin + k, to[k]);
      if (count > 1) pack<Lie, At>(from, at + 1, depth.begin + k, to[step + k]);
    }
  }
}

/// The product of a left and a right operand, which sums over `depth`. One, the whole, is packed
/// first; of the other, each thread packs panels of 32 rows or columns, in parts that stay in the
/// first cache while the whole is multiplied by them. The results lie along the right operand in
/// memory or, `Turned`, along the left one.
template <Side PanelIs, Lies PanelLies, Lies WholeLies, bool Turned, typename R>
SAE_TILES void multiply_tiles(const Operand& panels, const Operand& whole, Index depth,
                              MatrixRef<R> result) {
  constexpr bool kPanelIsLeft = PanelIs == Side::kLeft;
  constexpr Side kWholeIs = kPanelIsLeft ? Side::kRight : Side::kLeft;
  constexpr bool kUnpacked =
      (kPanelIsLeft && WholeLies == Lies::kAcross) || (!kPanelIsLeft && PanelLies == Lies::kAcross);
  constexpr bool kPanelsAreRows = kPanelIsLeft == Turned;
  constexpr Index kPartInCache = 13;
  const Index depth_tiles = tiles_over(depth, kTileDepth);
  const Index parts = tiles_over(depth_tiles, kPartInCache);
  const Index panel_tiles = tiles_over(kPanelsAreRows ? result.rows() : result.cols(), kTileRows);
  const Index whole_tiles = tiles_over(kPanelsAreRows ? result.cols() : result.rows(), kTileRows);
  const Index whole_pairs = tiles_over(whole_tiles, 2);
  Tile* const whole_packed = memory_for(whole_memory(), 2 * whole_pairs * depth_tiles);
#pragma omp parallel
  {
    thread_local Vector<float> memory;
    Tile* const panel = memory_for(memory, 2 * kPartInCache + 4 * whole_pairs);
    Block* const sums = reinterpret_cast<Block*>(panel + 2 * kPartInCache);
    begin_tiles();
#pragma omp for schedule(static)
    for (Index pair = 0; pair < whole_pairs; ++pair) {
      pack_panel<WholeLies, kWholeIs>(whole, 2 * pair, whole_tiles - 2 * pair, {0, depth_tiles},
                                      depth_tiles, whole_packed + 2 * pair * depth_tiles);
    }
#pragma omp for schedule(static)
    for (Index at = 0; at < panel_tiles; at += 2) {
      const bool two_of_panel = at + 1 < panel_tiles;
      for (Index part = 0; part < parts; ++part) {
        const Range range{part * depth_tiles / parts, (part + 1) * depth_tiles / parts};
        pack_panel<PanelLies, PanelIs>(panels, at, two_of_panel ? 2 : 1, range, kPartInCache,
                                       panel);
        for (Index pair = 0; pair < whole_pairs; ++pair) {
          const bool two_of_whole = 2 * pair + 1 < whole_tiles;
          const bool two_left = kPanelIsLeft ? two_of_panel : two_of_whole;
          const bool two_right = kUnpacked || (kPanelIsLeft ? two_of_whole : two_of_panel);
          const Tile* const others = whole_packed + 2 * pair * depth_tiles + range.begin;
          const Tile* const left = kPanelIsLeft ? panel : others;
          const Tile* const right = kPanelIsLeft ? others : panel;
          const Index left_step = kPanelIsLeft ? kPartInCache : depth_tiles;
          const Index right_step = kPanelIsLeft ? depth_tiles : kPartInCache;
          const auto multiply = two_left    ? two_right ? multiply_block<kWholeIs, true, true>
                                                        : multiply_block<kWholeIs, true, false>
                                   : two_right ? multiply_block<kWholeIs, false, true>
                                            : multiply_block<kWholeIs, false, false>;
          multiply(left, left_step, right, right_step, range.size(), part == 0, sums[pair]);
        }
      }
      for (Index pair = 0; pair < whole_pairs; ++pair) {
        const Index left_at = kTileRows * (kPanelIsLeft ? at : 2 * pair);
        const Index right_at = kTileRows * (kPanelIsLeft ? 2 * pair : at);
        Block& of = sums[pair];
        if constexpr (Turned) {
          for (ResultTile& tile : of) transpose(tile);
          write<false, R>(of[0], of[2], left_at, right_at, result);
          write<false, R>(of[1], of[3], left_at, right_at + kTileRows, result);
        } else {
          write<kUnpacked, R>(of[0], of[1], right_at, left_at, result);
          write<kUnpacked, R>(of[2], of[3], right_at, left_at + kTileRows, result);
        }
      }
    }
    end_tiles();
  }
}

}  // namespace

template <typename R>
void multiply_by_tiles(const ConstMatrixRef<bfloat16>& w, const ConstMatrixRef<bfloat16>& x,
                       ResultRef<R> result) {
  multiply_tiles<Side::kRight, Lies::kAcross, Lies::kAlong, false, R>(operand(w), operand(x),
                                                                      w.cols(), result);
}

template <typename R>
void multiply_transposed_by_tiles(const ConstMatrixRef<bfloat16>& w,
                                  const ConstMatrixRef<bfloat16>& y, ResultRef<R> result) {
  multiply_tiles<Side::kLeft, Lies::kAlong, Lies::kAlong, true, R>(operand(w), operand(y), w.rows(),
                                                                   result);
}

template <typename R>
void multiply_outer_by_tiles(const ConstMatrixRef<bfloat16>& y, const ConstMatrixRef<bfloat16>& x,
                             ResultRef<R> result) {
  multiply_tiles<Side::kLeft, Lies::kAcross, Lies::kAcross, false, R>(operand(x), operand(y),
                                                                      x.cols(), result);
}

#else

template <typename R>
void multiply_by_tiles(const ConstMatrixRef<bfloat16>&, const ConstMatrixRef<bfloat16>&,
                       ResultRef<R>) {
  throw std::logic_error("no tiles");
}

template <typename R>
void multiply_transposed_by_tiles(const ConstMatrixRef<bfloat16>&, const ConstMatrixRef<bfloat16>&,
                                  ResultRef<R>) {
  throw std::logic_error("no tiles");
}

template <typename R>
void multiply_outer_by_tiles(const ConstMatrixRef<bfloat16>&, const ConstMatrixRef<bfloat16>&,
                             ResultRef<R>) {
  throw std::logic_error("no tiles");
}

#endif

#define SAE_INSTANTIATE(R)                                                                      \
  template void multiply_by_tiles<R>(const ConstMatrixRef<bfloat16>&,                           \
                                     const ConstMatrixRef<bfloat16>&, ResultRef<R>);            \
  template void multiply_transposed_by_tiles<R>(const ConstMatrixRef<bfloat16>&,                \
                                                const ConstMatrixRef<bfloat16>&, ResultRef<R>); \
  template void multiply_outer_by_tiles<R>(const ConstMatrixRef<bfloat16>&,                     \
                                           const ConstMatrixRef<bfloat16>&, ResultRef<R>);
SAE_INSTANTIATE(float)
SAE_INSTANTIATE(bfloat16)
#undef SAE_INSTANTIATE

}  // namespace sae
