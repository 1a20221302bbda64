#include "core/control_groups.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <string>

#include "support/temporary_directory.hpp"

namespace sae {
namespace {

constexpr const char* kUnlimited = "9223372036854771712\n";

/// A tree of files as the kernel shows them.
struct ControlGroups : testing::Test {
  TemporaryDirectory directory;

  void put(const std::string& path, const std::string& text) {
    const auto file = directory.path() / path;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file) << text;
  }
  void put_memory_1(const std::string& group, const std::string& limit, const std::string& usage,
                    const std::string& kept = "0") {
    const std::string folder = "sys/fs/cgroup/memory" + group;
    put(folder + "/memory.limit_in_bytes", limit);
    put(folder + "/memory.usage_in_bytes", usage);
    put(folder + "/memory.stat",
        "active_file 7\ntotal_inactive_file " + kept + "\ntotal_active_file 1000\n");
  }
  void put_memory_2(const std::string& group, const std::string& max, const std::string& high,
                    const std::string& current) {
    const std::string folder = "sys/fs/cgroup" + group;
    put(folder + "/memory.max", max);
    put(folder + "/memory.high", high);
    put(folder + "/memory.current", current);
    put(folder + "/memory.stat", "anon 5\nactive_file 100\ninactive_file 20\n");
  }
  void put_version_1(const std::string& top = "/") {
    put("proc/self/cgroup",
        "5:cpuacct,cpu:/slurm/job\n4:memory:/slurm/job/step\n1:name=systemd:/x\n0::/init\n");
    put("proc/self/mountinfo",
        "22 1 0:20 / /proc rw - proc proc rw\n"
        "31 23 0:28 " +
            top +
            " /sys/fs/cgroup/cpu rw,nosuid shared:9 - cgroup cgroup rw,cpu,cpuacct\n"
            "32 23 0:29 " +
            top +
            " /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
            "33 23 0:30 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n");
  }
  void put_version_2(const std::string& group, const std::string& top = "/") {
    put("proc/self/cgroup", "0::" + group + "\n");
    put("proc/self/mountinfo",
        "31 23 0:28 " + top + " /sys/fs/cgroup rw - cgroup2 cgroup2 rw,nsdelegate\n");
  }
  GroupLimits limits() { return control_group_limits(directory.path()); }
};

TEST_F(ControlGroups, ThatAreNotThereLimitNothing) {
  EXPECT_EQ(limits().free_memory, std::nullopt);
  EXPECT_EQ(limits().cores, std::nullopt);
}

TEST_F(ControlGroups, OfVersion1LeaveTheLimitLessWhatIsUsed) {
  put_version_1();
  put_memory_1("", kUnlimited, "99");
  put_memory_1("/slurm/job/step", "700000\n", "300000\n", "50000");
  EXPECT_EQ(limits().free_memory, 700000 - 300000 + 51000);
}

TEST_F(ControlGroups, OfVersion1AreLimitedByAllThatTheyArePartOf) {
  put_version_1();
  put_memory_1("/slurm", kUnlimited, "900000");
  put_memory_1("/slurm/job", "500000\n", "400000\n");
  put_memory_1("/slurm/job/step", "700000\n", "300000\n");
  EXPECT_EQ(limits().free_memory, 101000);
}

TEST_F(ControlGroups, OfVersion1WithoutLimitHaveNone) {
  put_version_1();
  put_memory_1("/slurm/job/step", kUnlimited, "300000\n");
  put("sys/fs/cgroup/cpu/slurm/job/cpu.cfs_quota_us", "-1\n");
  put("sys/fs/cgroup/cpu/slurm/job/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(limits().free_memory, std::nullopt);
  EXPECT_EQ(limits().cores, std::nullopt);
}

TEST_F(ControlGroups, OfVersion1GrantTheSmallestQuota) {
  put_version_1();
  put("sys/fs/cgroup/cpu/slurm/cpu.cfs_quota_us", "150000\n");
  put("sys/fs/cgroup/cpu/slurm/cpu.cfs_period_us", "100000\n");
  put("sys/fs/cgroup/cpu/slurm/job/cpu.cfs_quota_us", "800000\n");
  put("sys/fs/cgroup/cpu/slurm/job/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(limits().cores, 1.5);
}

TEST_F(ControlGroups, OfAContainerAreSeenAtItsTop) {
  // Docker shows the group itself; its name is the host's.
  put_version_1("/slurm/job");
  put_memory_1("", "600000\n", "100000\n");
  put("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "200000\n");
  put("sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(limits().free_memory, 501000);
  EXPECT_EQ(limits().cores, 2);
  put_memory_1("/step", "300000\n", "100000\n");
  EXPECT_EQ(limits().free_memory, 201000);
  // Of a group beside the one that is seen, the latter is all that is known.
  put_version_1("/docker/other");
  EXPECT_EQ(limits().free_memory, 501000);
}

TEST_F(ControlGroups, OfVersion2LeaveTheLimitLessWhatIsUsed) {
  put_version_2("/system.slice/job");
  put_memory_2("/system.slice", "max\n", "max\n", "900000\n");
  put_memory_2("/system.slice/job", "700000\n", "max\n", "300000\n");
  EXPECT_EQ(limits().free_memory, 700000 - 300000 + 120);
}

TEST_F(ControlGroups, OfVersion2AreSlowedDownAtTheHighMark) {
  put_version_2("/job");
  put_memory_2("/job", "700000\n", "500000\n", "300000\n");
  EXPECT_EQ(limits().free_memory, 200120);
}

TEST_F(ControlGroups, OfVersion2ThatUseMoreThanTheyMayLeaveNothing) {
  put_version_2("/job");
  put_memory_2("/job", "max\n", "100000\n", "300000\n");
  EXPECT_EQ(limits().free_memory, 0);
}

TEST_F(ControlGroups, OfVersion2AreLimitedByAllThatTheyArePartOf) {
  put_version_2("/a/b");
  put_memory_2("/a", "400000\n", "max\n", "390000\n");
  put_memory_2("/a/b", "300000\n", "max\n", "10000\n");
  put("sys/fs/cgroup/a/cpu.max", "250000 100000\n");
  put("sys/fs/cgroup/a/b/cpu.max", "max 100000\n");
  EXPECT_EQ(limits().free_memory, 10120);
  EXPECT_EQ(limits().cores, 2.5);
}

TEST_F(ControlGroups, OfVersion2InAContainerAreItsTop) {
  put_version_2("/");
  put_memory_2("", "700000\n", "max\n", "300000\n");
  put("sys/fs/cgroup/cpu.max", "50000 100000\n");
  EXPECT_EQ(limits().free_memory, 400120);
  EXPECT_EQ(limits().cores, 0.5);
}

}  // namespace
}  // namespace sae
