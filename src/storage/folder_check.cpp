#include "sae/storage/folder_check.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/statfs.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <map>
#include <span>
#include <system_error>
#include <vector>

#include "sae/core/error.hpp"
#include "sae/storage/hdf5_file.hpp"
#include "sae/storage/output_file.hpp"

namespace sae {
namespace {

/// By the numbers of statfs(2) and of the file systems' own documentation.
std::string name_of_file_system(unsigned long type) {
  static const std::map<unsigned long, const char*> names = {
      {0xef53, "ext4"},        {0x58465342, "xfs"},      {0x9123683e, "btrfs"},
      {0x2fc12fc1, "zfs"},     {0x01021994, "tmpfs"},    {0x858458f6, "ramfs"},
      {0x794c7630, "overlay"}, {0x6969, "nfs"},          {0x0bd00bd0, "lustre"},
      {0x47504653, "gpfs"},    {0x19830326, "beegfs"},   {0x00c36400, "ceph"},
      {0x65735546, "fuse"},    {0xfe534d42, "smb"},      {0xff534d42, "cifs"},
      {0x01021997, "9p"},      {0x6a656a63, "virtiofs"}, {0x5346414f, "afs"},
      {0xaad7aaea, "panfs"},   {0x20030528, "orangefs"}};
  const auto found = names.find(type);
  return found != names.end() ? found->second : fmt::format("type {:#x}", type);
}

bool can_lock(const std::filesystem::path& file) {
  const int descriptor = ::open(file.c_str(), O_RDWR | O_CLOEXEC);
  if (descriptor < 0) return false;
  const bool locked = ::flock(descriptor, LOCK_EX | LOCK_NB) == 0;
  ::close(descriptor);
  return locked;
}

}  // namespace

FolderReport check_folder(const std::filesystem::path& folder) {
  constexpr Index kElements = Index{1} << 18;
  FolderReport report;
  struct statfs status {};
  if (::statfs(folder.c_str(), &status) != 0) {
    throw OutputError(fmt::format("Cannot look at the folder {}: {}.", folder.string(),
                                  std::system_category().message(errno)));
  }
  report.file_system = name_of_file_system(static_cast<unsigned long>(status.f_type) & 0xffffffff);
  report.in_memory = report.file_system == "tmpfs" || report.file_system == "ramfs";
  report.free_bytes = static_cast<double>(status.f_bavail) * static_cast<double>(status.f_bsize);

  std::vector<float> values(static_cast<std::size_t>(kElements));
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i);
  const auto begin = std::chrono::steady_clock::now();
  OutputFile file(folder / "sae_dist-doctor.h5");  // Never renamed, so it leaves nothing.
  auto written = Hdf5File::create(file.temporary_path());
  written.write<float>("/values", {kElements}, values);
  written.close();
  file.sync_file();
  report.write_seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  std::vector<float> found(values.size());
  Hdf5File::open(file.temporary_path()).read_rows<float>("/values", {0, kElements}, found);
  if (found != values) {
    throw OutputError(
        fmt::format("A file in {} does not read back as it was written.", folder.string()));
  }
  report.locks = can_lock(file.temporary_path());
  return report;
}

}  // namespace sae
