// The past of one site in constant memory: a row of segments, fine for the last reports and coarser
// the further back.
//
// A segment holds sums over its stretch of time, so two neighbours merge by addition and nothing is
// lost but detail. When the row is full, the pair that is shortest for its age is merged; segments
// so end up spaced evenly in the logarithm of their age.  48 of them keep the last 12 reports
// apart, a day of one-minute reports at 13 % of its age, and a month at about 20 %.
#ifndef HEAPGAUGE_ANALYZE_HISTORY_H_
#define HEAPGAUGE_ANALYZE_HISTORY_H_

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "analyze/observation.h"
#include "analyze/trend.h"

namespace heapgauge {

// float: each value is a difference, and its rounding (6e-8) is far below the sampling error.
struct HistorySegment {
  float seconds = 0;
  float live_bytes = 0;  // change of
  float allocated_bytes = 0;
  float live_variance = 0;  // change of [byte^2]
  float births = 0;         // samples
  float traffic = 0;        // samples of the whole process meanwhile
  float deaths = 0;         // samples
  float objects = 0;        // born, estimated
};

class SiteHistory final {
 public:
  static constexpr size_t kSegments = 48;
  static constexpr size_t kFine = 12;  // the newest segments, never merged

  // Adds a report.  `now.time_s` not later than the last one, or by less than `least_seconds`: the
  // figures are taken over, and the stretch goes on into the next report.  `clock_s` is the time to
  // file it under when that is not now.time_s: a clock that stood still while the process did.
  void Add(const SiteObservation& now, double least_seconds = 0);
  void Add(const SiteObservation& now, double clock_s, double least_seconds);

  // Before the first Add: there was nothing of this site at `clock_s`, which is the report before
  // it appeared.
  void BeginAt(double clock_s);

  // Samples of the whole process in the stretch that the last Add closed or prolonged.
  void AddTraffic(double samples);

  bool empty() const { return reports_ == 0; }
  bool begun() const { return begun_; }  // by BeginAt()
  size_t size() const { return size_; }
  const HistorySegment& segment(size_t i) const { return segments_[i]; }  // 0 = the oldest
  uint32_t reports() const { return reports_; }
  double first_s() const { return first_s_; }
  double last_s() const { return last_s_; }
  double seconds() const { return last_s_ - first_s_; }
  double live_bytes() const { return live_bytes_; }
  double live_variance() const { return live_variance_; }
  double last_growth_bytes() const { return last_growth_bytes_; }  // of the last report
  // When the k-th segment begins; k = size() is now.
  double BoundarySeconds(size_t k) const;

  // Live bytes at the segment bounds from the k-th on: size() - k + 1 points.
  std::vector<TrendPoint> LiveBytes(size_t k = 0) const;
  // The sum of the segments from the k-th on.
  HistorySegment Sum(size_t k = 0) const;
  // What happened in the last `seconds`; of a segment that began before that, its share.
  HistorySegment SumSince(double seconds) const;

 private:
  void Append(const HistorySegment& segment);
  void MergeShortestForItsAge();

  std::array<HistorySegment, kSegments> segments_{};
  HistorySegment open_{};  // figures that wait for time to pass
  uint32_t size_ = 0;
  uint32_t reports_ = 0;
  bool begun_ = false;
  double first_s_ = 0;
  double last_s_ = 0;
  double live_bytes_ = 0;
  double live_variance_ = 0;
  double allocated_bytes_ = 0;
  double allocated_objects_ = 0;
  double last_growth_bytes_ = 0;
  uint64_t births_ = 0;
  uint64_t deaths_ = 0;
  bool closed_ = false;  // the last Add closed a segment
};

}  // namespace heapgauge

#endif  // HEAPGAUGE_ANALYZE_HISTORY_H_
