// What a chart needs of all reports of a process: the totals and the first call sites of each, and
// at some moments the live bytes of every stack.
//
// Bounded: a long history loses every second of its older points, moments are spread evenly.  Plain
// data, not thread-safe.
#ifndef HEAPGAUGE_PAGE_HISTORY_H_
#define HEAPGAUGE_PAGE_HISTORY_H_

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "report/report.h"

namespace heapgauge {

struct HistoryCallsite {
  std::string id;
  double live_bytes = 0;
  double live_bytes_stderr = 0;
  double growth_bytes_per_s = 0;
  std::string verdict;
};

struct HistoryPoint {
  uint64_t sequence = 0;
  std::string time;
  double uptime_s = 0;
  double live_bytes = 0;
  double live_bytes_stderr = 0;
  double growth_bytes_per_s = 0;
  uint64_t rss_bytes = 0;
  uint64_t retained_bytes = 0;
  std::optional<uint64_t> limit_bytes;
  std::optional<double> seconds_to_limit;
  std::string verdict;
  std::vector<HistoryCallsite> callsites;  // the first of the report's ranking
};

struct CallsiteName {
  std::string function;
  std::string file;  // "" where not known
  uint32_t line = 0;
};

// The live bytes of all stacks of one report, by their ids.
struct HistoryMoment {
  uint64_t sequence = 0;
  std::string time;
  std::map<std::string, double> live_bytes;
};

class History final {
 public:
  static constexpr size_t kMostPoints = 1500;
  static constexpr size_t kMostCallsites = 20;  // of a point
  static constexpr size_t kMostMoments = 32;
  static constexpr size_t kMostStacks = 1000;  // of a moment: those that hold most
  static constexpr size_t kMostKept = 4000;    // stacks of all moments

  // Adds the next report.  One whose number does not go on begins a new history: another process
  // writes to this directory.
  void Add(const Report& report);

  const std::deque<HistoryPoint>& Points() const { return points_; }  // oldest first
  // Of the ids in the points.
  const std::map<std::string, CallsiteName>& Names() const { return names_; }
  const std::vector<HistoryMoment>& Moments() const { return moments_; }  // oldest first
  // The stacks of the moments, where they are still known; figures are those of the last report
  // that had them.
  const std::map<std::string, Site>& Stacks() const { return stacks_; }

 private:
  void AddMoment(const Report& report);
  void Thin();

  std::deque<HistoryPoint> points_;
  std::map<std::string, CallsiteName> names_;
  std::vector<HistoryMoment> moments_;
  std::map<std::string, Site> stacks_;
  uint64_t reports_ = 0;
  uint64_t stride_ = 1;  // every how-manieth report is a moment
};

}  // namespace heapgauge

#endif  // HEAPGAUGE_PAGE_HISTORY_H_
