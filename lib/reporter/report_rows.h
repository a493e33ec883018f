// What of all that is judged goes into the report: call sites by rank, and of each the stacks that
// matter.
//
// Values of one report; what it was made from must outlive it.
#ifndef HEAPGAUGE_REPORTER_REPORT_ROWS_H_
#define HEAPGAUGE_REPORTER_REPORT_ROWS_H_

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "analyze/verdict.h"
#include "reporter/site_groups.h"

namespace heapgauge {

class ReportRows final {
 public:
  struct Row {
    const SiteJudgement* judgement;
    const SiteGroups::Sum* sum;
    std::vector<uint32_t> stacks;  // in groups.stacks(), most growth first; at most kMostSites
    double largest_share = 1;      // of the first of them
    uint32_t first = 0;            // site table index of a stack of the row, the first if there is
  };

  ReportRows(const AnalysisResult& result, const SiteGroups& groups, size_t most);

  size_t size() const { return rows_.size(); }
  const Row& operator[](size_t i) const { return rows_[i]; }
  std::vector<Row>::const_iterator begin() const { return rows_.begin(); }
  std::vector<Row>::const_iterator end() const { return rows_.end(); }

  // Of a stack of that call site; nullptr: too small to be judged.  A call site's only stack has
  // the call site's verdict.
  const SiteJudgement* JudgementOf(uint64_t stack, uint64_t callsite) const;

 private:
  const SiteJudgement* Find(uint64_t key) const {
    const auto found = judged_.find(key);
    return found == judged_.end() ? nullptr : found->second;
  }
  Row MakeRow(const SiteJudgement& judgement, const SiteGroups::Sum& sum) const;

  const SiteGroups& groups_;
  std::unordered_map<uint64_t, const SiteJudgement*> judged_;  // by key
  std::vector<Row> rows_;
};

}  // namespace heapgauge

#endif  // HEAPGAUGE_REPORTER_REPORT_ROWS_H_
