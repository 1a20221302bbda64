#include "doctor_checks.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "sae/core/text.hpp"

namespace sae {
namespace {

/// Bytes for the default network: parameters, momentum, and the gradient of a rank.
constexpr double kSharedMemoryOfNode = 40e6;
constexpr double kSharedMemoryOfRank = 20e6;
constexpr double kMemoryOfRank = 300e6;

using Ranks = std::vector<RankFacts>;

std::map<std::string, Ranks> by_host(const Ranks& ranks) {
  std::map<std::string, Ranks> nodes;
  for (const RankFacts& rank : ranks) nodes[rank.host].push_back(rank);
  return nodes;
}

std::string plural(Index count, const char* noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

/// The distinct values of a fact over ranks, each with its first host.
template <typename Value>
std::map<std::string, std::string> differing(const Ranks& ranks, const Value& value) {
  std::map<std::string, std::string> found;
  for (const RankFacts& rank : ranks) found.emplace(value(rank), rank.host);
  return found;
}

/// Such as "a on node1, b on node2".
std::string listed(const std::map<std::string, std::string>& values) {
  std::string text;
  for (const auto& [value, host] : values) {
    text += fmt::format("{}{} on {}", text.empty() ? "" : ", ", value, host);
  }
  return text;
}

Finding check_programs(const Ranks& ranks) {
  const auto programs = differing(ranks, [](const RankFacts& rank) {
    return fmt::format("sae_dist {}, {}, {}", rank.program, rank.mpi, rank.kernels);
  });
  if (programs.size() > 1) {
    return {
        Fitness::kProblem, "program",
        fmt::format("{}; install the same program and libraries on all nodes", listed(programs))};
  }
  const std::string& program = programs.begin()->first;
  if (program.find("oneDNN") == std::string::npos) {
    return {Fitness::kWarning, "program",
            fmt::format("{}; without oneDNN products take two to three times as long: install it "
                        "(libdnnl-dev) and build again",
                        program)};
  }
  return {Fitness::kOk, "program", program};
}

/// Compares ranks x threads of a node with its cores.
Finding check_cores(const std::string& host, const Ranks& ranks, Index threads) {
  std::set<int> cores;
  double granted = 0;
  bool crowded = false;
  for (const RankFacts& rank : ranks) {
    cores.insert(rank.cores.begin(), rank.cores.end());
    granted = rank.granted_cores;
    const auto sharing = std::count_if(ranks.begin(), ranks.end(), [&](const RankFacts& other) {
      return other.cores == rank.cores;
    });
    const auto own = static_cast<Index>(rank.cores.size());
    crowded = crowded || sharing * std::max<Index>(threads, 1) > std::max<Index>(own, 1);
  }
  const auto count = static_cast<Index>(ranks.size());
  const auto available = static_cast<Index>(cores.size());
  const Index used = count * std::max<Index>(threads, 1);
  const std::string found = fmt::format("{} x {} on {} of {}", plural(count, "rank"),
                                        threads == 0 ? "auto threads" : plural(threads, "thread"),
                                        plural(available, "core"), host);
  if (granted > 0 && granted < static_cast<double>(std::min(used, available))) {
    return {Fitness::kWarning, "cores",
            fmt::format("{}, of which the container or job may use {:.3g}; raise its limit or "
                        "start fewer ranks",
                        found, granted)};
  }
  if (crowded && used <= available) {
    return {Fitness::kWarning, "cores",
            fmt::format("{}, but several are bound to the same one; start with "
                        "'mpirun --bind-to core' or 'srun --cpu-bind=cores'",
                        found)};
  }
  if (crowded) {
    return {
        Fitness::kWarning, "cores",
        fmt::format("{}: they wait for each other; start at most {} there", found,
                    plural(std::max<Index>(available / std::max<Index>(threads, 1), 1), "rank"))};
  }
  if (threads > 0 && used < available) {
    return {Fitness::kWarning, "cores",
            fmt::format("{}, {} stay idle; 'mpirun -np {}' would use all of this node", found,
                        available - used, available / threads)};
  }
  return {Fitness::kOk, "cores", found};
}

std::string instructions_of(const RankFacts& rank) {
  const Processor& p = rank.processor;
  return fmt::format("{} ({})", p.name.empty() ? "a processor without a name" : p.name,
                     p.has_amx_bfloat16      ? "AMX with bfloat16"
                     : p.has_avx512_bfloat16 ? "AVX-512 with bfloat16"
                     : p.has_avx512          ? "AVX-512"
                     : p.has_avx2            ? "AVX2"
                                             : "without AVX2");
}

Finding check_matrix_units(const Ranks& ranks) {
  const auto processors = differing(ranks, instructions_of);
  const std::string found = processors.size() == 1 ? processors.begin()->first : listed(processors);
  const auto native = std::count_if(ranks.begin(), ranks.end(),
                                    [](const RankFacts& rank) { return rank.multiplies_bfloat16; });
  if (native > 0 && native < static_cast<Index>(ranks.size())) {
    return {Fitness::kWarning, "matrix units",
            found +
                "; --precision auto takes float32 on all, since some cannot multiply "
                "bfloat16: leave those out to go faster"};
  }
  if (processors.size() > 1) {
    return {Fitness::kWarning, "matrix units",
            found +
                "; the slowest sets the pace, and other processors round differently: use "
                "nodes of one kind"};
  }
  const Processor& processor = ranks.front().processor;
  if (native == 0 && (processor.has_amx_bfloat16 || processor.has_avx512_bfloat16)) {
    return {Fitness::kWarning, "matrix units",
            found + ", but products are float32; unset SAE_NO_BFLOAT16, or build with oneDNN"};
  }
  if (!processor.has_avx2) {
    return {Fitness::kWarning, "matrix units", found + "; a newer processor is many times as fast"};
  }
  return {Fitness::kOk, "matrix units",
          fmt::format("{}; --precision auto takes {}", found, native > 0 ? "bfloat16" : "float32")};
}

Finding check_shared_memory(const std::string& host, const Ranks& ranks) {
  double available = ranks.front().shared_memory;
  for (const RankFacts& rank : ranks) available = std::min(available, rank.shared_memory);
  const double needed =
      kSharedMemoryOfNode + kSharedMemoryOfRank * static_cast<double>(ranks.size());
  const std::string found = fmt::format("{} free in /dev/shm of {}", megabytes(available), host);
  const char* advice =
      "enlarge it ('docker --shm-size', 'mount -o remount,size=...') or remove "
      "what is left there";
  if (ranks.size() == 1) return {Fitness::kOk, "shared memory", found + ", one rank needs none"};
  if (available < kLeastSharedMemory) {
    return {Fitness::kProblem, "shared memory",
            fmt::format("{}, ranks need at least {}; {}", found, megabytes(kLeastSharedMemory),
                        advice)};
  }
  if (available < needed) {
    return {Fitness::kWarning, "shared memory",
            fmt::format("{}, the default network with {} wants {}; without it each rank holds a "
                        "model of its own: {}",
                        found, plural(static_cast<Index>(ranks.size()), "rank"), megabytes(needed),
                        advice)};
  }
  return {Fitness::kOk, "shared memory", found};
}

Finding check_memory(const std::string& host, const Ranks& ranks) {
  const double available = ranks.front().memory;
  const double needed = kMemoryOfRank * static_cast<double>(ranks.size());
  const std::string found = fmt::format("{} free on {}", megabytes(available), host);
  if (available > 0 && available < needed) {
    return {Fitness::kWarning, "memory",
            fmt::format("{}, {} want about {}; start fewer or end what else runs there", found,
                        plural(static_cast<Index>(ranks.size()), "rank"), megabytes(needed))};
  }
  return {Fitness::kOk, "memory", found};
}

}  // namespace

std::string to_json(const RankFacts& facts) {
  const Processor& p = facts.processor;
  return nlohmann::json{
      {"host", facts.host},
      {"cores", facts.cores},
      {"granted_cores", facts.granted_cores},
      {"processor", p.name},
      {"units", {p.has_avx2, p.has_avx512, p.has_avx512_bfloat16, p.has_amx_bfloat16}},
      {"multiplies_bfloat16", facts.multiplies_bfloat16},
      {"program", facts.program},
      {"mpi", facts.mpi},
      {"kernels", facts.kernels},
      {"shared_memory", facts.shared_memory},
      {"memory", facts.memory}}
      .dump();
}

RankFacts facts_of_json(const std::string& text) {
  const auto json = nlohmann::json::parse(text);
  const auto& units = json["units"];
  return {.host = json["host"],
          .cores = json["cores"],
          .granted_cores = json["granted_cores"],
          .processor = {.name = json["processor"],
                        .has_avx2 = units[0],
                        .has_avx512 = units[1],
                        .has_avx512_bfloat16 = units[2],
                        .has_amx_bfloat16 = units[3]},
          .multiplies_bfloat16 = json["multiplies_bfloat16"],
          .program = json["program"],
          .mpi = json["mpi"],
          .kernels = json["kernels"],
          .shared_memory = json["shared_memory"],
          .memory = json["memory"]};
}

std::vector<Finding> check_ranks(const std::vector<RankFacts>& ranks, Index threads) {
  std::vector<Finding> findings = {check_programs(ranks), check_matrix_units(ranks)};
  for (const auto& [host, of_host] : by_host(ranks)) {
    findings.push_back(check_cores(host, of_host, threads));
    findings.push_back(check_memory(host, of_host));
    findings.push_back(check_shared_memory(host, of_host));
  }
  return findings;
}

std::string line_of(const Finding& finding) {
  const char* fitness = finding.fitness == Fitness::kOk        ? "ok"
                        : finding.fitness == Fitness::kWarning ? "warning"
                                                               : "problem";
  return fmt::format("{:<8} {:<14} {}\n", fitness, finding.subject, finding.text);
}

}  // namespace sae
