#include "sae/monitor/event_writer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <sstream>

#include "event_file.hpp"
#include "event_values.hpp"
#include "png.hpp"
#include "stage_graph.hpp"
#include "tensorboard.pb.h"

namespace sae {
namespace {

constexpr std::chrono::seconds kFlushEvery{2};
constexpr std::size_t kMostPending = std::size_t{1} << 20;
constexpr Index kImagesInRow = 10;
constexpr Index kPicturesEvery = 10;  ///< Times as rare as scalars, at the least.

/// The configuration as a block of code in Markdown.
std::string markdown(const std::string& lines) {
  std::string text;
  std::istringstream stream(lines);
  for (std::string line; std::getline(stream, line);) text += "    " + line + "\n";
  return text;
}

tensorboard::Event event_at(Index step) {
  tensorboard::Event event;
  event.set_step(step);
  return event;
}

/// From here on TensorBoard forgets what has this step or a later one.
tensorboard::Event start_at(Index step) {
  tensorboard::Event event = event_at(step);
  event.mutable_session_log()->set_status(tensorboard::SessionLog::START);
  return event;
}

}  // namespace

EventWriter::EventWriter(const RunFolder& folder, const Configuration& configuration,
                         Index summary_every, ModelPictures& pictures)
    : folder_(folder),
      configuration_(configuration),
      summary_every_(summary_every),
      pictures_(pictures) {}

EventWriter::~EventWriter() = default;

void EventWriter::run_begins(const RunSummary& summary) {
  summary_ = summary;
  files_.resize(summary.stages.size());
  opened_.resize(summary.stages.size());
  void_from(summary.step + 1);
}

void EventWriter::rewound(Index step, const std::string&) { void_from(step + 1); }

void EventWriter::flush(EventFile& file) const {
  summary_.check_generation();
  file.flush();
}

void EventWriter::checkpoint_begins() {
  for (const auto& file : files_) {
    if (file != nullptr && file->pending_bytes() > 0) flush(*file);
  }
}

void EventWriter::void_from(Index step) {
  Index end = 0;  // Of the stage.
  for (std::size_t stage = 0; stage < files_.size(); ++stage) {
    end += summary_.stages[stage].epochs * summary_.stages[stage].steps_per_epoch;
    std::error_code ignored;  // What cannot be seen is not shown either.
    const auto folder = folder_.events(summary_.stages[stage].name);
    if (end < step || !std::filesystem::exists(folder, ignored)) continue;
    const bool was_open = files_[stage] != nullptr;
    EventFile* file = file_of(stage, step);
    if (file == nullptr || !was_open) continue;
    file->append(start_at(step));
    flush(*file);
  }
}

EventFile* EventWriter::file_of(std::size_t stage, Index step) {
  if (!opened_[stage]) {
    opened_[stage] = true;
    auto file = std::make_unique<EventFile>(folder_.events(summary_.stages[stage].name));
    begin_file(*file, stage, step);
    flush(*file);
    files_[stage] = std::move(file);
  }
  return files_[stage].get();
}

void EventWriter::begin_file(EventFile& file, std::size_t stage, Index step) const {
  if (file.continues()) {
    file.append(start_at(step));
  } else {
    tensorboard::Event graph = event_at(step);
    stage_graph(configuration_, summary_.topology, stage)
        .SerializeToString(graph.mutable_graph_def());
    file.append(std::move(graph));
  }
  tensorboard::Event configuration = event_at(step);
  add_text(*configuration.mutable_summary(), "configuration", markdown(summary_.settings));
  file.append(std::move(configuration));
}

void EventWriter::append(EventFile& file, Index step, tensorboard::Summary summary) {
  tensorboard::Event event = event_at(step);
  *event.mutable_summary() = std::move(summary);
  file.append(std::move(event));
  const auto now = Clock::now();
  if (now - flushed_ < kFlushEvery && file.pending_bytes() < kMostPending) return;
  flushed_ = now;
  flush(file);
}

void EventWriter::step_done(const StepReport& report) {
  if (report.run_step % summary_every_ != 0) return;
  EventFile* file = file_of(report.stage, report.run_step);
  if (file == nullptr) return;
  tensorboard::Summary summary;
  add_scalar(summary, "loss/minibatch", report.loss);
  add_scalar(summary, "learning_rate", report.learning_rate);
  add_scalar(summary, "speed/samples_per_second", report.samples_per_second);
  add_scalar(summary, "speed/communication_share", report.communication_share);
  append(*file, report.run_step, std::move(summary));
}

void EventWriter::epoch_done(const EpochReport& report) {
  const auto found = std::ranges::find(summary_.stages, report.stage, &StageSummary::name);
  const auto stage = static_cast<std::size_t>(found - summary_.stages.begin());
  opened_[stage] = files_[stage] != nullptr;  // What could not be opened may be now.
  EventFile* file = file_of(stage, report.step);
  if (file == nullptr) return;
  tensorboard::Summary summary;
  add_scalar(summary, "loss/epoch", report.loss);
  if (report.train_error) add_scalar(summary, "error/train", *report.train_error);
  if (report.validation) {
    if (report.validation->errors) {
      add_scalar(summary, "error/validation", report.validation->error_percent());
    }
    add_scalar(summary, "loss/validation", report.validation->loss);
  }
  const Index apart = kPicturesEvery * summary_every_;
  const Index before = report.step - found->steps_per_epoch;
  if (report.epoch == report.epochs || report.step / apart > before / apart) {
    add_histograms(summary, stage);
    if (pictures_.can_show()) add_pictures(summary);
  }
  append(*file, report.step, std::move(summary));
  flush(*file);
}

void EventWriter::add_histograms(tensorboard::Summary& summary, std::size_t stage) const {
  const ParameterLayout layout(summary_.topology);
  const Range trained = stage + 1 == summary_.stages.size()
                            ? layout.finetuning_range()
                            : layout.pretraining_range(static_cast<Index>(stage));
  for (const ParameterView& view : layout.views()) {
    if (!trained.contains(view.offset)) continue;
    add_histogram(summary, view.name,
                  within(summary_.live_parameters, {view.offset, view.offset + view.size()}));
  }
}

void EventWriter::add_pictures(tensorboard::Summary& summary) const {
  for (const Index layer : pictures_.trained_layers()) {
    const auto& [grey, png] = pictures_.filters(layer);
    add_image(summary, fmt::format("filters/hidden{}", layer + 1), grey, png);
  }
  if (pictures_.distorted().cols() > 0) {
    const GreyPicture picture =
        rows_picture({pictures_.inputs(), pictures_.distorted()}, pictures_.shape());
    add_image(summary, "images/distorted", picture, encode_png(picture));
  }
  if (!pictures_.pretrains() || !pictures_.has_samples()) return;
  const Reconstructions& seen = pictures_.reconstructions(pictures_.layer());
  for (const auto& [tag, images] : {std::pair{"images/inputs", &seen.inputs},
                                    {"images/corrupted", &seen.corrupted},
                                    {"images/reconstructed", &seen.reconstructed}}) {
    const GreyPicture picture = tile(*images, pictures_.shape(), kImagesInRow);
    add_image(summary, tag, picture, encode_png(picture));
  }
}

void EventWriter::run_done(const RunResult& result) {
  const std::size_t stage = files_.size() - 1;
  // A session that found everything done has reported it already.
  if (files_[stage] != nullptr && result.step != summary_.step) {
    const Index steps = summary_.stages[stage].steps_per_epoch;
    for (auto model = result.models.rbegin(); model != result.models.rend(); ++model) {
      const Index step = result.step - (result.models.front().epoch - model->epoch) * steps;
      const bool final_too = step == result.step && &*model != &result.models.front();
      if (step <= summary_.step || final_too || !model->test) continue;
      tensorboard::Summary summary;
      if (model->test->errors) {
        add_scalar(summary, "error/test", model->test->error_percent());
      } else {
        add_scalar(summary, "loss/test", model->test->loss);
      }
      append(*files_[stage], step, std::move(summary));
    }
  }
  checkpoint_begins();
}

}  // namespace sae
