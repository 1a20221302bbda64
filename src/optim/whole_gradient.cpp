// What needs the whole gradient before it updates any part of it.
#include <cmath>
#include <memory>
#include <utility>

#include "sae/optim/optimizer.hpp"

namespace sae {

std::unique_ptr<Optimizer> make_sgd(const OptimizerSettings& settings);

namespace {

double squared_norm(std::span<const float> values) {
  double sum = 0;
  for (const float x : values) sum += static_cast<double>(x) * static_cast<double>(x);
  return sum;
}

/// An optimizer whose steps are changed first.
class ChangedSteps : public Optimizer {
 public:
  explicit ChangedSteps(std::unique_ptr<Optimizer> inner) : inner_(std::move(inner)) {}

  std::vector<std::string> slots() const override { return inner_->slots(); }
  bool update(const UpdatedVectors& vectors, const std::vector<std::span<const float>>& gradients,
              const OptimizerStep& step) const override {
    return inner_->update(vectors, gradients, changed(step));
  }
  bool update(const UpdatedVectors& vectors,
              const std::vector<std::span<const bfloat16>>& gradients,
              const OptimizerStep& step) const override {
    return inner_->update(vectors, gradients, changed(step));
  }

 protected:
  const Optimizer& inner() const { return *inner_; }

 private:
  virtual OptimizerStep changed(const OptimizerStep& step) const = 0;

  std::unique_ptr<Optimizer> inner_;
};

/// A gradient that is longer than `norm` is shortened to it: Pascanu, Mikolov and Bengio, 'On the
/// difficulty of training recurrent neural networks', ICML 2013. Its first statistic is the squared
/// norm of the summed gradient; the others are those of the optimizer within.
class ClippedGradient final : public ChangedSteps {
 public:
  ClippedGradient(std::unique_ptr<Optimizer> inner, double norm)
      : ChangedSteps(std::move(inner)), norm_(norm) {}

  std::size_t statistics(std::size_t arrays) const override {
    return 1 + inner().statistics(arrays);
  }
  void add_statistics(Index array, std::span<const float> parameters,
                      std::span<const float> gradient, std::span<double> sums) const override {
    sums[0] += squared_norm(gradient);
    inner().add_statistics(array, parameters, gradient, sums.subspan(1));
  }

 private:
  OptimizerStep changed(const OptimizerStep& step) const override {
    OptimizerStep result = step;
    const double length = static_cast<double>(step.gradient_scale) * std::sqrt(step.statistics[0]);
    if (length > norm_) result.gradient_scale *= static_cast<float>(norm_ / length);
    result.statistics = step.statistics.subspan(1);
    return result;
  }

  double norm_;
};

/// Layer-wise adaptive rate scaling: v = momentum v + learning_rate r (g + weight_decay w),
/// w = w - v, with r = 0.001 |w| / (|g| + weight_decay |w|) of each array; 0.001 while w or g is 0.
/// You, Gitman and Ginsburg, 'Large batch training of convolutional networks', 2017. Statistics of
/// an array: the squared norms of its parameters and of its summed gradient.
class Lars final : public ChangedSteps {
 public:
  explicit Lars(const OptimizerSettings& settings) : ChangedSteps(make_sgd(settings)) {}

  std::size_t statistics(std::size_t arrays) const override { return 2 * arrays; }
  void add_statistics(Index array, std::span<const float> parameters,
                      std::span<const float> gradient, std::span<double> sums) const override {
    sums[2 * static_cast<std::size_t>(array)] += squared_norm(parameters);
    sums[2 * static_cast<std::size_t>(array) + 1] += squared_norm(gradient);
  }

 private:
  OptimizerStep changed(const OptimizerStep& step) const override {
    constexpr double kTrust = 0.001;
    const auto array = static_cast<std::size_t>(step.array);
    const double w = std::sqrt(step.statistics[2 * array]);
    const double g =
        static_cast<double>(step.gradient_scale) * std::sqrt(step.statistics[2 * array + 1]);
    const double ratio =
        w > 0 && g > 0 ? kTrust * w / (g + static_cast<double>(step.weight_decay) * w) : kTrust;
    const auto rate = static_cast<float>(static_cast<double>(step.learning_rate) * ratio);
    OptimizerStep result = step;
    result.learning_rate = 1;
    result.gradient_scale *= rate;
    result.weight_decay *= rate;
    return result;
  }
};

}  // namespace

std::unique_ptr<Optimizer> make_lars(const OptimizerSettings& settings) {
  return std::make_unique<Lars>(settings);
}

std::unique_ptr<Optimizer> clip_gradient(std::unique_ptr<Optimizer> optimizer, double norm) {
  return std::make_unique<ClippedGradient>(std::move(optimizer), norm);
}

}  // namespace sae
