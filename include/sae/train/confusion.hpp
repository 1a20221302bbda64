#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "sae/comm/communicator.hpp"

namespace sae {

/// Classes of which people can read a whole matrix; of more, pairs are shown.
inline constexpr Index kReadableClasses = 20;

/// How often samples of each label got each prediction. Only pairs that occur take memory: there
/// may be tens of thousands of classes.
class Confusion {
 public:
  struct Cell {
    std::int32_t label = 0;
    std::int32_t predicted = 0;
    Index count = 0;
    bool operator==(const Cell&) const = default;
  };

  Confusion() = default;
  /// The counts of equal pairs are added.
  Confusion(Index classes, std::vector<Cell> cells);

  Index classes() const { return classes_; }
  bool empty() const { return cells_.empty(); }
  /// By label, then by prediction; no count is 0.
  const std::vector<Cell>& cells() const { return cells_; }
  Index count(Index label, Index predicted) const;

  /// The most frequent errors, at most so many; of equals the first.
  std::vector<Cell> worst(std::size_t most) const;

  /// Those of all ranks together on rank 0, the own ones elsewhere. Collective.
  Confusion gather(Communicator& comm) const;

  bool operator==(const Confusion&) const = default;

 private:
  Index classes_ = 0;
  std::vector<Cell> cells_;
};

}  // namespace sae
