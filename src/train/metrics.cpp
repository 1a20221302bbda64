#include "sae/train/metrics.hpp"

#include <nlohmann/json.hpp>

namespace sae {
namespace {

using Json = nlohmann::ordered_json;

std::optional<double> number_of(const Json& json, const char* name) {
  const auto found = json.find(name);
  if (found == json.end() || found->is_null()) return std::nullopt;
  return found->get<double>();
}

}  // namespace

EpochRecord epoch_record(const EpochReport& report) {
  EpochRecord record{.stage = report.stage,
                     .epoch = report.epoch,
                     .step = report.step,
                     .samples = report.samples,
                     .learning_rate = report.learning_rate,
                     .loss = report.loss,
                     .train_error = report.train_error,
                     .seconds = report.seconds,
                     .samples_per_second = report.samples_per_second,
                     .communication_share = report.communication_share,
                     .best = report.best};
  if (report.validation) {
    if (report.validation->errors) record.validation_error = report.validation->error_percent();
    record.validation_loss = report.validation->loss;
  }
  return record;
}

std::string metrics_line(const EpochReport& report) {
  const EpochRecord record = epoch_record(report);
  Json line;
  line["stage"] = record.stage;
  line["epoch"] = record.epoch;
  line["step"] = record.step;
  line["samples"] = record.samples;
  line["learning_rate"] = record.learning_rate;
  line["loss"] = record.loss;
  if (record.train_error) line["train_error"] = *record.train_error;
  if (record.validation_loss) {
    line["validation_loss"] = *record.validation_loss;
    if (record.validation_error) line["validation_error"] = *record.validation_error;
    line["best"] = record.best;
  }
  line["seconds"] = record.seconds;
  line["samples_per_second"] = record.samples_per_second;
  line["communication_share"] = record.communication_share;
  return line.dump() + '\n';
}

std::optional<EpochRecord> parse_metrics_line(const std::string& line) {
  try {
    const Json json = Json::parse(line);
    EpochRecord record;
    json.at("stage").get_to(record.stage);
    json.at("epoch").get_to(record.epoch);
    json.at("step").get_to(record.step);
    record.samples = json.value("samples", Index{0});
    json.at("learning_rate").get_to(record.learning_rate);
    json.at("loss").get_to(record.loss);
    record.train_error = number_of(json, "train_error");
    record.validation_error = number_of(json, "validation_error");
    record.validation_loss = number_of(json, "validation_loss");
    json.at("seconds").get_to(record.seconds);
    json.at("samples_per_second").get_to(record.samples_per_second);
    json.at("communication_share").get_to(record.communication_share);
    record.best = json.value("best", false);
    return record;
  } catch (const Json::exception&) {
    return std::nullopt;
  }
}

}  // namespace sae
