#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <optional>
#include <system_error>

#include "commands.hpp"
#include "doctor_checks.hpp"
#include "sae/comm/mpi_session.hpp"
#include "sae/comm/node_memory.hpp"
#include "sae/comm/watchdog.hpp"
#include "sae/core/text.hpp"
#include "sae/data/dataset_file.hpp"
#include "sae/kernels/products.hpp"
#include "sae/storage/folder_check.hpp"
#include "search.hpp"
#include "version.hpp"

namespace sae {
namespace {

namespace fs = std::filesystem;

RankFacts own_facts() {
  return {.host = host_name(),
          .cores = allowed_cores(),
          .granted_cores = granted_cores().value_or(0),
          .processor = processor(),
          .multiplies_bfloat16 = has_native_bfloat16(),
          .program = kVersion,
          .mpi = MpiSession::library_version(),
          .kernels = kernel_description(),
          .shared_memory = static_cast<double>(NodeMemory::available()),
          .memory = available_memory()};
}

/// Times sums over ranks and checks their results. Collective.
Finding probe_communication(Communicator& comm) {
  constexpr double kSlow = 0.05;  // Seconds; a slow network takes a tenth of it.
  constexpr int kRepetitions = 20;
  using Clock = std::chrono::steady_clock;
  std::vector<float> values(1 << 18);
  std::array<double, kRepetitions> seconds{};
  bool right = true;
  for (double& time : seconds) {
    std::fill(values.begin(), values.end(), static_cast<float>(comm.rank() + 1));
    comm.barrier();
    const auto begin = Clock::now();
    comm.allreduce_sum(std::span(values));
    time = std::chrono::duration<double>(Clock::now() - begin).count();
    const auto sum = static_cast<float>(comm.size() * (comm.size() + 1)) / 2;
    right = right && std::all_of(values.begin(), values.end(), [&](float v) { return v == sum; });
  }
  std::nth_element(seconds.begin(), seconds.begin() + kRepetitions / 2, seconds.end());
  const double median = seconds[kRepetitions / 2];
  double wrong = right ? 0 : 1;
  comm.allreduce_sum(std::span(&wrong, 1));
  const std::string found =
      fmt::format("1 MiB is summed over {} ranks in {:.2f} ms", comm.size(), 1e3 * median);
  if (wrong > 0) {
    return {
        Fitness::kProblem, "messages",
        fmt::format("{} ranks got a wrong sum; check the MPI installation and the network", wrong)};
  }
  if (median > kSlow) {
    return {Fitness::kWarning, "messages",
            found +
                "; check which network MPI takes ('mpirun --mca btl_base_verbose 30') and "
                "that ranks do not share cores"};
  }
  return {Fitness::kOk, "messages", found};
}

/// Exchanges bytes between the ranks of each node through shared memory. Collective.
Finding probe_shared_memory(Communicator& comm) {
  const auto memory = comm.share_memory(1);
  *memory->segment(memory->node_rank()) = std::byte{1};
  comm.barrier();
  double unseen = 0;
  for (int rank = 0; rank < memory->node_size(); ++rank) {
    if (*memory->segment(rank) != std::byte{1}) unseen += 1;
  }
  comm.allreduce_sum(std::span(&unseen, 1));
  if (unseen > 0) {
    return {Fitness::kProblem, "shared memory",
            "ranks of a node do not see each other's bytes; check the MPI installation"};
  }
  return {Fitness::kOk, "shared memory", "ranks of each node see each other's bytes"};
}

/// The folder or, if it does not exist yet, its nearest existing ancestor.
fs::path existing_ancestor(fs::path folder) {
  std::error_code ignored;
  while (!folder.empty() && !fs::exists(folder, ignored)) folder = folder.parent_path();
  return folder.empty() ? "." : folder;
}

std::vector<Finding> probe_run_folder(const fs::path& run) {
  constexpr double kLittle = 500e6;
  constexpr double kSlow = 1;
  const fs::path folder = existing_ancestor(run);
  FolderReport report;
  try {
    report = check_folder(folder);
  } catch (const Error& error) {
    return {
        {Fitness::kProblem, "run folder", fmt::format("{} Name another by --run.", error.what())}};
  }
  const std::string found =
      fmt::format("{} ({}), {} free, 1 MiB of HDF5 is safe in {:.0f} ms", folder.string(),
                  report.file_system, megabytes(report.free_bytes), 1e3 * report.write_seconds);
  std::vector<Finding> findings;
  if (report.in_memory) {
    findings.push_back({Fitness::kWarning, "run folder",
                        found + "; it is lost when the machine restarts: name one on a disk"});
  } else if (report.free_bytes < kLittle) {
    findings.push_back({Fitness::kWarning, "run folder",
                        found + "; checkpoints of large networks need more: make room, or lower "
                                "--keep-checkpoints"});
  } else if (report.write_seconds > kSlow) {
    findings.push_back({Fitness::kWarning, "run folder",
                        found + "; choose longer --checkpoint-every, or a faster disk"});
  } else {
    findings.push_back({Fitness::kOk, "run folder", found});
  }
  findings.push_back(report.locks ? Finding{Fitness::kOk, "file locks", "work; sae_dist needs none"}
                                  : Finding{Fitness::kWarning, "file locks",
                                            "do not work; sae_dist needs none, other programs need "
                                            "HDF5_USE_FILE_LOCKING=FALSE to read its files"});
  return findings;
}

/// The finding for a check that does not return.
Finding no_answer(const std::string& subject) {
  const char* text =
      subject == "messages"
          ? "ranks do not reach each other, or one is stopped; check that no firewall "
            "is between the hosts, and which network MPI takes ('mpirun --mca "
            "btl_base_verbose 30', 'mpirun --mca btl_tcp_if_include NETWORK')"
          : "does not answer; name one on another file system";
  return {Fitness::kProblem, subject, text};
}

Finding probe_dataset(const fs::path& given, Heartbeat& heartbeat) {
  try {
    const fs::path path = find_dataset_here(given);
    const DatasetFile file(path, [&heartbeat] { heartbeat.beat(); });
    const DatasetInfo& info = file.info();
    return {Fitness::kOk, "data set",
            fmt::format("{} ({}): {} + {} samples of {} pixels", path.string(), info.name,
                        grouped(info.train_count), grouped(info.test_count), info.features)};
  } catch (const Error& error) {
    return {Fitness::kProblem, "data set",
            fmt::format("{} Name another by --data, or make it again by 'sae_dist import'.",
                        error.what())};
  }
}

}  // namespace

ExitCode run_doctor(const DoctorOptions& options, Communicator& comm, const std::string& fault) {
  double problems = 0;
  const auto print = [&](const Finding& finding) {
    if (!comm.is_root()) return;
    if (finding.fitness == Fitness::kProblem) problems += 1;
    fmt::print("{}", line_of(finding));
    std::fflush(stdout);  // The next check may hang.
  };
  const std::vector<std::string> subjects = {"messages", "run folder", "data set"};
  std::atomic<std::size_t> subject = 0;
  Watchdog watchdog(comm.rank(), std::chrono::duration<double>(options.stall_timeout), subjects,
                    [&](const std::string&) { print(no_answer(subjects[subject])); });
  Heartbeat& heartbeat = watchdog.heartbeat();
  const auto begin_subject = [&](std::size_t next) {
    subject = next;
    heartbeat.begin_stage(next);
  };
  begin_subject(0);
  heartbeat.enter(Phase::kExchange);
  if (!fault.empty()) print({Fitness::kProblem, "program", fault});
  std::vector<RankFacts> ranks;
  for (const std::string& text : comm.allgather(to_json(own_facts()))) {
    ranks.push_back(facts_of_json(text));
  }
  heartbeat.beat();
  for (const Finding& finding : check_ranks(ranks, options.threads)) print(finding);
  const bool shared_memory = std::all_of(ranks.begin(), ranks.end(), [](const RankFacts& rank) {
    return rank.shared_memory >= kLeastSharedMemory;
  });
  if (comm.size() > 1) {
    if (shared_memory) print(probe_shared_memory(comm));
    heartbeat.beat();
    print(probe_communication(comm));
  } else {
    print({Fitness::kOk, "messages",
           fmt::format("none, there is one rank; {}", MpiSession::library_version())});
  }
  heartbeat.enter(Phase::kFile);
  if (comm.is_root()) {
    begin_subject(1);
    for (const Finding& finding : probe_run_folder(options.run)) print(finding);
    begin_subject(2);
    print(probe_dataset(options.data, heartbeat));
  }
  heartbeat.idle = true;  // Other ranks only wait for rank 0, which is watched.
  comm.allreduce_sum(std::span(&problems, 1));
  return problems > 0 ? ExitCode::kInternal : ExitCode::kDone;
}

}  // namespace sae
