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
  std::string text;  ///< What was found and, unless it is ok, what to do.
};

/// What a rank sees where it runs.
struct RankFacts {
  std::string host;
  std::set<int> cores;       ///< That it may run on.
  double granted_cores = 0;  ///< By control groups; 0: no limit.
  Processor processor;
  bool multiplies_bfloat16 = false;  ///< By instructions, in the library behind the products.
  std::string program;               ///< Its version.
  std::string mpi;
  std::string kernels;
  double shared_memory = 0;  ///< Free, in bytes.
  double memory = 0;         ///< Free, in bytes.
};

std::string to_json(const RankFacts& facts);
RankFacts facts_of_json(const std::string& text);

/// What the facts of all ranks mean, each with `threads` threads; 0: as many as there are cores
/// for. A function of its arguments.
std::vector<Finding> check_ranks(const std::vector<RankFacts>& ranks, Index threads);

/// One line: "warning  shared memory  ...".
std::string line_of(const Finding& finding);

/// Shared memory that a node needs at least, in bytes.
inline constexpr double kLeastSharedMemory = 32e6;

}  // namespace sae
