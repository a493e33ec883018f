#include "process/limits.h"

#include <catch2/catch.hpp>
#include <map>

namespace heapgauge {
namespace {

constexpr uint64_t kMiB = 1 << 20;

// A file system that is a map: what serve does with real files.
using FakeRoot = std::map<std::string, std::string>;

std::string Read(const FakeRoot& root, const std::string& path) {
  const auto found = root.find(path);
  return found == root.end() ? std::string() : found->second;
}

std::vector<CgroupLevel> Levels(const FakeRoot& root) {
  std::vector<CgroupLevel> levels;
  for (const CgroupDirectory& directory :
       MemoryCgroups(Read(root, "/proc/self/cgroup"), Read(root, "/proc/self/mountinfo"))) {
    CgroupTexts texts;
    texts.version = directory.version;
    const bool v2 = directory.version == 2;
    texts.limit = Read(root, directory.path + (v2 ? "/memory.max" : "/memory.limit_in_bytes"));
    texts.usage = Read(root, directory.path + (v2 ? "/memory.current" : "/memory.usage_in_bytes"));
    texts.stat = Read(root, directory.path + "/memory.stat");
    if (const auto level = ParseCgroupLevel(texts)) levels.push_back(*level);
  }
  return levels;
}

std::vector<std::string> Paths(const std::vector<CgroupDirectory>& directories) {
  std::vector<std::string> paths;
  for (const CgroupDirectory& directory : directories) paths.push_back(directory.path);
  return paths;
}

TEST_CASE("version 2: the nearest limit of all levels counts", "[process][limits]") {
  const FakeRoot root = {
      {"/proc/self/cgroup", "0::/system.slice/shop.service/worker\n"},
      {"/proc/self/mountinfo",
       "25 30 0:23 / /proc rw - proc proc rw\n"
       "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n"},
      {"/sys/fs/cgroup/system.slice/shop.service/worker/memory.max", "max\n"},
      {"/sys/fs/cgroup/system.slice/shop.service/worker/memory.current", "104857600\n"},
      {"/sys/fs/cgroup/system.slice/shop.service/memory.max", "209715200\n"},
      {"/sys/fs/cgroup/system.slice/shop.service/memory.current", "157286400\n"},
      {"/sys/fs/cgroup/system.slice/shop.service/memory.stat",
       "anon 100\ninactive_file 10485760\nactive_file 5\n"},
      {"/sys/fs/cgroup/system.slice/memory.max", "1073741824\n"},
      {"/sys/fs/cgroup/system.slice/memory.current", "209715200\n"},
  };  // the root of the hierarchy has neither file
  const std::vector<CgroupLevel> levels = Levels(root);
  REQUIRE(levels.size() == 3);
  CHECK_FALSE(levels[0].limit);
  CHECK(levels[1].limit == 200 * kMiB);
  CHECK(levels[1].usage == 140 * kMiB);  // the file cache goes first
  LimitInputs inputs;
  inputs.cgroups = levels;
  const auto nearest = NearestLimit(inputs);
  REQUIRE(nearest);
  CHECK(nearest->source == "cgroup");
  CHECK(nearest->limit_bytes == 200 * kMiB);
  CHECK(nearest->HeadroomBytes() == 60 * kMiB);
}

TEST_CASE("version 1 in a container: the mount begins below the root", "[process][limits]") {
  const FakeRoot root = {
      {"/proc/self/cgroup",
       "11:cpu,cpuacct:/docker/abc\n4:memory:/docker/abc/inner\n0::/docker/abc\n"},
      {"/proc/self/mountinfo",
       "40 35 0:31 /docker/abc /sys/fs/cgroup/cpu ro - cgroup cgroup rw,cpu,cpuacct\n"
       "41 35 0:32 /docker/abc /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n"},
      {"/sys/fs/cgroup/memory/inner/memory.limit_in_bytes", "9223372036854771712\n"},
      {"/sys/fs/cgroup/memory/inner/memory.usage_in_bytes", "1048576\n"},
      {"/sys/fs/cgroup/memory/memory.limit_in_bytes", "67108864\n"},
      {"/sys/fs/cgroup/memory/memory.usage_in_bytes", "33554432\n"},
      {"/sys/fs/cgroup/memory/memory.stat", "inactive_file 4096\ntotal_inactive_file 1048576\n"},
  };
  const std::vector<CgroupLevel> levels = Levels(root);
  REQUIRE(levels.size() == 2);
  CHECK_FALSE(levels[0].limit);
  CHECK(levels[1].limit == 64 * kMiB);
  CHECK(levels[1].usage == 31 * kMiB);
}

TEST_CASE("odd paths are read as they are meant", "[process][limits]") {
  const std::string v2 = "30 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n";
  CHECK(Paths(MemoryCgroups("0::/a\\040b\n", v2)) ==
        std::vector<std::string>{"/sys/fs/cgroup/a b", "/sys/fs/cgroup"});
  CHECK(Paths(MemoryCgroups("0::/\n", v2)) == std::vector<std::string>{"/sys/fs/cgroup"});
  // Moved out of the namespace's root.
  CHECK(Paths(MemoryCgroups("0::/../other\n", v2)) == std::vector<std::string>{"/sys/fs/cgroup"});
  // A mount of one directory, and a process in another whose name begins alike.
  const std::string part = "30 23 0:26 /docker/ab /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n";
  for (const std::string& path : Paths(MemoryCgroups("0::/docker/abc\n", part))) {
    CHECK(path.starts_with("/sys/fs/cgroup"));
    CHECK(path != "/sys/fs/cgroupc");
  }
}

TEST_CASE("damaged or missing files give no limit", "[process][limits]") {
  CHECK(MemoryCgroups("", "").empty());
  CHECK(MemoryCgroups("0::/a\n", "not a mount\n30 23\n - cgroup2\n").size() < 3);
  CHECK(MemoryCgroups("nonsense\n::\n:\n", "30 23 0:26 / /c rw - cgroup2 cgroup2 rw\n").empty());
  CHECK_FALSE(ParseCgroupLevel({2, "max", "", ""}));
  CHECK_FALSE(ParseCgroupLevel({2, "12x", "100", ""}));
  CHECK_FALSE(ParseCgroupLevel({2, "99999999999999999999999", "100", ""}));
  CHECK(ParseCgroupLevel({2, "200", "100", "inactive_file 500\n"})->usage == 0);
  CHECK(ParseCgroupLevel({2, "200", "100", "inactive_file\ninactive_file x"})->usage == 100);
  CHECK_FALSE(NearestLimit({}));
}

TEST_CASE("the process's own files, in bytes", "[process][limits]") {
  const ProcessStatus status = ParseProcessStatus(
      "Name:\tshop\nVmSize:\t  2048 kB\nVmRSS:\t    1024 kB\nRssAnon:\t 512 kB\nVmData:\t 300 kB\n"
      "VmStk:\t broken\nVmSwap:\t 99999999999999999 kB\nHugetlbPages:\t 4 kB\n"
      "Threads:\t17\n");
  CHECK(status.huge == 4096);
  CHECK(status.virtual_size == 2 * kMiB);
  CHECK(status.rss == kMiB);
  CHECK(status.rss_anon == kMiB / 2);
  CHECK(status.data == 300 * 1024);
  CHECK(status.threads == 17);
  CHECK_FALSE(status.stack);
  CHECK_FALSE(status.swap);  // does not fit
  CHECK_FALSE(ParseProcessStatus("").rss);

  const auto statm = ParseStatm("500 200 50 10 0 120 0\n", 4096);
  REQUIRE(statm);
  CHECK(statm->rss == 200 * 4096);
  CHECK(statm->data == 120 * 4096);
  CHECK_FALSE(ParseStatm("500 200\n", 4096));
  CHECK_FALSE(ParseStatm("", 4096));

  const MachineMemory machine =
      ParseMeminfo("MemTotal:  16384 kB\nMemFree: 1 kB\nMemAvailable:  8192 kB\n");
  CHECK(machine.total == 16 * kMiB);
  CHECK(machine.available == 8 * kMiB);
}

TEST_CASE("limits of the process and the machine count as well", "[process][limits]") {
  LimitInputs inputs;
  inputs.status.virtual_size = 900 * kMiB;
  inputs.status.data = 500 * kMiB;
  inputs.status.rss = 300 * kMiB;
  inputs.machine.available = 400 * kMiB;
  REQUIRE(NearestLimit(inputs));
  CHECK(NearestLimit(inputs)->source == "memory");
  CHECK(NearestLimit(inputs)->limit_bytes == 700 * kMiB);
  inputs.rlimit_as = 1000 * kMiB;
  CHECK(NearestLimit(inputs)->source == "rlimit");
  CHECK(NearestLimit(inputs)->HeadroomBytes() == 100 * kMiB);
  inputs.rlimit_data = 400 * kMiB;  // passed already
  CHECK(NearestLimit(inputs)->HeadroomBytes() == 0);
  CHECK(NearestLimit(inputs)->usage_bytes == 500 * kMiB);
}

}  // namespace
}  // namespace heapgauge
