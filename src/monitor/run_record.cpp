#include "run_record.hpp"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <sstream>

namespace sae {
namespace {

using Json = nlohmann::ordered_json;

/// Calls `take` with each line that is a JSON object. Returns how many are none, or lack something.
template <typename Take>
Index for_each_object(const std::string& text, Take&& take) {
  Index unreadable = 0;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.empty()) continue;
    try {
      take(Json::parse(line));
    } catch (const Json::exception&) {
      ++unreadable;
    }
  }
  return unreadable;
}

std::optional<double> real_of(const Json& json, const char* name) {
  const auto found = json.find(name);
  if (found == json.end() || found->is_null()) return std::nullopt;
  return found->get<double>();
}

EpochRecord epoch_of(const Json& json) {
  EpochRecord epoch;
  json.at("stage").get_to(epoch.stage);
  json.at("epoch").get_to(epoch.epoch);
  json.at("step").get_to(epoch.step);
  json.at("learning_rate").get_to(epoch.learning_rate);
  json.at("loss").get_to(epoch.loss);
  epoch.train_error = real_of(json, "train_error");
  epoch.validation_error = real_of(json, "validation_error");
  epoch.validation_loss = real_of(json, "validation_loss");
  json.at("seconds").get_to(epoch.seconds);
  json.at("samples_per_second").get_to(epoch.samples_per_second);
  json.at("communication_share").get_to(epoch.communication_share);
  epoch.best = json.value("best", false);
  return epoch;
}

/// A matrix as a list of rows one after the other, or triples of label, prediction and count; none
/// if it is neither.
Confusion confusion_of(const Json& json) {
  std::vector<Confusion::Cell> cells;
  if (json.contains("most_confused")) {
    for (const Json& triple : json.at("most_confused")) {
      cells.push_back({triple.at(0).get<std::int32_t>(), triple.at(1).get<std::int32_t>(),
                       triple.at(2).get<Index>()});
    }
    return {json.value("classes", Index{0}), std::move(cells)};
  }
  const auto counts = json.value("confusion", std::vector<Index>{});
  const auto classes = std::llround(std::sqrt(static_cast<double>(counts.size())));
  if (classes * classes != static_cast<Index>(counts.size())) return Confusion();
  for (std::int32_t cell = 0; const Index count : counts) {
    cells.push_back({static_cast<std::int32_t>(cell / classes),
                     static_cast<std::int32_t>(cell % classes), count});
    ++cell;
  }
  return {classes, std::move(cells)};
}

std::optional<Evaluation> evaluation_of(const Json& json) {
  if (json.is_null()) return std::nullopt;
  Evaluation evaluation;
  json.at("samples").get_to(evaluation.samples);
  json.at("errors").get_to(evaluation.errors);
  json.at("loss").get_to(evaluation.loss);
  evaluation.confusion = confusion_of(json);
  return evaluation;
}

ModelResult model_of(const Json& json) {
  ModelResult model;
  json.at("file").get_to(model.file);
  json.at("epoch").get_to(model.epoch);
  model.validation = evaluation_of(json.at("validation"));
  model.test = evaluation_of(json.at("test"));
  for (const Json& hard : json.at("hardest")) {
    model.hardest.push_back({.sample = hard.at("sample").get<Index>(),
                             .label = hard.at("label").get<Index>(),
                             .predicted = hard.at("predicted").get<Index>(),
                             .loss = hard.at("loss").get<double>(),
                             .confidence = hard.at("confidence").get<double>(),
                             .pixels = {}});
  }
  return model;
}

/// Journals of programs that knew one kind do not name it.
NoiseKind noise_of(const Json& layer) {
  return find_value(layer.value("noise", "masking"), noise_kinds()).value_or(NoiseKind::kMasking);
}

void read_begin(const Json& json, RunRecord& record) {
  SessionRecord session;
  json.at("time").get_to(session.begin);
  json.at("step").get_to(session.first_step);
  json.at("program").get_to(session.program);
  json.at("hosts").get_to(session.hosts);
  json.at("threads").get_to(session.threads);
  json.at("averaging").get_to(session.averaging);
  json.at("memory_per_rank").get_to(session.memory_per_rank);
  json.at("notes").get_to(session.notes);
  json.at("topology").get_to(record.topology);
  json.at("parameters").get_to(record.parameters);
  json.at("training_samples").get_to(record.training_samples);
  json.at("validation_samples").get_to(record.validation_samples);
  json.at("test_samples").get_to(record.test_samples);
  json.at("data").get_to(record.data);
  const Json& dataset = json.at("dataset");
  dataset.at("name").get_to(record.dataset.name);
  dataset.at("source").get_to(record.dataset.source);
  dataset.at("license").get_to(record.dataset.license);
  dataset.at("features").get_to(record.dataset.features);
  dataset.at("height").get_to(record.dataset.height);
  dataset.at("width").get_to(record.dataset.width);
  record.stages.clear();
  for (const Json& stage : json.at("stages")) {
    record.stages.push_back({.name = stage.at("name").get<std::string>(),
                             .epochs = stage.at("epochs").get<Index>(),
                             .steps_per_epoch = stage.at("steps_per_epoch").get<Index>(),
                             .flop_per_epoch = stage.at("flop_per_epoch").get<double>()});
  }
  record.pretraining.clear();
  for (const Json& layer : json.at("pretraining")) {
    const auto number = static_cast<Index>(record.pretraining.size());
    record.pretraining.push_back(
        {.layer = number,
         .noise = {noise_of(layer), std::clamp(layer.at("corruption").get<double>(), 0.0, 0.999)},
         .corruption_at = layer.at("at") == "image" ? CorruptionAt::kImage : CorruptionAt::kLayer,
         .seed = layer.at("seed").get<std::uint64_t>(),
         .stage = static_cast<std::uint32_t>(number)});
  }
  record.models.clear();
  record.sessions.push_back(std::move(session));
}

void read_epoch(const Json& json, RunRecord& record, SessionRecord& session) {
  EpochMark mark;
  json.at("time").get_to(mark.time);
  json.at("stage").get_to(mark.stage);
  json.at("epoch").get_to(mark.epoch);
  json.at("step").get_to(mark.step);
  for (const Json& of_rank : json.at("seconds_by_rank")) {
    RankTime time;
    for (std::size_t part = 0; part < kProfiledParts; ++part)
      of_rank.at(part).get_to(time.parts[part]);
    of_rank.at(kProfiledParts).get_to(time.total);
    mark.times.push_back(time);
  }
  if (json.contains("validation")) record.validation = evaluation_of(json.at("validation"));
  session.epochs.push_back(std::move(mark));
}

void read_reconstructed(const Json& json, RunRecord& record) {
  const auto stage = json.at("stage").get<std::string>();
  ReportPicture picture;
  json.at("uri").get_to(picture.uri);
  json.at("width").get_to(picture.width);
  json.at("height").get_to(picture.height);
  json.at("title").get_to(picture.title);
  json.at("description").get_to(picture.description);
  json.at("caption").get_to(picture.caption);
  // Nothing that is loaded from elsewhere.
  if (!picture.uri.starts_with("data:image/png;base64,")) return;
  std::erase_if(record.reconstructions,
                [&stage](const auto& known) { return known.first == stage; });
  record.reconstructions.emplace_back(stage, std::move(picture));
}

void read_event(const Json& json, RunRecord& record) {
  const auto event = json.at("event").get<std::string>();
  const auto time = json.at("time").get<double>();
  if (event == "begin") read_begin(json, record);
  if (record.sessions.empty()) return;
  SessionRecord& session = record.sessions.back();
  if (event == "epoch") {
    read_epoch(json, record, session);
  } else if (event == "reconstructed") {
    read_reconstructed(json, record);
  } else if (event == "checkpoint") {
    session.checkpoints.push_back({time, json.at("step").get<Index>()});
  } else if (event == "warning") {
    session.warnings.push_back({time, json.at("text").get<std::string>()});
  } else if (event == "failed") {
    json.at("text").get_to(session.failure);
    json.at("exit_code").get_to(session.exit_code);
  } else if (event == "end") {
    json.at("stopped").get_to(session.stopped);
    session.stopped_by = json.value("stopped_by", "");
    for (const Json& model : json.at("models")) record.models.push_back(model_of(model));
    session.ended = true;
  }
  session.last_sign = std::max({session.last_sign, session.begin, time});
}

}  // namespace

RunRecord parse_run_record(const std::string& configuration, const std::string& metrics,
                           const std::string& journal) {
  RunRecord record;
  std::istringstream lines(configuration);
  for (std::string line; std::getline(lines, line);) {
    const auto equals = line.find('=');
    if (line.starts_with('#') || equals == std::string::npos) continue;
    record.configuration.emplace_back(line.substr(0, equals), line.substr(equals + 1));
  }
  record.unreadable_lines = for_each_object(
      metrics, [&record](const Json& json) { record.epochs.push_back(epoch_of(json)); });
  record.unreadable_lines +=
      for_each_object(journal, [&record](const Json& json) { read_event(json, record); });
  return record;
}

}  // namespace sae
