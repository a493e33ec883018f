// The stacks that reports show, with their names.
//
// A stack's names are found once and kept for as long as reports show it: a report of which nothing
// has changed asks the symbolizer nothing and copies no frame.  They are found again when modules
// have come or gone, when a wrapper was found out, and where the helper could not answer yet.
//
// Report thread only.
#ifndef HEAPGAUGE_REPORTER_NAMED_STACKS_H_
#define HEAPGAUGE_REPORTER_NAMED_STACKS_H_

#include <cstddef>
#include <cstdint>
#include <unordered_map>
#include <vector>

#include "report/report.h"
#include "reporter/callsite_map.h"
#include "reporter/site_identity.h"
#include "symbolize/symbolizer.h"
#include "track/tracker.h"

namespace heapgauge {

class NamedStacks final {
 public:
  // All of them stay the caller's and outlive this.
  NamedStacks(const Tracker& tracker, const SiteIdentity& identity, const CallsiteMap& callsites,
              Symbolizer& symbolizer)
      : tracker_(tracker), identity_(identity), callsites_(callsites), symbolizer_(symbolizer) {}

  // Call sites of stacks have changed.
  void Forget() { kept_.clear(); }

  // The frames and the call sites of the report's sites, which are the stacks of these indices; its
  // modules and its notes.
  void Fill(const std::vector<uint32_t>& indices, Report& report);

  size_t memory_bytes() const { return bytes_; }

 private:
  struct Stack {
    FrameList frames;
    uint32_t callsite = 0;
    std::vector<ModuleAddress> modules;  // those that it leads through, each once
    uint64_t shown = 0;                  // in which report last
  };

  // Those of `indices` that are not kept.
  std::vector<Stack> Name(const std::vector<uint32_t>& indices);

  const Tracker& tracker_;
  const SiteIdentity& identity_;
  const CallsiteMap& callsites_;
  Symbolizer& symbolizer_;
  std::unordered_map<uint32_t, Stack> kept_;  // by index
  uint64_t modules_ = 0;                      // SiteIdentity::changes() that they were named under
  uint64_t reports_ = 0;
  size_t bytes_ = 0;
};

}  // namespace heapgauge

#endif  // HEAPGAUGE_REPORTER_NAMED_STACKS_H_
