#include "sae/comm/placement.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <sstream>
#include <tuple>

#include "sae/core/host.hpp"

namespace sae {
namespace {

constexpr std::size_t kMostHosts = 16;

/// The number of ranks of a host that are bound to a subset of the cores.
Index ranks_within(const Placement& placement, const std::string& host,
                   const std::set<int>& cores) {
  Index count = 0;
  for (std::size_t r = 0; r < placement.hosts.size(); ++r) {
    if (placement.hosts[r] == host &&
        std::includes(cores.begin(), cores.end(), placement.cores[r].begin(),
                      placement.cores[r].end())) {
      ++count;
    }
  }
  return count;
}

Index ranks_of(const Placement& placement, const std::string& host) {
  return std::ranges::count(placement.hosts, host);
}

/// The CPU quota of a host's ranks together, in cores; 0: no limit.
double granted_by(const Placement& placement, const std::string& host) {
  double granted = 0;
  for (std::size_t r = 0; r < placement.granted.size(); ++r) {
    const double own = placement.granted[r];
    if (placement.hosts[r] != host || own <= 0) continue;
    granted = granted > 0 ? std::min(granted, own) : own;
  }
  return granted;
}

std::size_t cores_of(const Placement& placement, const std::string& host) {
  std::set<int> all;
  for (std::size_t r = 0; r < placement.hosts.size(); ++r) {
    if (placement.hosts[r] == host)
      all.insert(placement.cores[r].begin(), placement.cores[r].end());
  }
  return all.size();
}

/// Such as "ranks 0-3" or "rank 2".
std::string named(const char* noun, const std::set<int>& numbers) {
  return fmt::format("{}{} {}", noun, numbers.size() == 1 ? "" : "s", to_ranges(numbers));
}

/// Ranks of one host by the cores that they are bound to.
using Binding = std::map<std::set<int>, std::set<int>>;

/// Whether all ranks have equally many cores and share none.
bool is_apart(const Binding& binding) {
  std::set<int> all;
  const std::size_t each = binding.begin()->first.size();
  for (const auto& [cores, ranks] : binding) {
    if (cores.size() != each || ranks.size() != 1) return false;
    all.insert(cores.begin(), cores.end());
  }
  return all.size() == each * binding.size();
}

std::string describe(const Binding& binding) {
  if (binding.size() > 2 && is_apart(binding)) {
    std::set<int> all_cores;
    std::set<int> all_ranks;
    for (const auto& [cores, ranks] : binding) {
      all_cores.insert(cores.begin(), cores.end());
      all_ranks.insert(ranks.begin(), ranks.end());
    }
    return fmt::format("{}, {}, {} each", named("rank", all_ranks), named("core", all_cores),
                       binding.begin()->first.size());
  }
  std::map<int, std::string> parts;  // By first rank.
  for (const auto& [cores, ranks] : binding) {
    parts[*ranks.begin()] =
        named("rank", ranks) + (cores.empty() ? "" : ", " + named("core", cores));
  }
  std::string text;
  for (const auto& [first, part] : parts) text += (text.empty() ? "" : "; ") + part;
  return text;
}

}  // namespace

Placement gather_placement(Communicator& comm) {
  Placement placement;
  const std::string own = fmt::format("{} {} {}", host_name(), granted_cores().value_or(0),
                                      fmt::join(allowed_cores(), " "));
  for (const std::string& rank : comm.allgather(own)) {
    std::istringstream text(rank);
    text >> placement.hosts.emplace_back() >> placement.granted.emplace_back();
    placement.cores.emplace_back(std::istream_iterator<int>(text), std::istream_iterator<int>());
  }
  return placement;
}

std::string to_ranges(const std::set<int>& numbers) {
  std::string text;
  for (auto first = numbers.begin(); first != numbers.end();) {
    auto end = std::next(first);
    while (end != numbers.end() && *end == *std::prev(end) + 1) ++end;
    const int last = *std::prev(end);
    text += fmt::format("{}{}", text.empty() ? "" : ",", *first);
    if (last > *first) text += fmt::format("-{}", last);
    first = end;
  }
  return text;
}

std::vector<Index> cores_per_rank(const Placement& placement) {
  std::vector<Index> result;
  for (std::size_t r = 0; r < placement.hosts.size(); ++r) {
    const auto& [host, cores] = std::tie(placement.hosts[r], placement.cores[r]);
    Index share = static_cast<Index>(cores.size()) / ranks_within(placement, host, cores);
    if (const double granted = granted_by(placement, host); granted > 0) {
      share = std::min(share, static_cast<Index>(granted) / ranks_of(placement, host));
    }
    result.push_back(std::max<Index>(share, 1));
  }
  return result;
}

std::vector<std::string> oversubscribed_cores(const Placement& placement, Index threads) {
  std::set<std::pair<std::string, std::set<int>>> bindings;
  for (std::size_t r = 0; r < placement.hosts.size(); ++r) {
    if (!placement.cores[r].empty()) bindings.emplace(placement.hosts[r], placement.cores[r]);
  }
  std::vector<std::string> sentences;
  for (const auto& [host, cores] : bindings) {
    const Index ranks = ranks_within(placement, host, cores);
    const auto count = static_cast<Index>(cores.size());
    if (ranks * threads <= count) continue;
    sentences.push_back(fmt::format("on {} {} {} x {} thread{} {} {}: fewer would be faster", host,
                                    ranks, ranks == 1 ? "rank" : "ranks", threads,
                                    threads == 1 ? "" : "s", ranks == 1 ? "is bound to" : "share",
                                    named("core", cores)));
  }
  for (const std::string& host : std::set(placement.hosts.begin(), placement.hosts.end())) {
    const double granted = granted_by(placement, host);
    const Index used = ranks_of(placement, host) * threads;
    if (granted <= 0 || static_cast<double>(used) <= granted) continue;
    sentences.push_back(
        fmt::format("on {} {} {} the time of {:.3g} {}, the limit of their container or job: fewer "
                    "would be faster",
                    host, used, used == 1 ? "thread has" : "threads share", granted,
                    granted == 1 ? "core" : "cores"));
  }
  return sentences;
}

std::vector<std::string> describe(const Placement& placement) {
  std::vector<std::string> hosts;  // In the order of their first ranks.
  std::map<std::string, Binding> bindings;
  for (std::size_t r = 0; r < placement.hosts.size(); ++r) {
    const std::string& host = placement.hosts[r];
    if (!bindings.contains(host)) hosts.push_back(host);
    bindings[host][placement.cores[r]].insert(static_cast<int>(r));
  }
  std::vector<std::string> lines;
  for (const std::string& host : hosts) {
    if (lines.size() == kMostHosts && hosts.size() > kMostHosts) {
      lines.push_back(fmt::format("and {} more hosts", hosts.size() - kMostHosts));
      break;
    }
    const double granted = granted_by(placement, host);
    const bool limited = granted > 0 && granted < static_cast<double>(cores_of(placement, host));
    lines.push_back(fmt::format("{}: {}{}", host, describe(bindings[host]),
                                limited ? fmt::format(", the time of {:.3g}", granted) : ""));
  }
  return lines;
}

}  // namespace sae
