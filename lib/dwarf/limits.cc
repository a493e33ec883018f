#include "dwarf/limits.h"

#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <limits>
#include <optional>
#include <string>

namespace heapgauge::dwarf {
namespace {

constexpr uint64_t kUnlimited = std::numeric_limits<uint64_t>::max();

void SetLimit(__rlimit_resource_t resource, rlim_t soft) {
  rlimit limit;
  if (getrlimit(resource, &limit) != 0) return;
  limit.rlim_cur = std::min(soft, limit.rlim_max);
  setrlimit(resource, &limit);
}

// The number after `key` in a file of "key number" lines; with key "" the file's first number.
std::optional<uint64_t> ReadNumber(const std::string& path, const std::string& key = {}) {
  std::ifstream file(path);
  std::string word;
  while (!key.empty() && file >> word && word != key) {
  }
  uint64_t number = 0;
  if (file >> number) return number;  // also fails for "max"
  return std::nullopt;
}

// How one version of control groups calls its files.
struct GroupFiles {
  const char* root;
  const char* limit;
  const char* used;
  const char* droppable;  // in memory.stat: file pages the kernel would drop first
};
constexpr GroupFiles kVersion2 = {"/sys/fs/cgroup", "/memory.max", "/memory.current",
                                  "inactive_file"};
constexpr GroupFiles kVersion1 = {"/sys/fs/cgroup/memory", "/memory.limit_in_bytes",
                                  "/memory.usage_in_bytes", "total_inactive_file"};

uint64_t LeftInGroup(const std::string& group, const GroupFiles& files) {
  const auto limit = ReadNumber(group + files.limit);
  const auto used = ReadNumber(group + files.used);
  if (!limit || !used) return kUnlimited;
  const uint64_t droppable = ReadNumber(group + "/memory.stat", files.droppable).value_or(0);
  const uint64_t kept = *used > droppable ? *used - droppable : 0;
  return *limit > kept ? *limit - kept : 0;
}

// "0::/path" (version 2) or "7:memory:/path" (version 1), applied to the group and all above it.
uint64_t LeftInGroups() {
  uint64_t left = kUnlimited;
  std::ifstream groups("/proc/self/cgroup");
  for (std::string line; std::getline(groups, line);) {
    const size_t first = line.find(':');
    const size_t second = line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    if (!controllers.empty() && controllers != "memory") continue;
    const GroupFiles& files = controllers.empty() ? kVersion2 : kVersion1;
    // In a container the path may be the outer one; then only the root's own files are there.
    for (std::string path = line.substr(second + 1);; path.resize(path.rfind('/'))) {
      if (path.ends_with('/')) path.pop_back();
      left = std::min(left, LeftInGroup(files.root + path, files));
      if (path.find('/') == std::string::npos) break;
    }
  }
  return left;
}

}  // namespace

void LimitProcess() {
  const sched_param parameters = {};
  sched_setscheduler(0, SCHED_BATCH, &parameters);
  setpriority(PRIO_PROCESS, 0, 19);
  SetLimit(RLIMIT_CORE, 0);
  SetLimit(RLIMIT_CPU, kMaxCpuSeconds);
  std::ofstream("/proc/self/oom_score_adj") << "1000";
}

uint64_t MemoryBudget() {
  const uint64_t machine =
      ReadNumber("/proc/meminfo", "MemAvailable:").value_or(kUnlimited / 1024) * 1024;
  const uint64_t left = std::min(machine, LeftInGroups());
  return std::min(left / 2, kMaxMemoryBytes);
}

void LimitMemory(uint64_t budget_bytes, uint64_t file_bytes) {
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)  // their shadow is terabytes
  const auto page = static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  const uint64_t present = ReadNumber("/proc/self/statm").value_or(0) * page;
  SetLimit(RLIMIT_AS, present + budget_bytes + file_bytes);
#else
  static_cast<void>(budget_bytes);
  static_cast<void>(file_bytes);
#endif
}

}  // namespace heapgauge::dwarf
