#include <span>
#include <utility>

#include "sae/averaging/gradient_averaging.hpp"
#include "sae/model/finished_model.hpp"
#include "sae/run/checkpoint.hpp"

namespace sae {

void finish(Checkpoint& checkpoint) {
  const bool finetuned = checkpoint.state.progress.stage == checkpoint.topology.hidden_layers() &&
                         checkpoint.state.progress.epoch > 0;
  for (Checkpoint::Slot& slot : checkpoint.slots) {
    if (finetuned && slot.name == kAverageSlot) checkpoint.parameters = std::move(slot.values);
  }
  checkpoint.slots.clear();
  const Topology network = finished(checkpoint.topology);
  if (network == checkpoint.topology) return;
  const Vector<float>& parameters = checkpoint.parameters;
  checkpoint.parameters =
      finished(ParameterLayout(checkpoint.topology),
               {parameters.data(), static_cast<std::size_t>(parameters.size())});
  checkpoint.topology = network;
}

}  // namespace sae
