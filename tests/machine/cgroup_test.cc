#include "machine/cgroup.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <limits>
#include <sstream>
#include <string>

#include "core/scratch_folder.h"

namespace pleat {
namespace {

constexpr double unlimited = std::numeric_limits<double>::max();

class Cgroup : public testing::Test {
 protected:
  void group(const std::string& path, const std::string& name, const std::string& content) const {
    std::filesystem::create_directories(mount_.path() / path);
    ASSERT_TRUE(std::filesystem::exists(mount_.write(path + "/" + name, content)));
  }
  [[nodiscard]] double free(const std::string& membership) const {
    std::istringstream text(membership);
    return free_of_cgroup(mount_.path(), text);
  }

  [[nodiscard]] double processors(const std::string& membership) const {
    std::istringstream text(membership);
    return processors_of_cgroup(mount_.path(), text);
  }

 private:
  ScratchFolder mount_;
};

TEST_F(Cgroup, NoFilesAreNoLimit) {
  EXPECT_EQ(free(""), unlimited);
  EXPECT_EQ(free("0::/\n"), unlimited);
  EXPECT_EQ(free("no colons at all\n0:one\n"), unlimited);
}

TEST_F(Cgroup, Processors) {
  EXPECT_EQ(processors("0::/\n"), unlimited);
  group("user/job", "cpu.max", "max 100000\n");
  EXPECT_EQ(processors("0::/user/job\n"), unlimited);
  group("user/job", "cpu.max", "150000 100000\n");
  EXPECT_EQ(processors("0::/user/job\n"), 1.5);
  group("user", "cpu.max", "50000 100000\n");
  EXPECT_EQ(processors("0::/user/job\n"), 0.5);
  // Version 1: -1 is no limit.
  group("cpu/job", "cpu.cfs_quota_us", "-1\n");
  group("cpu/job", "cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(processors("4:cpu,cpuacct:/job\n"), unlimited);
  group("cpu/job", "cpu.cfs_quota_us", "300000\n");
  EXPECT_EQ(processors("4:cpu,cpuacct:/job\n2:memory:/job\n"), 3);
  EXPECT_EQ(processors("4:cpuset:/job\n"), unlimited);
}

TEST_F(Cgroup, VersionTwo) {
  group("user/job", "memory.max", "8000000\n");
  group("user/job", "memory.current", "3000000\n");
  EXPECT_EQ(free("0::/user/job\n"), 5e6);
  group("user/job", "memory.stat", "anon 5\ninactive_file 1000000\nactive_file 7\n");
  EXPECT_EQ(free("0::/user/job\n"), 6e6);
}

TEST_F(Cgroup, TheWordMaxIsNoLimit) {
  group("job", "memory.max", "max\n");
  group("job", "memory.current", "3000000\n");
  EXPECT_EQ(free("0::/job\n"), unlimited);
}

TEST_F(Cgroup, ALimitAboveBindsWhatIsBelow) {
  group("slurm", "memory.max", "4000000\n");
  group("slurm/job_1/step_0", "memory.max", "9000000\n");
  EXPECT_EQ(free("0::/slurm/job_1/step_0\n"), 4e6);
}

TEST_F(Cgroup, InAContainerTheRootHoldsTheLimit) {
  group(".", "memory.max", "7000000\n");
  EXPECT_EQ(free("0::/docker/of/the/host\n"), 7e6);
  EXPECT_EQ(free("0::/\n"), 7e6);
}

TEST_F(Cgroup, VersionOneHasAFolderPerController) {
  group("memory/batch/42", "memory.limit_in_bytes", "2000000\n");
  group("memory/batch/42", "memory.usage_in_bytes", "500000\n");
  group("memory/batch/42", "memory.stat", "inactive_file 1\ntotal_inactive_file 250000\n");
  group("cpu/batch/42", "memory.limit_in_bytes", "1\n");
  EXPECT_EQ(free("5:cpu,cpuacct:/batch/42\n4:memory:/batch/42\n0::/\n"), 1.75e6);
  EXPECT_EQ(free("4:hugetlb,memory:/batch/42\n"), 1.75e6);
  EXPECT_EQ(free("4:memoryless:/batch/42\n"), unlimited);
}

}  // namespace
}  // namespace pleat
