#include "run_journal.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <system_error>
#include <utility>

#include "sae/core/error.hpp"
#include "sae/storage/output_file.hpp"
#include "sae/train/stage.hpp"

namespace sae {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kMostTimes = 64;  // Of an epoch: more ranks are told as means of neighbours.

/// To so many parts of one.
double rounded(double value, double parts) { return std::round(value * parts) / parts; }

/// Seconds since 1970, to the millisecond.
double now() {
  const auto since = std::chrono::system_clock::now().time_since_epoch();
  return static_cast<double>(std::chrono::duration_cast<std::chrono::milliseconds>(since).count()) /
         1000;
}

/// What is not UTF-8, in a path say, is replaced.
std::string line_of(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Json event(const char* name) { return {{"time", now()}, {"event", name}}; }

Json evaluation_of(const std::optional<Evaluation>& evaluation) {
  if (!evaluation) return nullptr;
  Json json = {
      {"samples", evaluation->samples}, {"errors", evaluation->errors}, {"loss", evaluation->loss}};
  constexpr Index kMostClasses = 100;  // A larger matrix is nothing to look at.
  constexpr std::size_t kMostPairs = 100;
  const Confusion& confusion = evaluation->confusion;
  const Index classes = confusion.classes();
  if (classes <= kMostClasses) {
    std::vector<Index> matrix(static_cast<std::size_t>(classes * classes), 0);
    for (const auto& cell : confusion.cells()) {
      matrix[static_cast<std::size_t>(cell.label * classes + cell.predicted)] = cell.count;
    }
    json["confusion"] = matrix;
    return json;
  }
  json["classes"] = classes;
  json["most_confused"] = Json::array();
  for (const auto& cell : confusion.worst(kMostPairs)) {
    json["most_confused"].push_back({cell.label, cell.predicted, cell.count});
  }
  return json;
}

Json times_of(const std::vector<RankTime>& times) {
  const std::size_t ranks = (times.size() + kMostTimes - 1) / kMostTimes;  // In each mean.
  Json json = Json::array();
  for (std::size_t begin = 0; begin < times.size(); begin += ranks) {
    const std::size_t end = std::min(begin + ranks, times.size());
    std::vector<double> means(kProfiledParts + 1, 0.0);
    for (std::size_t rank = begin; rank < end; ++rank) {
      for (std::size_t part = 0; part < kProfiledParts; ++part) {
        means[part] += times[rank].parts[part];
      }
      means.back() += times[rank].total;
    }
    for (double& mean : means) mean = rounded(mean / static_cast<double>(end - begin), 1e5);
    json.push_back(means);
  }
  return json;
}

}  // namespace

void RunJournal::append(const std::string& line) {
  const std::string with_end = line + '\n';
  text_ += with_end;
  if (whole_) {
    std::ofstream file(folder_.journal(), std::ios::app);
    check_generation_();
    file << with_end << std::flush;
    whole_ = file.good();
    if (whole_) return;
  }
  try {
    write_text_file(folder_.journal(), text_, check_generation_);
    whole_ = true;
  } catch (const SupersededError&) {
    throw;
  } catch (const OutputError&) {
    whole_ = false;  // Tried again with the next line.
  }
}

void RunJournal::run_begins(const RunSummary& summary) {
  std::ifstream file(folder_.journal());
  text_ = {std::istreambuf_iterator<char>(file), {}};
  check_generation_ = summary.check_generation;
  text_.resize(text_.rfind('\n') + 1);  // A process that was killed may have left half a line.
  whole_ = false;  // A new file takes its place: one that an older session still has open is gone.

  Json json = event("begin");
  json["program"] = libraries_;
  json["step"] = summary.step;
  json["hosts"] = summary.hosts;
  json["threads"] = configuration_.threads;
  json["averaging"] = summary.averaging;
  json["memory_per_rank"] = summary.memory_per_rank;
  json["notes"] = summary.notes;
  json["topology"] = to_string(summary.topology);
  json["parameters"] = summary.parameters;
  json["training_samples"] = summary.training_samples;
  json["validation_samples"] = summary.validation_samples;
  json["test_samples"] = summary.test_samples;
  std::error_code ignored;  // Of a folder that is gone: the path stays empty.
  json["data"] = std::filesystem::absolute(configuration_.data, ignored).string();
  json["dataset"] = {{"name", summary.dataset.name},       {"source", summary.dataset.source},
                     {"license", summary.dataset.license}, {"features", summary.dataset.features},
                     {"height", summary.dataset.height},   {"width", summary.dataset.width}};
  json["stages"] = Json::array();
  for (const StageSummary& stage : summary.stages) {
    json["stages"].push_back({{"name", stage.name},
                              {"epochs", stage.epochs},
                              {"steps_per_epoch", stage.steps_per_epoch},
                              {"flop_per_epoch", stage.flop_per_epoch}});
  }
  json["pretraining"] = Json::array();
  for (std::size_t layer = 0; layer < configuration_.layers.size(); ++layer) {
    const DenoisingSettings settings =
        denoising_settings(configuration_, static_cast<Index>(layer));
    json["pretraining"].push_back(
        {{"noise", name_of(settings.noise.kind)},
         {"corruption", settings.noise.level},
         {"at", settings.corruption_at == CorruptionAt::kImage ? "image" : "layer"},
         {"seed", settings.seed}});
  }
  append(line_of(json));
}

void RunJournal::epoch_done(const EpochReport& report) {
  Json json = event("epoch");
  json["stage"] = report.stage;
  json["epoch"] = report.epoch;
  json["step"] = report.step;
  json["seconds_by_rank"] = times_of(report.times);
  if (report.validation) json["validation"] = evaluation_of(report.validation);
  append(line_of(json));
}

void RunJournal::reconstructed(const std::string& stage, const ReportPicture& picture) {
  Json json = event("reconstructed");
  json["stage"] = stage;
  json["uri"] = picture.uri;
  json["width"] = picture.width;
  json["height"] = picture.height;
  json["title"] = picture.title;
  json["description"] = picture.description;
  json["caption"] = picture.caption;
  append(line_of(json));
}

void RunJournal::checkpoint_saved(Index step) {
  Json json = event("checkpoint");
  json["step"] = step;
  append(line_of(json));
}

void RunJournal::warning(const std::string& sentence) {
  Json json = event("warning");
  json["text"] = sentence;
  append(line_of(json));
}

void RunJournal::run_failed(ExitCode code, const std::string& sentence) {
  Json json = event("failed");
  json["exit_code"] = static_cast<int>(code);
  json["text"] = sentence;
  append(line_of(json));
}

void RunJournal::run_done(const RunResult& result) {
  Json json = event("end");
  json["stopped"] = result.stopped;
  if (result.stopped) json["stopped_by"] = result.stopped_by;
  json["step"] = result.step;
  json["models"] = Json::array();
  for (const ModelResult& model : result.models) {
    Json hardest = Json::array();
    for (const HardSample& hard : model.hardest) {
      hardest.push_back({{"sample", hard.sample},
                         {"label", hard.label},
                         {"predicted", hard.predicted},
                         {"loss", rounded(hard.loss, 1e4)},
                         {"confidence", rounded(hard.confidence, 1e4)}});
    }
    json["models"].push_back({{"file", model.file},
                              {"epoch", model.epoch},
                              {"validation", evaluation_of(model.validation)},
                              {"test", evaluation_of(model.test)},
                              {"hardest", std::move(hardest)}});
  }
  append(line_of(json));
}

}  // namespace sae
