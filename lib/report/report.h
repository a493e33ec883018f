// One report as a value: what the reporter fills in, what every writer reads and what a reader
// restores. The JSON keys of schema heapgauge.report/1 are these names; docs/report.md lists units
// and meanings.
//
// Plain data: copy it, compare it, build it in a test.  Not thread-safe, as any value.
#ifndef HEAPGAUGE_REPORT_REPORT_H_
#define HEAPGAUGE_REPORT_REPORT_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "symbolize/frame.h"

namespace heapgauge {

inline constexpr char kReportSchema[] = "heapgauge.report/1";

// The growth of one site and the verdict on it.  All byte and object figures are unbiased
// estimates, and exact when the sample interval is 1.
struct Site {
  uint32_t rank = 0;  // 1 = the first in the report
  std::string id;     // 16 hex digits; the same for the same stack of the same binaries
  std::string verdict = "warming";
  double confidence = 0;  // of the verdict, 0..1
  std::string evidence;   // one sentence for people
  double live_bytes = 0;
  double live_bytes_stderr = 0;
  double live_objects = 0;
  double allocated_bytes = 0;
  double freed_bytes = 0;
  double allocated_objects = 0;
  double freed_objects = 0;
  double growth_bytes = 0;        // since the last report
  double growth_bytes_per_s = 0;  // over the history; 95 % interval growth_low..growth_high
  double growth_low = 0;
  double growth_high = 0;
  double age_p50_s = 0;  // of the living
  double age_max_s = 0;
  std::optional<double> lifetime_p50_s;  // of the dead; nullopt before the first death
  std::optional<double> lifetime_p99_s;
  std::map<std::string, std::string> labels;
  std::vector<Frame> frames;  // leaf first
  uint32_t callsite = 0;      // index in `frames` of the first one that is no allocation wrapper
};

// All stacks that ask at one line, and the verdict on their sum.
struct Callsite {
  // The sum's figures under the call site's id.  Its frames are those of the stack that has most of
  // the growth, or that holds most; `callsite` is the line in them.
  Site sum;
  uint64_t stacks = 1;
  double largest_stack_share = 1;  // of the growth where it grows, else of the live bytes; 0..1
  std::vector<std::string> sites;  // ids of stacks, most growth first; at most kMostSites
  static constexpr size_t kMostSites = 20;
};

struct SamplingInfo {
  uint64_t interval_bytes = 0;        // in force
  uint64_t asked_interval_bytes = 0;  // less than that while the governor has widened it
  uint64_t interval_changes = 0;      // by the governor
  uint64_t samples = 0;               // taken since the start
  uint64_t live_samples = 0;          // of them still alive
  uint64_t dropped = 0;               // samples that found no room
  std::string unwind;                 // "dwarf", "fp" or "auto"
  double cpu_s = 0;           // what the tracker has spent on the sampled paths and on reports
  uint64_t memory_bytes = 0;  // what the tracker holds
  uint64_t reports_failed = 0;
  // Share of the program's own allocation calls that reach the hooks, 0..1; nullopt: not known.
  std::optional<double> coverage;
  std::string coverage_note;   // what is not covered and why, when coverage is below 1
  uint64_t unseen_deaths = 0;  // samples whose block was released past heapgauge, as was found out
  std::string distrust;        // why the figures are not to be trusted; "" when they are
};

struct ProcessInfo {
  uint64_t rss_bytes = 0;
  uint64_t heap_live_bytes = 0;  // the totals' live_bytes, rounded
  uint64_t allocator_retained_bytes = 0;
  std::optional<uint64_t> limit_bytes;
  std::string limit_source;  // "cgroup", "rlimit", "memory" or "none"
  uint64_t usage_bytes = 0;  // what counts against that limit
  // Of the resident memory: code and other files that are mapped, and shared memory.
  uint64_t rss_file_bytes = 0;
  uint64_t rss_shmem_bytes = 0;
  uint64_t threads = 0;  // 0: not known, and then nor are these two
};

struct Totals {
  double live_bytes = 0;
  double live_bytes_stderr = 0;
  double live_objects = 0;
  double allocated_bytes = 0;
  double freed_bytes = 0;
  double allocated_objects = 0;
  double freed_objects = 0;
  double growth_bytes_per_s = 0;
};

struct Forecast {
  uint64_t limit_bytes = 0;
  std::string limit_source;
  double seconds_to_limit = 0;
  double seconds_low = 0;  // 95 % interval
  double seconds_high = 0;
  // The growth that it follows from, not the heap's alone, and for how long it has been so.  In
  // memory only: alerts need them, a report that was read back has zeros.
  double growth_bytes_per_s = 0;
  double growth_low = 0;  // 95 % interval
  double growth_high = 0;
  double growth_window_s = 0;
};

struct Report {
  uint64_t sequence = 0;  // 1 = the process's first
  std::string time;       // RFC 3339, UTC
  double uptime_s = 0;    // since tracking began
  bool final = false;
  int64_t pid = 0;
  std::string instance;  // this process among all since the machine booted; "" where not known
  std::string exe;
  std::string host;
  std::string build_id;  // of the executable, hex
  SamplingInfo sampling;
  ProcessInfo process;
  Totals totals;
  std::string verdict = "warming";
  std::string evidence;  // one sentence on the process's verdict
  std::optional<Forecast> forecast;
  uint64_t sites_total = 0;         // sites known; `sites` may hold fewer
  std::vector<Site> sites;          // ranked
  uint64_t callsites_total = 0;     // call sites known; `callsites` may hold fewer
  std::vector<Callsite> callsites;  // ranked; empty in reports of older versions
  // Build-ids (hex) of the modules that frames name, by path; a module without one is left out.
  std::map<std::string, std::string> modules;
};

// The report's call sites; where it has none, each of its sites stands for one.
std::vector<Callsite> CallsitesOf(const Report& report);

}  // namespace heapgauge

#endif  // HEAPGAUGE_REPORT_REPORT_H_
