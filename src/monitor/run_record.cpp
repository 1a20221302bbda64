#include "run_record.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <iterator>
#include <sstream>

#include "json_fields.hpp"
#include "sae/core/error.hpp"

namespace sae {

template <typename F>
void fields(F& field, StageSummary& stage) {
  field("name", stage.name);
  field("epochs", stage.epochs);
  field("steps_per_epoch", stage.steps_per_epoch);
  field("flop_per_epoch", stage.flop_per_epoch);
}

template <typename F>
void fields(F& field, DatasetInfo& dataset) {
  field("name", dataset.name);
  field("source", dataset.source);
  field("license", dataset.license);
  field("features", dataset.features);
  field("height", dataset.height);
  field("width", dataset.width);
  field("class_names", dataset.class_names);
}

template <typename F>
void fields(F& field, DenoisingSettings& layer) {
  // Journals of programs that knew one kind of noise do not name it.
  std::string kind = name_of(layer.noise.kind, noise_kinds());
  std::string at = layer.corruption_at == CorruptionAt::kImage ? "image" : "layer";
  field("noise", kind);
  field("corruption", layer.noise.level);
  field("at", at);
  field("seed", layer.seed);
  layer.noise.kind = find_value(kind, noise_kinds()).value_or(NoiseKind::kMasking);
  layer.noise.level = std::clamp(layer.noise.level, 0.0, 0.999);
  layer.corruption_at = at == "image" ? CorruptionAt::kImage : CorruptionAt::kLayer;
}

template <typename F>
void fields(F& field, BeginEvent& event) {
  field("program", event.session.program);
  field("step", event.session.first_step);
  field("hosts", event.session.hosts);
  field("threads", event.session.threads);
  field("averaging", event.session.averaging);
  field("memory_per_rank", event.session.memory_per_rank);
  field("notes", event.session.notes);
  field("topology", event.setup.topology);
  field("parameters", event.setup.parameters);
  field("training_samples", event.setup.training_samples);
  field("validation_samples", event.setup.validation_samples);
  field("test_samples", event.setup.test_samples);
  field("data", event.setup.data);
  field("dataset", event.setup.dataset);
  field("stages", event.setup.stages);
  field("pretraining", event.setup.pretraining);
}

/// Seconds of the parts of a step, then of all.
void to_json(Json& json, const RankTime& time) {
  json = time.parts;
  json.push_back(time.total);
}

void from_json(const Json& json, RankTime& time) {
  for (std::size_t part = 0; part < kProfiledParts; ++part) json.at(part).get_to(time.parts[part]);
  json.at(kProfiledParts).get_to(time.total);
}

template <typename F>
void fields(F& field, FeatureError& error) {
  field("feature", error.feature);
  field("name", error.name);
  field("mean", error.mean);
}

template <typename F>
void fields(F& field, ReconstructionErrors& errors) {
  field("mean_squared_error", errors.mean);
  field("percentiles", errors.percentiles);
  field("worst_features", errors.worst_features);
}

template <typename F>
void fields(F& field, EpochEvent& event) {
  field("stage", event.mark.stage);
  field("epoch", event.mark.epoch);
  field("step", event.mark.step);
  field("seconds_by_rank", event.mark.times);
  field("validation", event.validation);
}

template <typename F>
void fields(F& field, ReconstructedEvent& event) {
  field("stage", event.stage);
  fields(field, event.picture);
}

template <typename F>
void fields(F& field, CheckpointEvent& event) {
  field("step", event.step);
}

template <typename F>
void fields(F& field, WarningEvent& event) {
  field("text", event.text);
}

template <typename F>
void fields(F& field, FailedEvent& event) {
  field("exit_code", event.exit_code);
  field("text", event.text);
}

template <typename F>
void fields(F& field, HardSample& hard) {
  field("sample", hard.sample);
  field("label", hard.label);
  field("predicted", hard.predicted);
  field("loss", hard.loss);
  field("confidence", hard.confidence);
}

template <typename F>
void fields(F& field, ModelResult& model) {
  field("file", model.file);
  field("epoch", model.epoch);
  field("validation", model.validation);
  field("test", model.test);
  field("hardest", model.hardest);
}

template <typename F>
void fields(F& field, EndEvent& event) {
  field("stopped", event.stopped);
  field("stopped_by", event.stopped_by);
  field("step", event.step);
  field("models", event.models);
}

namespace {

constexpr Index kMostClasses = 100;  // A larger matrix is nothing to look at.
constexpr std::size_t kMostPairs = 100;

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

/// Calls `take` with each line. Returns how many it did not take.
template <typename Take>
Index for_each_line(const std::string& text, Take&& take) {
  Index refused = 0;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (!line.empty() && !take(line)) ++refused;
  }
  return refused;
}

template <typename... Events>
bool read_event(const std::string& line, RunRecord& record) {
  try {
    const Json json = Json::parse(line);
    const auto name = json.at("event").get<std::string>();
    const auto time = json.at("time").get<double>();
    (void)((name == Events::kName && (record.add(json.get<Events>(), time), true)) || ...);
    return true;
  } catch (const Json::exception&) {
    return false;
  }
}

}  // namespace

void to_json(Json& json, const Evaluation& evaluation) {
  json = {{"samples", evaluation.samples}, {"loss", evaluation.loss}};
  if (evaluation.reconstruction) json["reconstruction"] = *evaluation.reconstruction;
  if (!evaluation.errors) return;
  json["errors"] = *evaluation.errors;
  const Confusion& confusion = evaluation.confusion;
  const Index classes = confusion.classes();
  if (classes <= kMostClasses) {
    std::vector<Index> matrix(static_cast<std::size_t>(classes * classes), 0);
    for (const auto& cell : confusion.cells()) {
      matrix[static_cast<std::size_t>(cell.label * classes + cell.predicted)] = cell.count;
    }
    json["confusion"] = matrix;
    return;
  }
  json["classes"] = classes;
  json["most_confused"] = Json::array();
  for (const auto& cell : confusion.worst(kMostPairs)) {
    json["most_confused"].push_back({cell.label, cell.predicted, cell.count});
  }
}

void from_json(const Json& json, Evaluation& evaluation) {
  json.at("samples").get_to(evaluation.samples);
  json.at("loss").get_to(evaluation.loss);
  if (json.contains("reconstruction")) {
    evaluation.reconstruction = json.at("reconstruction").get<ReconstructionErrors>();
  }
  if (!json.contains("errors")) return;
  evaluation.errors = json.at("errors").get<Index>();
  evaluation.confusion = confusion_of(json);
}

template <typename Event>
std::string journal_line(const Event& event, double time) {
  Json json = {{"time", time}, {"event", Event::kName}};
  json.update(Json(event));
  return json.dump(-1, ' ', false, Json::error_handler_t::replace) + '\n';
}

template std::string journal_line(const BeginEvent&, double);
template std::string journal_line(const EpochEvent&, double);
template std::string journal_line(const ReconstructedEvent&, double);
template std::string journal_line(const CheckpointEvent&, double);
template std::string journal_line(const WarningEvent&, double);
template std::string journal_line(const FailedEvent&, double);
template std::string journal_line(const EndEvent&, double);

namespace {

/// The session that an event belongs to, which has given a sign of life; null before the first.
SessionRecord* session_at(RunRecord& record, double time) {
  if (record.sessions.empty()) return nullptr;
  SessionRecord& session = record.sessions.back();
  session.last_sign = std::max({session.last_sign, session.begin, time});
  return &session;
}

}  // namespace

void RunRecord::add(BeginEvent event, double time) {
  event.session.begin = event.session.last_sign = time;
  for (std::size_t layer = 0; layer < event.setup.pretraining.size(); ++layer) {
    event.setup.pretraining[layer].layer = static_cast<Index>(layer);
    event.setup.pretraining[layer].stage = static_cast<std::uint32_t>(layer);
  }
  static_cast<RunSetup&>(*this) = std::move(event.setup);
  models.clear();
  sessions.push_back(std::move(event.session));
}

void RunRecord::add(EpochEvent event, double time) {
  SessionRecord* session = session_at(*this, time);
  if (session == nullptr) return;
  if (event.validation) validation = std::move(event.validation);
  event.mark.time = time;
  session->epochs.push_back(std::move(event.mark));
}

void RunRecord::add(ReconstructedEvent event, double time) {
  if (session_at(*this, time) == nullptr) return;
  // Nothing that is loaded from elsewhere.
  if (!event.picture.uri.starts_with("data:image/png;base64,")) return;
  std::erase_if(reconstructions, [&](const auto& known) { return known.stage == event.stage; });
  reconstructions.push_back(std::move(event));
}

void RunRecord::add(const CheckpointEvent& event, double time) {
  if (auto* session = session_at(*this, time)) session->checkpoints.push_back({time, event.step});
}

void RunRecord::add(const WarningEvent& event, double time) {
  if (auto* session = session_at(*this, time)) session->warnings.push_back({time, event.text});
}

void RunRecord::add(const FailedEvent& event, double time) {
  SessionRecord* session = session_at(*this, time);
  if (session == nullptr) return;
  session->failure = event.text;
  session->exit_code = event.exit_code;
}

void RunRecord::add(EndEvent event, double time) {
  SessionRecord* session = session_at(*this, time);
  if (session == nullptr) return;
  session->ended = true;
  session->stopped = event.stopped;
  session->stopped_by = event.stopped_by;
  std::ranges::move(event.models, std::back_inserter(models));
}

void RunRecord::read_configuration(const std::string& text) {
  for_each_line(text, [this](const std::string& line) {
    const auto equals = line.find('=');
    if (line.starts_with('#') || equals == std::string::npos) return false;
    configuration.emplace_back(line.substr(0, equals), line.substr(equals + 1));
    return true;
  });
}

void RunRecord::read_metrics(const std::string& text) {
  epochs.clear();
  unreadable_lines += for_each_line(text, [this](const std::string& line) {
    const auto epoch = parse_metrics_line(line);
    if (epoch) epochs.push_back(*epoch);
    return epoch.has_value();
  });
}

void RunRecord::read_journal(const std::string& text) {
  unreadable_lines += for_each_line(text, [this](const std::string& line) {
    return read_event<BeginEvent, EpochEvent, ReconstructedEvent, CheckpointEvent, WarningEvent,
                      FailedEvent, EndEvent>(line, *this);
  });
}

RunEnd RunRecord::end() const {
  if (finished()) return RunEnd::kFinished;
  if (sessions.empty()) return RunEnd::kUnknown;
  if (sessions.back().ended) return RunEnd::kStopped;
  return sessions.back().failure.empty() ? RunEnd::kUnknown : RunEnd::kFailed;
}

double RunRecord::seconds() const {
  double sum = 0;
  for (const SessionRecord& session : sessions) sum += session.last_sign - session.begin;
  return sum;
}

namespace {

std::optional<std::string> text_of(const std::filesystem::path& path) {
  std::ifstream file(path);
  if (!file) return std::nullopt;
  return std::string{std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

RunRecord read_run_record(const RunFolder& folder) {
  const auto configuration = text_of(folder.config());
  if (!configuration) {
    throw MissingInputError(fmt::format("{} cannot be read: {} is not the folder of a run.",
                                        folder.config().string(), folder.path().string()));
  }
  RunRecord record;
  record.read_configuration(*configuration);
  record.read_metrics(text_of(folder.metrics()).value_or(""));
  record.read_journal(text_of(folder.journal()).value_or(""));
  return record;
}

}  // namespace sae
