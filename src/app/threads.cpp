#include "threads.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "sae/core/host.hpp"

namespace sae {

std::vector<std::string> decide_threads(Configuration& configuration, Communicator& comm) {
  const std::set<int> cores = allowed_cores();
  const std::string own = fmt::format("{} {}", host_name(), fmt::join(cores, ","));
  const auto places = comm.allgather(own);
  const Index sharing = std::count(places.begin(), places.end(), own);
  const Index available = std::max<Index>(static_cast<Index>(cores.size()), 1);
  if (configuration.threads == 0) {
    // The same everywhere: the smallest share of a rank.
    Index least = std::max<Index>(available / sharing, 1);
    for (const std::string& share : comm.allgather(std::to_string(least))) {
      least = std::min<Index>(least, std::stoll(share));
    }
    configuration.threads = least;
  }
  const bool crowded = sharing * configuration.threads > available;
  const auto answers = comm.allgather(
      crowded ? fmt::format("{} ranks x {} threads share {} core{} of {}: fewer would be faster",
                            sharing, configuration.threads, available, available == 1 ? "" : "s",
                            host_name())
              : "");
  std::set<std::string> crowded_places(answers.begin(), answers.end());
  crowded_places.erase("");
  return {crowded_places.begin(), crowded_places.end()};
}

}  // namespace sae
