#pragma once

#include <set>
#include <string>
#include <vector>

#include "sae/core/host.hpp"
#include "sae/core/types.hpp"

namespace sae {

enum class Fitness { kOk, kWarning, kProblem };

struct Finding {
  Fitness fitness = Fitness::kOk;
  std::string subject;
  std::string text;  ///< What was found and, unless kOk, what to do.
};

/// What a rank finds on its host.
struct RankFacts {
  std::string host;
  std::set<int> cores;       ///< That it is bound to.
  double granted_cores = 0;  ///< CPU quota of control groups; 0: no limit.
  Processor processor;
  bool multiplies_bfloat16 = false;  ///< As has_native_bfloat16().
  std::string program;               ///< Version of sae_dist.
  std::string mpi;
  std::string kernels;
  double shared_memory = 0;  ///< Free, in bytes.
  double memory = 0;         ///< Free, in bytes.
};

std::string to_json(const RankFacts& facts);
RankFacts facts_of_json(const std::string& text);

/// Findings from the facts of all ranks, each with `threads` threads; 0: as many as it has cores.
/// A pure function.
std::vector<Finding> check_ranks(const std::vector<RankFacts>& ranks, Index threads);

/// One line: "warning  shared memory  ...".
std::string line_of(const Finding& finding);

/// Least shared memory that a node needs, in bytes.
inline constexpr double kLeastSharedMemory = 32e6;

}  // namespace sae
