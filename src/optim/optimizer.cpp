#include "sae/optim/optimizer.hpp"

#include <stdexcept>
#include <utility>

namespace sae {

// Each kind has a source of its own.
std::unique_ptr<Optimizer> make_sgd(const OptimizerSettings& settings);
std::unique_ptr<Optimizer> make_nesterov(const OptimizerSettings& settings);
std::unique_ptr<Optimizer> make_adam(const OptimizerSettings& settings);
std::unique_ptr<Optimizer> make_adamw(const OptimizerSettings& settings);
std::unique_ptr<Optimizer> make_lars(const OptimizerSettings& settings);
std::unique_ptr<Optimizer> clip_gradient(std::unique_ptr<Optimizer> optimizer, double norm);

const Choices<OptimizerKind>& optimizer_kinds() {
  static const Choices<OptimizerKind> kinds = {
      {"sgd", OptimizerKind::kSgd, "stochastic gradient descent with momentum"},
      {"nesterov", OptimizerKind::kNesterov, "with Nesterov's momentum"},
      {"adam", OptimizerKind::kAdam, "momentum is its beta1; rates of about 0.001"},
      {"adamw", OptimizerKind::kAdamW, "Adam with decoupled weight decay"},
      {"lars", OptimizerKind::kLars,
       "momentum with a rate for each array, for large minibatches; rates of 1 to 30"}};
  return kinds;
}

namespace {

std::unique_ptr<Optimizer> make_kind(const OptimizerSettings& settings) {
  switch (settings.kind) {
    case OptimizerKind::kSgd:
      return make_sgd(settings);
    case OptimizerKind::kNesterov:
      return make_nesterov(settings);
    case OptimizerKind::kAdam:
      return make_adam(settings);
    case OptimizerKind::kAdamW:
      return make_adamw(settings);
    case OptimizerKind::kLars:
      return make_lars(settings);
  }
  throw std::logic_error("no such optimizer");
}

}  // namespace

std::unique_ptr<Optimizer> make_optimizer(const OptimizerSettings& settings) {
  auto optimizer = make_kind(settings);
  if (settings.clip_gradient_norm == 0) return optimizer;
  return clip_gradient(std::move(optimizer), settings.clip_gradient_norm);
}

}  // namespace sae
