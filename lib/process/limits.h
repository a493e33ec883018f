// What limits the memory of this process, and how much of it is used?  Parsers of what the kernel
// says, on text that is handed in: the caller reads the files, and a file that vanished is an empty
// text.
//
// cgroup v2 and v1, nested as deep as they come; RLIMIT_AS and RLIMIT_DATA; what the machine has
// left.  The smallest headroom counts, wherever in the hierarchy it is.
#ifndef HEAPGAUGE_PROCESS_LIMITS_H_
#define HEAPGAUGE_PROCESS_LIMITS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace heapgauge {

// /proc/self/status, in bytes.  nullopt: the line is missing or damaged.
struct ProcessStatus {
  std::optional<uint64_t> rss;
  std::optional<uint64_t> rss_anon;
  std::optional<uint64_t> rss_file;
  std::optional<uint64_t> rss_shmem;
  std::optional<uint64_t> virtual_size;
  std::optional<uint64_t> data;
  std::optional<uint64_t> stack;
  std::optional<uint64_t> swap;
  std::optional<uint64_t> huge;     // of hugetlbfs, which no other figure counts
  std::optional<uint64_t> threads;  // a count
};
ProcessStatus ParseProcessStatus(std::string_view text);

// /proc/self/statm, in bytes; the page size is the caller's to know.
struct ProcessStatm {
  uint64_t virtual_size = 0;
  uint64_t rss = 0;
  uint64_t shared = 0;
  uint64_t data = 0;
};
std::optional<ProcessStatm> ParseStatm(std::string_view text, uint64_t page_bytes);

// /proc/meminfo, in bytes.
struct MachineMemory {
  std::optional<uint64_t> total;
  std::optional<uint64_t> available;
};
MachineMemory ParseMeminfo(std::string_view text);

// The directories of the memory cgroups that hold the process, innermost first, from
// /proc/self/cgroup and /proc/self/mountinfo.  In a container the visible mount may begin below the
// root of the hierarchy.
struct CgroupDirectory {
  std::string path;
  int version =
      2;  // 2: memory.max, memory.current; 1: memory.limit_in_bytes, memory.usage_in_bytes
};
std::vector<CgroupDirectory> MemoryCgroups(std::string_view cgroup, std::string_view mountinfo);

// One level of it: the texts of its limit and usage files and of memory.stat (may be empty).
struct CgroupTexts {
  int version = 2;
  std::string limit;
  std::string usage;
  std::string stat;
};
struct CgroupLevel {
  std::optional<uint64_t> limit;  // nullopt: "max", or v1's nearly 2^63
  uint64_t usage = 0;  // without the file cache that the kernel takes back before it kills
};
std::optional<CgroupLevel> ParseCgroupLevel(const CgroupTexts& texts);

struct LimitInputs {
  std::vector<CgroupLevel> cgroups;
  std::optional<uint64_t> rlimit_as;  // nullopt: unlimited
  std::optional<uint64_t> rlimit_data;
  ProcessStatus status;
  MachineMemory machine;
};

struct MemoryLimit {
  uint64_t limit_bytes = 0;
  uint64_t usage_bytes = 0;  // what counts against it
  std::string source;        // "cgroup", "rlimit" or "memory"
  uint64_t HeadroomBytes() const {
    return limit_bytes > usage_bytes ? limit_bytes - usage_bytes : 0;
  }
};
// The one with the smallest headroom; nullopt when nothing is known.
std::optional<MemoryLimit> NearestLimit(const LimitInputs& inputs);

}  // namespace heapgauge

#endif  // HEAPGAUGE_PROCESS_LIMITS_H_
