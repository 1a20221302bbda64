#pragma once

#include <string>

#include "sae/train/observer.hpp"

namespace sae {

// What the console and the log file show, as text.

/// One epoch on one line, of what matters most where not all has room.
std::string epoch_line(const EpochReport& report, std::size_t columns = 1000);

/// Errors of the models, the confusion matrix of the last, and the files of the run.
std::string result_table(const RunResult& result, const std::filesystem::path& run_folder);

/// The matrix, rows the label and columns the prediction, below the words "confusion matrix" and
/// `of`, with the names of classes where they have some; of more than 20 classes the 20 most
/// frequent errors.
std::string confusion_table(const Confusion& confusion, const std::string& of = {},
                            const std::vector<std::string>& class_names = {});

}  // namespace sae
