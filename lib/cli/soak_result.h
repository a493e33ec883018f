// What a soak found, as a value: what the judge fills in and every writer reads.
#ifndef HEAPGAUGE_CLI_SOAK_RESULT_H_
#define HEAPGAUGE_CLI_SOAK_RESULT_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace heapgauge::cli {

inline constexpr int kSoakNoLeak = 0;
inline constexpr int kSoakLeak = 1;
inline constexpr int kSoakUnknown = 2;  // nothing could be said
inline constexpr int kSoakLoadFailed = 3;
inline constexpr int kSoakServiceDied = 4;
inline constexpr int kSoakInterrupted = 130;

// A call site that leaks or grows, in one process or in several of the same program together.
struct SoakFinding {
  std::string verdict;  // "leak" or "growing"
  std::string id;
  std::string place;  // "ApplyCoupon  coupon.cc:88"
  std::string function;
  std::string file;   // "" where it is not known
  uint64_t line = 0;  // 0: not known
  std::string module;
  std::string evidence;
  std::string program;
  std::vector<int64_t> pids;  // of the processes it is in
  bool together = false;      // shown by their sum, by none of them alone
  double confidence = 0;
  double live_bytes = 0;
  double live_objects = 0;
  double growth_bytes = 0;  // in the judged part
  double growth_objects = 0;
  double bytes_per_h = 0;
  std::optional<double> bytes_per_request;
  // Of exact mode: what each of the iterations leaves.
  uint64_t objects_each = 0;
  // Of a baseline: it leaked there as fast already.
  bool known = false;
  std::string against_baseline;
  // Who holds what stays behind, and which share of it nobody does; "": not known.
  std::string held;
  std::string held_briefly;  // the largest part of it
  double lost_share = 0;
  double lost_low = 0;             // the least it may be, with 95 % certainty
  std::vector<std::string> stack;  // "=> ApplyCoupon  coupon.cc:88"
};

// Sums over the processes at the beginning and at the end of the judged part.
struct SoakMemory {
  double rss_bytes = 0;
  double live_bytes = 0;
  double rounding_bytes = 0;  // what its blocks take beyond their size
  double retained_bytes = 0;
  uint64_t processes = 0;
  double Rest() const { return rss_bytes - live_bytes - rounding_bytes - retained_bytes; }
};

struct SoakProcessLine {
  int64_t pid = 0;
  std::string program;
  std::string verdict;
  uint64_t reports = 0;
  double live_bytes = 0;
  double growth_bytes = 0;
  double rss_bytes = 0;
  bool ended = false;
};

// What would have been seen.
struct SoakPower {
  double certainty = 0.95;
  double samples = 0;         // that a leak must have left, on average
  double interval_bytes = 0;  // mean bytes between them
  double judged_s = 0;
  double reports = 0;  // in that time
  double bytes_per_h = 0;
  std::optional<double> bytes_per_request;
};

struct SoakResult {
  std::string service;  // as it was typed
  std::string load;
  std::string directory;
  std::string began;  // RFC 3339, UTC
  double duration_s = 0;
  double warm_up_s = 0;
  double judged_s = 0;
  bool in_warm_up = false;          // it ended there, and that is what findings are of
  uint64_t load_runs = 0;           // that ended well
  std::optional<double> requests;   // in the judged part
  bool requests_are_loads = false;  // not known otherwise: LOADs
  uint64_t iterations = 0;          // exact mode
  uint64_t cut_iterations = 0;
  uint64_t more_runs = 0;  // of LOAD, to tell a leak from what fills up

  int status = kSoakUnknown;
  std::string verdict;     // "no leak", "leak", "too short", "load failed", "service died", ...
  std::string sentence;    // why
  std::string advice;      // what would do; "" where nothing is missing
  std::string output;      // the last lines of what failed, of several lines; "" elsewhere
  double reports_due = 0;  // of a process, in the judged part
  double reports = 0;      // that came: fewer where the machine had too much to do
  std::vector<SoakFinding> leaks;
  std::vector<SoakFinding> growing;
  std::vector<SoakProcessLine> processes;
  SoakMemory before;
  SoakMemory after;
  std::optional<SoakPower> power;
  std::vector<std::string> notes;
};

}  // namespace heapgauge::cli

#endif  // HEAPGAUGE_CLI_SOAK_RESULT_H_
