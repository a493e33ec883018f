// The live heap by labels, for the report: sums by label, memory in flight by peer, circles.
//
// Holds what outlives a report: how much each label held before.  Report thread only.
#ifndef HEAPGAUGE_REPORTER_LABEL_FIGURES_H_
#define HEAPGAUGE_REPORTER_LABEL_FIGURES_H_

#include <array>
#include <cstdint>
#include <unordered_map>
#include <vector>

#include "labels/labels.h"
#include "process/process_context.h"
#include "report/report.h"
#include "store/live_table.h"

namespace heapgauge {

class LabelFigures final {
 public:
  static constexpr size_t kMostOfKey = 100;     // labels of one key in a report
  static constexpr size_t kMostOfSite = 16;     // sets of a site
  static constexpr size_t kMostPairs = 65536;   // of site and set, that are told apart
  static constexpr size_t kMostFollowed = 512;  // labels, for their growth
  static constexpr size_t kPoints = 12;         // reports that a growth is taken over

  explicit LabelFigures(Labels& labels) : labels_(labels) {}

  // Walks the live table once, if any labels are in use.  Application threads go on meanwhile.
  void Take(const LiveTable& live, uint64_t now_ns, double time_s);

  // From what was taken: the sites' own, `indices` being those of report.sites in the site table.
  void FillSites(const std::vector<uint32_t>& indices, Report& report) const;
  // And all else.  Once after each Take().
  void Fill(Report& report);

 private:
  struct Sum {
    double bytes = 0;
    double objects = 0;
    double variance = 0;
    uint64_t oldest_ns = 0;  // birth of the oldest; 0: none
    void Add(const Sum& other);
  };
  struct Point {
    double time_s = 0;
    double bytes = 0;
  };
  struct Share {
    uint16_t set = 0;
    Sum sum;
  };

  // The labels of a set; of attributes that the program publishes, those whose names are known, and
  // of a key that the set has itself none.
  std::vector<uint16_t> Members(uint16_t set) const;
  void LearnNames();
  TextMap LabelsOf(uint16_t set) const;
  void SumByLabel();
  void Follow();
  double Growth(uint16_t label) const;
  double Age(const Sum& sum) const;
  void FillCircles(Report& report);

  Labels& labels_;
  ProcessContext context_;
  uint64_t now_ns_ = 0;
  double time_s_ = 0;
  double before_s_ = -1;  // the report before this one
  uint64_t before_ns_ = 0;
  std::unordered_map<uint16_t, Sum> by_set_;
  std::unordered_map<uint32_t, std::vector<Share>> by_site_;
  size_t pairs_ = 0;
  std::unordered_map<uint16_t, Sum> by_label_;
  std::unordered_map<uint16_t, std::vector<Point>> history_;
  std::array<double, CircleBook::kMost> circle_peaks_{};
};

}  // namespace heapgauge

#endif  // HEAPGAUGE_REPORTER_LABEL_FIGURES_H_
