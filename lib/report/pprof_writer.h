// Report -> pprof profile (perftools.profiles.Profile, gzip), for `go tool pprof`, Parca, Pyroscope
// and speedscope.
#ifndef HEAPGAUGE_REPORT_PPROF_WRITER_H_
#define HEAPGAUGE_REPORT_PPROF_WRITER_H_

#include <cstdint>
#include <memory>
#include <string>

#include "report/report.h"

namespace heapgauge {

enum class PprofKind : uint8_t {
  kHeap,    // inuse_space is shown first
  kAllocs,  // alloc_space is
  // Of two reports: the only one with signs.  Readers of profiles drop a whole sample for one
  // negative value (Pyroscope does), so elsewhere a site that shrinks grows by nothing.
  kDifference,
};

// Sample types alloc_objects, alloc_space, inuse_objects, inuse_space and growth_space (since the last report), in this order; a site of zeros is left out.  A sample's
// stack begins at the call site: with the allocation machinery below it `pprof -top` would show
// operator new where report.txt shows the line that is to blame.
//
// Modules become mappings with their build-ids.  Reports hold offsets in modules and no run-time
// addresses, so each mapping gets a made-up range of addresses, the executable's first, as pprof
// expects.  Throws std::bad_alloc, as everything here may.
std::string ToPprof(const Report& report, PprofKind kind = PprofKind::kHeap);

// The same before compression.
std::string ToPprofProto(const Report& report, PprofKind kind = PprofKind::kHeap);

// The heap profiles of one process, one after the other: what they have in common is made once.
// Says what ToPprof() says, in another order.
class PprofSeries final {
 public:
  PprofSeries();
  ~PprofSeries();
  PprofSeries(const PprofSeries&) = delete;
  PprofSeries& operator=(const PprofSeries&) = delete;

  std::string Next(const Report& report);
  size_t memory_bytes() const;  // by estimate

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace heapgauge

#endif  // HEAPGAUGE_REPORT_PPROF_WRITER_H_
