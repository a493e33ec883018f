// The stacks of one report in their sums: stacks by id, call sites, the lines of the program above
// call sites that lie elsewhere, and the program's own wrappers below them (analyze/causes.h says
// what each is for).
//
// Values of one report, but for what is remembered of call sites that had one stack so far.
#ifndef HEAPGAUGE_REPORTER_SITE_GROUPS_H_
#define HEAPGAUGE_REPORTER_SITE_GROUPS_H_

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "analyze/analyzer.h"
#include "reporter/callsite_map.h"
#include "reporter/site_identity.h"
#include "reporter/store_snapshot.h"

namespace heapgauge {

class SiteGroups final {
 public:
  struct Stack {
    uint64_t id = 0;
    uint32_t index = 0;  // in the site table; the first of those that share the id
    uint64_t callsite = 0;
    SiteObservation observation;
  };
  struct Sum {
    uint64_t id = 0;
    SitePlace place;               // of a call site: the lines of the program, the wrapper
    std::vector<uint32_t> stacks;  // in stacks(), those that hold most first
    uint64_t stacks_total = 0;     // with those too small to be among stacks()
    uint32_t first = 0;            // site table index of one of them
    SiteObservation observation;
  };

  SiteGroups(const StoreSnapshot& snapshot, const Tracker& tracker, SiteIdentity& identity,
             const CallsiteMap& callsites);

  const std::vector<Stack>& stacks() const { return stacks_; }
  const std::vector<Sum>& callsites() const { return callsites_; }  // that hold most first
  const Sum* Callsite(uint64_t id) const { return Find(callsites_, callsite_at_, id); }
  // Of a call site, a line of the program or a wrapper.
  const Sum* Of(SiteLevel level, uint64_t id) const;

  // Hands all to the analyzer, between its Begin() and Finish().  `alone`: the stacks that were
  // their call sites' only ones, by call site; kept from report to report.
  void Observe(Analyzer& analyzer, std::unordered_map<uint64_t, uint64_t>& alone) const;

 private:
  using Places = std::unordered_map<uint64_t, uint32_t>;
  static const Sum* Find(const std::vector<Sum>& sums, const Places& places, uint64_t id) {
    const auto found = places.find(id);
    return found == places.end() ? nullptr : &sums[found->second];
  }
  class Shares;
  void TakeStacks(const StoreSnapshot& snapshot, const Tracker& tracker, SiteIdentity& identity);
  static void Sort(std::vector<Sum>& sums, Places& places);
  void Group(const StoreSnapshot& snapshot, const CallsiteMap& callsites);
  // `stack`: in stacks_; kNone: it is not among them.
  void Add(const CallsiteMap& callsites, uint32_t site, uint32_t stack, uint64_t count,
           const SiteObservation& observation, Shares& in_lines, Shares& in_wrappers);

  std::vector<Stack> stacks_;
  std::vector<Sum> callsites_;
  std::vector<Sum> lines_;
  std::vector<Sum> wrappers_;
  Places callsite_at_;
  Places line_at_;
  Places wrapper_at_;
};

}  // namespace heapgauge

#endif  // HEAPGAUGE_REPORTER_SITE_GROUPS_H_
