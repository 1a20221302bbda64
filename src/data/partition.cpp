#include "sae/data/partition.hpp"

#include <cassert>

namespace sae {

Range part_of_range(Range whole, Index index, Index count) {
  assert(0 <= index && index < count);
  return {whole.begin + whole.size() * index / count,
          whole.begin + whole.size() * (index + 1) / count};
}

Index part_that_holds(Range whole, Index element, Index count) {
  assert(whole.contains(element));
  // The largest p with size * p / count <= offset, solved for p.
  return ((element - whole.begin + 1) * count - 1) / whole.size();
}

}  // namespace sae
