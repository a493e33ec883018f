#include "process/process_stats.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>

#include "base/descriptor.h"

namespace heapgauge {
namespace {

constexpr size_t kMostText = size_t{1} << 20;  // mountinfo of a host with thousands of mounts

// "" where it can't be read.  Of "self" not much is left to be read once the first thread has left
// by pthread_exit(): what is asked for below is this thread's.
std::string ReadText(const std::string& path) {
  std::string text;
  // /proc and cgroup files are regular to open(2) but say size 0, so they are read to their end.
  const Descriptor file = Descriptor::OpenToRead(path.c_str());
  if (!file.valid()) return text;
  char buffer[4096];
  ssize_t got;
  while (text.size() < kMostText && (got = read(file.get(), buffer, sizeof(buffer))) > 0) {
    text.append(buffer, static_cast<size_t>(got));
  }
  return text;
}

std::optional<uint64_t> Limit(__rlimit_resource_t resource) {
  rlimit limit;
  if (getrlimit(resource, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return std::nullopt;
  return limit.rlim_cur;
}

std::vector<CgroupLevel> ReadCgroups() {
  std::vector<CgroupLevel> levels;
  for (const CgroupDirectory& directory : MemoryCgroups(ReadText("/proc/thread-self/cgroup"),
                                                        ReadText("/proc/thread-self/mountinfo"))) {
    const bool v2 = directory.version == 2;
    const CgroupTexts texts{
        directory.version,
        ReadText(directory.path + (v2 ? "/memory.max" : "/memory.limit_in_bytes")),
        ReadText(directory.path + (v2 ? "/memory.current" : "/memory.usage_in_bytes")),
        ReadText(directory.path + "/memory.stat")};
    if (const auto level = ParseCgroupLevel(texts)) levels.push_back(*level);
  }
  return levels;
}

LimitInputs ReadLimits() {
  LimitInputs inputs;
  inputs.cgroups = ReadCgroups();
  inputs.rlimit_as = Limit(RLIMIT_AS);
  inputs.rlimit_data = Limit(RLIMIT_DATA);
  inputs.status = ReadOwnStatus();
  inputs.machine = ParseMeminfo(ReadText("/proc/meminfo"));
  return inputs;
}

}  // namespace

ProcessStatus ReadOwnStatus() { return ParseProcessStatus(ReadText("/proc/thread-self/status")); }

std::optional<MemoryLimit> ReadNearestLimit() { return NearestLimit(ReadLimits()); }

ProcessStats ReadProcessStats(AllocatorStats& allocator, uint64_t live_bytes, uint64_t own_bytes,
                              std::optional<uint64_t> in_arenas_bytes) {
  ProcessStats stats;
  const LimitInputs inputs = ReadLimits();
  const auto statm =
      ParseStatm(ReadText("/proc/thread-self/statm"), static_cast<uint64_t>(sysconf(_SC_PAGESIZE)));
  stats.rss_bytes = statm ? statm->rss : inputs.status.rss.value_or(0);
  stats.limit = NearestLimit(inputs);
  stats.rss_file_bytes = inputs.status.rss_file.value_or(0);
  stats.rss_shmem_bytes = inputs.status.rss_shmem.value_or(0);
  stats.threads = inputs.status.threads.value_or(0);
  // Old kernels don't tell the kinds apart: all of it, then.  Without /proc nothing is known, and
  // the allocator is believed.
  const uint64_t anonymous =
      inputs.status.rss_anon.value_or(stats.rss_bytes != 0 ? stats.rss_bytes : UINT64_MAX);
  stats.allocator_retained_bytes = allocator.Retained(
      {anonymous > own_bytes ? anonymous - own_bytes : 0, live_bytes, in_arenas_bytes});
  return stats;
}

}  // namespace heapgauge
