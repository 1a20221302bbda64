#include "sae/monitor/event_writer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <sstream>

#include "event_file.hpp"
#include "event_values.hpp"
#include "sae/core/error.hpp"
#include "sae/train/stage.hpp"
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
                         Index summary_every, Warn warn)
    : folder_(folder),
      configuration_(configuration),
      summary_every_(summary_every),
      warn_(std::move(warn)) {}

EventWriter::~EventWriter() = default;

void EventWriter::attempt(const std::function<void()>& action) {
  try {
    action();
  } catch (const SupersededError&) {
    throw;
  } catch (const OutputError& error) {
    if (!std::exchange(warned_, true)) {
      warn_(fmt::format("{} Training goes on; TensorBoard's curves get gaps.", error.what()));
    }
  }
}

void EventWriter::run_begins(const RunSummary& summary) {
  summary_ = summary;
  layout_.emplace(summary.topology);
  shape_ = picture_shape(summary.dataset);
  files_.resize(summary.stages.size());
  tried_.resize(summary.stages.size());
  attempt([&] { void_from(summary.step + 1); });
}

void EventWriter::rewound(Index step, const std::string&) {
  attempt([&] { void_from(step + 1); });
}

void EventWriter::flush(EventFile& file) const {
  summary_.check_generation();
  file.flush();
}

void EventWriter::flush_all() {
  for (const auto& file : files_) {
    if (file != nullptr && file->pending_bytes() > 0) attempt([&] { flush(*file); });
  }
}

void EventWriter::checkpoint_begins() { flush_all(); }

void EventWriter::void_from(Index step) {
  Index end = 0;  // Of the stage.
  for (std::size_t stage = 0; stage < files_.size(); ++stage) {
    end += summary_.stages[stage].epochs * summary_.stages[stage].steps_per_epoch;
    std::error_code ignored;  // What cannot be seen is not shown either.
    const auto folder = folder_.events(summary_.stages[stage].name);
    if (end < step || !std::filesystem::exists(folder, ignored)) continue;
    const bool was_open = files_[stage] != nullptr;
    EventFile* file = file_of(stage, step);
    if (file == nullptr) continue;
    if (!was_open) continue;
    file->append(start_at(step));
    flush(*file);
  }
}

EventFile* EventWriter::file_of(std::size_t stage, Index step) {
  if (!tried_[stage]) {
    tried_[stage] = true;
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
  attempt([&] {
    EventFile* file = file_of(report.stage, report.run_step);
    if (file == nullptr) return;
    tensorboard::Summary summary;
    add_scalar(summary, "loss/minibatch", report.loss);
    add_scalar(summary, "learning_rate", report.learning_rate);
    add_scalar(summary, "speed/samples_per_second", report.samples_per_second);
    add_scalar(summary, "speed/communication_share", report.communication_share);
    append(*file, report.run_step, std::move(summary));
  });
}

void EventWriter::epoch_done(const EpochReport& report) {
  const auto found =
      std::find_if(summary_.stages.begin(), summary_.stages.end(),
                   [&](const StageSummary& candidate) { return candidate.name == report.stage; });
  const auto stage = static_cast<std::size_t>(found - summary_.stages.begin());
  tried_[stage] = files_[stage] != nullptr;  // What could not be opened may be now.
  attempt([&] {
    EventFile* file = file_of(stage, report.step);
    if (file == nullptr) return;
    tensorboard::Summary summary;
    add_scalar(summary, "loss/epoch", report.loss);
    if (report.train_error) add_scalar(summary, "error/train", *report.train_error);
    if (report.validation) {
      add_scalar(summary, "error/validation", report.validation->error_percent());
      add_scalar(summary, "loss/validation", report.validation->loss);
    }
    const Index apart = kPicturesEvery * summary_every_;
    const Index before = report.step - found->steps_per_epoch;
    if (report.epoch == report.epochs || report.step / apart > before / apart) {
      add_histograms(summary, stage);
      if (shape_) add_pictures(summary, stage, report.epoch);
    }
    append(*file, report.step, std::move(summary));
    flush(*file);
  });
}

void EventWriter::add_histograms(tensorboard::Summary& summary, std::size_t stage) const {
  const Range trained = trains_all(stage) ? layout_->finetuning_slice()
                                          : layout_->pretraining_slice(static_cast<Index>(stage));
  for (const ParameterView& view : layout_->views()) {
    if (!trained.contains(view.offset)) continue;
    add_histogram(summary, view.name,
                  summary_.live_parameters.subspan(static_cast<std::size_t>(view.offset),
                                                   static_cast<std::size_t>(view.size())));
  }
}

void EventWriter::add_pictures(tensorboard::Summary& summary, std::size_t stage,
                               Index epoch) const {
  for (Index layer = 0; layer < layout_->topology().hidden_layers(); ++layer) {
    if (!trains_all(stage) && layer != static_cast<Index>(stage)) continue;
    add_image(summary, fmt::format("filters/hidden{}", layer + 1),
              filters_picture(*layout_, summary_.live_parameters, layer, *shape_));
  }
  if (trains_all(stage) || summary_.preview.size() == 0) return;
  const Reconstructions seen =
      reconstruct(*layout_, {summary_.live_parameters, {}},
                  denoising_settings(configuration_, static_cast<Index>(stage)), summary_.preview,
                  static_cast<std::uint32_t>(epoch));
  add_image(summary, "images/inputs", tile(seen.inputs, *shape_, kImagesInRow));
  add_image(summary, "images/corrupted", tile(seen.corrupted, *shape_, kImagesInRow));
  add_image(summary, "images/reconstructed", tile(seen.reconstructed, *shape_, kImagesInRow));
}

void EventWriter::run_done(const RunResult& result) {
  attempt([&] {
    const std::size_t stage = files_.size() - 1;
    // A session that found everything done has told it already.
    if (files_[stage] == nullptr || result.step == summary_.step) return;
    const Index steps = summary_.stages[stage].steps_per_epoch;
    for (auto model = result.models.rbegin(); model != result.models.rend(); ++model) {
      const Index step = result.step - (result.models.front().epoch - model->epoch) * steps;
      const bool final_too = step == result.step && &*model != &result.models.front();
      if (step <= summary_.step || final_too || !model->test) continue;
      tensorboard::Summary summary;
      add_scalar(summary, "error/test", model->test->error_percent());
      append(*files_[stage], step, std::move(summary));
    }
  });
  flush_all();
}

}  // namespace sae
