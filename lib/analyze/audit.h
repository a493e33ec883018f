// Do the figures contradict themselves?
//
// Blocks that are released past us (by a name or an allocator that we don't see) look alive for
// ever, and a heap full of them looks like a leak.  Three things give that away: more seems to
// be alive than the allocator or the kernel says there is, a block is born at an address where a
// sampled one seems to live, and a sampled one lies in what the allocator holds as free.  What the
// figures then say is no ground for calling a leak.
#ifndef HEAPGAUGE_ANALYZE_AUDIT_H_
#define HEAPGAUGE_ANALYZE_AUDIT_H_

#include <cstdint>
#include <optional>

#include "analyze/evidence.h"
#include "analyze/observation.h"
#include "analyze/verdict.h"

namespace heapgauge {

// At one report [bytes].
struct AuditFigures {
  SiteObservation totals;
  // What the allocator's statistics say is in use; nullopt: it has none.
  std::optional<double> in_use;
  // Anonymous memory that is resident or swapped out, and all that is mapped for data.
  std::optional<double> resident;
  std::optional<double> mapped;
};

struct AuditFinding {
  bool too_much_alive = false;  // at two reports in a row
  bool many_unseen = false;     // of the samples that ended, too many did so unseen
  Doubt doubt;                  // why not, unless the figures are to be trusted

  bool Trusted() const { return !too_much_alive && !many_unseen; }
};

class Audit final {
 public:
  AuditFinding Look(const AuditFigures& figures);

 private:
  int in_a_row_ = 0;  // reports with too much alive
};

// Whether a site's own blocks are known to die unseen: what survives there proves nothing.
bool DiesUnseen(const SiteObservation& site);

// Calls the site growing, not leaking, and says why.
void TakeBack(SiteJudgement& judgement, const SiteObservation& site, const AuditFinding& finding);

}  // namespace heapgauge

#endif  // HEAPGAUGE_ANALYZE_AUDIT_H_
