// What the processes of a check have lost, by call site: from the blocks and the pointers between
// them (reporter/lost_blocks.h).
//
//   lost directly   no other lost block points to it: what is lost here is where to look
//   a ring          blocks that point to each other, and nothing else points to any of them
//   hangs on it     the rest: lost because the others are
#ifndef HEAPGAUGE_CLI_LOST_GROUPS_H_
#define HEAPGAUGE_CLI_LOST_GROUPS_H_

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "cli/suppressions.h"
#include "report/report.h"

namespace heapgauge::cli {

struct LostSum {
  uint64_t objects = 0;
  double bytes = 0;
};

struct LostGroup {
  bool is_ring = false;
  LostSum direct;                          // of a ring: of its members
  LostSum indirect;                        // what hangs on them
  std::map<std::string, LostSum> members;  // of a ring, and what hangs on it, by call site's name
  std::vector<Frame> frames;               // of the first stack, leaf first
  uint32_t callsite = 0;                   // index in them
  std::string id;                          // the same after lines were inserted above
};

struct LostProcess {
  int64_t pid = 0;
  std::string exe;
  LostSum checked;
  LostSum lost;
  uint64_t dropped = 0;  // allocations that found no room, and are not known
};

struct CheckResult {
  std::vector<LostProcess> processes;
  std::vector<LostGroup> groups;  // the most bytes first
  LostSum lost;
  LostSum suppressed;
};

// Adds one process.  False: the graph is damaged, and nothing was added.
bool AddLost(const Report& report, std::string_view graph, Suppressions* suppressions,
             CheckResult* result);

// Once all are there: the order, and the ids.  Files are told relative to `source_root`.
void FinishGroups(const std::string& source_root, CheckResult* result);

// "make_coupon (coupon.cc:41)".
std::string PlaceName(const std::vector<Frame>& frames, uint32_t callsite);

}  // namespace heapgauge::cli

#endif  // HEAPGAUGE_CLI_LOST_GROUPS_H_
