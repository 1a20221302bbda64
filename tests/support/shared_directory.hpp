#pragma once

#include <memory>

#include "sae/comm/communicator.hpp"
#include "support/temporary_directory.hpp"

namespace sae {

/// One temporary folder for all ranks of a test on one host, removed by rank 0.
/// Collective: constructor. The test ends with a collective, or rank 0 may remove it too early.
class SharedDirectory {
 public:
  explicit SharedDirectory(Communicator& comm) {
    if (comm.is_root()) own_ = std::make_unique<TemporaryDirectory>();
    path_ = comm.allgather(own_ ? own_->path().string() : std::string())[0];
  }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::unique_ptr<TemporaryDirectory> own_;
  std::filesystem::path path_;
};

}  // namespace sae
