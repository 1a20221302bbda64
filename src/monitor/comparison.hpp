#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "run_record.hpp"

namespace sae {

// What a comparison of runs says about them, without its looks.

struct ComparedRun {
  std::string name = {};
  std::string page = {};  ///< Address of the run's own page, relative to the comparison.
  RunRecord record = {};
};

/// The folders without what all have above them: "sweep-1", or "a/sweep-1" and "b/sweep-1".
std::vector<std::string> names_of(const std::vector<std::filesystem::path>& folders);

/// The settings of some runs, in the order of settings().
struct ComparedSettings {
  struct Different {
    std::string name;
    std::vector<std::string> values;  ///< One a run; empty: not set.
  };
  std::vector<Different> different = {};
  std::vector<std::pair<std::string, std::string>> same = {};  ///< Name and value.
};

/// A setting that a run's config.cfg lacks has the value that the run trained with, if that is
/// known.
ComparedSettings compare_settings(const std::vector<ComparedRun>& runs);

/// Of a classifier an error in percent, of another model a loss: the lower, the better.
struct Figure {
  bool is_error = false;
  double value = 0;
  double loss = 0;  ///< Decides between equal errors.
};

Figure figure_of(const Evaluation& evaluation);

/// The best validation figure of a run and its epoch of fine-tuning; none without a validation set.
struct BestFigure {
  Figure figure = {};
  Index epoch = 0;
};
std::optional<BestFigure> best_figure(const RunRecord& record);

/// What a row of a table is ordered by, in ascending order: numbers, then text, then nothing.
struct SortKey {
  int kind = 2;
  std::vector<double> numbers = {};
  std::string text = {};

  bool operator<(const SortKey& other) const;
};

/// Errors before losses, which they cannot be compared with.
SortKey key_of(const std::optional<Figure>& figure);
/// Of a number or a list of numbers; else of a text, in which "run-2" is before "run-10".
SortKey key_of(const std::string& text);

/// The position of each key among all, from 0 on. Equal keys keep their order.
std::vector<std::size_t> places_of(const std::vector<SortKey>& keys);

/// By the best validation figure, the best run first.
void sort_runs(std::vector<ComparedRun>& runs);

}  // namespace sae
