#include "sae/optim/optimizer.hpp"

#include <stdexcept>

namespace sae {

// Each kind has a source of its own.
std::unique_ptr<Optimizer> make_sgd(const OptimizerSettings& settings);

const Choices<OptimizerKind>& optimizer_kinds() {
  static const Choices<OptimizerKind> kinds = {
      {"sgd", OptimizerKind::kSgd, "stochastic gradient descent"}};
  return kinds;
}

std::unique_ptr<Optimizer> make_optimizer(const OptimizerSettings& settings) {
  switch (settings.kind) {
    case OptimizerKind::kSgd:
      return make_sgd(settings);
  }
  throw std::logic_error("no such optimizer");
}

}  // namespace sae
