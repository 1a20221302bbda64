#include "sae/train/confusion.hpp"

#include <algorithm>
#include <span>
#include <string>
#include <tuple>
#include <utility>

namespace sae {
namespace {

auto key(const Confusion::Cell& cell) { return std::pair(cell.label, cell.predicted); }

}  // namespace

Confusion::Confusion(Index classes, std::vector<Cell> cells) : classes_(classes) {
  std::ranges::sort(cells, {}, key);
  for (const Cell& cell : cells) {
    if (cell.count == 0) continue;
    if (!cells_.empty() && key(cells_.back()) == key(cell)) {
      cells_.back().count += cell.count;
    } else {
      cells_.push_back(cell);
    }
  }
}

Index Confusion::count(Index label, Index predicted) const {
  const auto wanted =
      std::pair(static_cast<std::int32_t>(label), static_cast<std::int32_t>(predicted));
  const auto found = std::ranges::lower_bound(cells_, wanted, {}, key);
  return found != cells_.end() && key(*found) == wanted ? found->count : 0;
}

std::vector<Confusion::Cell> Confusion::worst(std::size_t most) const {
  std::vector<Cell> errors;
  std::ranges::copy_if(cells_, std::back_inserter(errors),
                       [](const Cell& cell) { return cell.label != cell.predicted; });
  const auto order = [](const Cell& cell) {
    return std::tuple(-cell.count, cell.label, cell.predicted);
  };
  const auto end = errors.begin() + static_cast<std::ptrdiff_t>(std::min(most, errors.size()));
  std::ranges::partial_sort(errors, end, {}, order);
  errors.erase(end, errors.end());
  return errors;
}

Confusion Confusion::gather(Communicator& comm) const {
  const auto sizes = comm.allgather(std::to_string(cells_.size()));
  if (!comm.is_root()) {
    if (!cells_.empty()) comm.send(std::as_bytes(std::span(cells_)), 0);
    return *this;
  }
  std::vector<Cell> all = cells_;
  for (int rank = 1; rank < comm.size(); ++rank) {
    std::vector<Cell> theirs(std::stoull(sizes[static_cast<std::size_t>(rank)]));
    if (theirs.empty()) continue;
    comm.receive(std::as_writable_bytes(std::span(theirs)), rank);
    all.insert(all.end(), theirs.begin(), theirs.end());
  }
  return {classes_, std::move(all)};
}

}  // namespace sae
