#include "sae/train/metrics.hpp"

#include <nlohmann/json.hpp>

namespace sae {

std::string metrics_line(const EpochReport& report) {
  nlohmann::ordered_json line;
  line["stage"] = report.stage;
  line["epoch"] = report.epoch;
  line["step"] = report.step;
  line["samples"] = report.samples;
  line["learning_rate"] = report.learning_rate;
  line["loss"] = report.loss;
  if (report.train_error) line["train_error"] = *report.train_error;
  if (report.validation) {
    line["validation_loss"] = report.validation->loss;
    line["validation_error"] = report.validation->error_percent();
    line["best"] = report.best;
  }
  line["seconds"] = report.seconds;
  line["samples_per_second"] = report.samples_per_second;
  line["communication_share"] = report.communication_share;
  return line.dump() + '\n';
}

}  // namespace sae
