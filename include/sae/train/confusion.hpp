#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "sae/comm/communicator.hpp"

namespace sae {

/// Most classes for which the whole matrix is shown; beyond that the most frequent pairs are.
inline constexpr Index kReadableClasses = 20;

/// Confusion matrix: how often each label got each prediction. Stores only pairs that occur,
/// because there may be tens of thousands of classes.
class Confusion {
 public:
  struct Cell {
    std::int32_t label = 0;
    std::int32_t predicted = 0;
    Index count = 0;
    bool operator==(const Cell&) const = default;
  };

  Confusion() = default;
  /// Adds the counts of equal pairs.
  Confusion(Index classes, std::vector<Cell> cells);

  Index classes() const { return classes_; }
  bool empty() const { return cells_.empty(); }
  /// Sorted by label, then by prediction; no count is 0.
  const std::vector<Cell>& cells() const { return cells_; }
  Index count(Index label, Index predicted) const;

  /// The most frequent errors, at most `most`; on a tie the first cell.
  std::vector<Cell> worst(std::size_t most) const;

  /// Returns the sum over ranks on rank 0, a copy of this elsewhere. Collective.
  Confusion gather(Communicator& comm) const;

  bool operator==(const Confusion&) const = default;

 private:
  Index classes_ = 0;
  std::vector<Cell> cells_;
};

}  // namespace sae
