#include "sae/core/partition.hpp"

#include <algorithm>
#include <cassert>

namespace sae {

Range part_of_range(Range whole, Index index, Index count) {
  assert(0 <= index && index < count);
  return {whole.begin + whole.size() * index / count,
          whole.begin + whole.size() * (index + 1) / count};
}

Range part_in_blocks(Range whole, Index block, Index index, Index count) {
  const Range part = part_of_range({0, (whole.size() + block - 1) / block}, index, count);
  return {std::min(whole.begin + part.begin * block, whole.end),
          std::min(whole.begin + part.end * block, whole.end)};
}

Index part_that_holds(Range whole, Index element, Index count) {
  assert(whole.contains(element));
  // The largest p with size * p / count <= offset, solved for p.
  return ((element - whole.begin + 1) * count - 1) / whole.size();
}

}  // namespace sae
