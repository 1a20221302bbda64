#include "app/doctor_checks.hpp"

#include <gtest/gtest.h>

namespace sae {
namespace {

/// A rank where nothing is amiss.
RankFacts fit_rank(const std::string& host = "a", std::set<int> cores = {0, 1, 2, 3}) {
  return {.host = host,
          .cores = std::move(cores),
          .granted_cores = 0,
          .processor = {.name = "Fast",
                        .has_avx2 = true,
                        .has_avx512 = true,
                        .has_avx512_bfloat16 = true,
                        .has_amx_bfloat16 = false},
          .multiplies_bfloat16 = true,
          .program = "1.0",
          .mpi = "MPI 4",
          .kernels = "oneDNN 2",
          .shared_memory = 8e9,
          .memory = 16e9};
}

/// The finding about a subject; of several the least fit.
Finding about(const std::string& subject, const std::vector<RankFacts>& ranks, Index threads = 1) {
  Finding result;
  for (const Finding& finding : check_ranks(ranks, threads)) {
    if (finding.subject != subject) continue;
    if (result.subject.empty() || finding.fitness > result.fitness) result = finding;
  }
  return result;
}

void expect(Fitness fitness, const std::string& words, const Finding& finding) {
  EXPECT_EQ(finding.fitness, fitness) << line_of(finding);
  EXPECT_NE(line_of(finding).find(words), std::string::npos) << line_of(finding);
}

TEST(Doctor, FindsNothingWhereNothingIsAmiss) {
  const std::vector<RankFacts> ranks(4, fit_rank());
  for (const Index threads : {0, 1}) {
    for (const Finding& finding : check_ranks(ranks, threads)) {
      expect(Fitness::kOk, "ok  ", finding);
    }
  }
}

TEST(Doctor, TellsRanksThatShareCores) {
  const auto crowded = about("cores", std::vector<RankFacts>(5, fit_rank()));
  expect(Fitness::kWarning, "5 ranks x 1 thread on 4 cores of a", crowded);
  expect(Fitness::kWarning, "start at most 4 ranks", crowded);
  expect(Fitness::kWarning, "start at most 2 ranks",
         about("cores", std::vector<RankFacts>(3, fit_rank()), 2));
}

TEST(Doctor, TellsRanksThatAreBoundToOneCoreWhileOthersAreFree) {
  expect(Fitness::kWarning, "--bind-to core",
         about("cores", {fit_rank("a", {0}), fit_rank("a", {0}), fit_rank("a", {1, 2})}, 1));
  expect(Fitness::kOk, "2 ranks", about("cores", {fit_rank("a", {0}), fit_rank("a", {1})}, 1));
}

TEST(Doctor, TellsCoresThatStayIdle) {
  expect(Fitness::kWarning, "mpirun -np 4", about("cores", {fit_rank(), fit_rank()}, 1));
  expect(Fitness::kOk, "auto threads", about("cores", {fit_rank(), fit_rank()}, 0));
}

TEST(Doctor, TellsALimitOfProcessorTimeBelowTheCores) {
  RankFacts limited = fit_rank();
  limited.granted_cores = 1.5;
  expect(Fitness::kWarning, "may use 1.5", about("cores", {limited, limited, limited, limited}));
}

TEST(Doctor, ComparesTheProgramsOfTheNodes) {
  RankFacts other = fit_rank("b");
  other.mpi = "MPI 5";
  const auto found = about("program", {fit_rank(), other});
  expect(Fitness::kProblem, "MPI 4", found);
  expect(Fitness::kProblem, "MPI 5", found);
  expect(Fitness::kProblem, "on b", found);
}

TEST(Doctor, ComparesTheProcessorsOfTheNodes) {
  RankFacts slow = fit_rank("b");
  slow.processor.name = "Slow";
  expect(Fitness::kWarning, "one kind", about("matrix units", {fit_rank(), slow}));
  slow.processor = Processor();
  slow.processor.has_avx2 = true;
  slow.multiplies_bfloat16 = false;
  expect(Fitness::kWarning, "float32 on all", about("matrix units", {fit_rank(), slow}));
  expect(Fitness::kOk, "takes float32", about("matrix units", {slow, slow}));
}

TEST(Doctor, TellsMatrixUnitsThatAreNotUsed) {
  RankFacts unused = fit_rank();
  unused.multiplies_bfloat16 = false;
  expect(Fitness::kWarning, "SAE_NO_BFLOAT16", about("matrix units", {unused}));
  unused.kernels = "Eigen 3";
  expect(Fitness::kWarning, "without oneDNN", about("program", {unused}));
}

TEST(Doctor, TellsSharedMemoryThatIsTooSmallForTheRanksOfANode) {
  std::vector<RankFacts> ranks = {fit_rank("a"), fit_rank("a"), fit_rank("b"), fit_rank("b")};
  ranks[3].shared_memory = 64e6;
  const auto found = about("shared memory", ranks);
  expect(Fitness::kWarning, "64 MB free in /dev/shm of b", found);
  ranks[3].shared_memory = 8e6;
  expect(Fitness::kProblem, "--shm-size", about("shared memory", ranks));
  expect(Fitness::kOk, "needs none", about("shared memory", {ranks[3]}));
}

TEST(Doctor, TellsMemoryThatIsTooSmallForTheRanksOfANode) {
  RankFacts rank = fit_rank();
  rank.memory = 500e6;
  expect(Fitness::kWarning, "600 MB", about("memory", {rank, rank}));
  expect(Fitness::kOk, "500 MB", about("memory", {rank}));
}

TEST(Doctor, FactsOfOtherRanksArriveAsTheyWere) {
  RankFacts facts = fit_rank("host", {3, 7});
  facts.granted_cores = 2.5;
  const RankFacts again = facts_of_json(to_json(facts));
  EXPECT_EQ(to_json(again), to_json(facts));
  EXPECT_EQ(again.cores, facts.cores);
  EXPECT_EQ(again.processor.has_avx512_bfloat16, true);
  EXPECT_EQ(again.processor.has_amx_bfloat16, false);
}

}  // namespace
}  // namespace sae
