// The audit (analyze/audit.h) of one process: what the kernel and the allocator say, asked before
// and after the stores are read, for a heap that falls in between contradicts nothing.
#ifndef HEAPGAUGE_REPORTER_FIGURES_AUDIT_H_
#define HEAPGAUGE_REPORTER_FIGURES_AUDIT_H_

#include "analyze/audit.h"
#include "process/allocator_stats.h"
#include "report/report.h"
#include "reporter/site_groups.h"

namespace heapgauge {

class FiguresAudit final {
 public:
  explicit FiguresAudit(AllocatorStats& allocator) : allocator_(allocator) {}

  void BeforeSnapshot();
  AuditFinding Look(const SiteObservation& totals);

 private:
  AuditFigures Ask() const;

  AllocatorStats& allocator_;
  Audit audit_;
  AuditFigures before_;
};

// Takes back what the finding leaves no ground for, and says in the report what it found.  Where
// the program's calls are not all covered, a leak is called with that much less confidence.
void ApplyAudit(const AuditFinding& finding, const SiteGroups& groups, AnalysisResult& result,
                SamplingInfo& sampling);

}  // namespace heapgauge

#endif  // HEAPGAUGE_REPORTER_FIGURES_AUDIT_H_
