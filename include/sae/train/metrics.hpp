#pragma once

#include <optional>
#include <string>

#include "sae/train/observer.hpp"

namespace sae {

/// An epoch in metrics.jsonl: one line of the file.
struct EpochRecord {
  std::string stage = {};
  Index epoch = 0;
  Index step = 0;
  Index samples = 0;
  double learning_rate = 0;
  double loss = 0;
  std::optional<double> train_error = {};  ///< Percent.
  std::optional<double> validation_error = {};
  std::optional<double> validation_loss = {};
  double seconds = 0;
  double samples_per_second = 0;
  double communication_share = 0;
  bool best = false;
};

EpochRecord epoch_record(const EpochReport& report);

/// The line for an epoch, with its newline.
std::string metrics_line(const EpochReport& report);

/// None if the line is damaged.
std::optional<EpochRecord> parse_metrics_line(const std::string& line);

}  // namespace sae
