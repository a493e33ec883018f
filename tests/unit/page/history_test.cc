#include "page/history.h"

#include <catch2/catch.hpp>
#include <string>

#include "unit/report/sample_report.h"

namespace heapgauge {
namespace {

Report Numbered(uint64_t sequence) {
  Report report = LeakingCheckout();
  report.sequence = sequence;
  return report;
}

TEST_CASE("a history keeps what a chart needs of each report", "[page][history]") {
  History history;
  history.Add(Numbered(1));
  history.Add(Numbered(2));
  REQUIRE(history.Points().size() == 2);
  const HistoryPoint& point = history.Points()[1];
  const Report report = LeakingCheckout();
  CHECK(point.sequence == 2);
  CHECK(point.live_bytes == report.totals.live_bytes);
  CHECK(point.rss_bytes == report.process.rss_bytes);
  REQUIRE_FALSE(point.callsites.empty());
  const std::string id = point.callsites[0].id;
  CHECK(history.Names().at(id).function.find("ApplyCoupon") != std::string::npos);
  CHECK(history.Moments().size() == 2);
  CHECK(history.Stacks().size() == report.sites.size());
}

TEST_CASE("a number that does not go on begins a new history", "[page][history]") {
  History history;
  for (const uint64_t sequence : {1, 2, 3, 1}) history.Add(Numbered(sequence));
  CHECK(history.Points().size() == 1);
  CHECK(history.Moments().size() == 1);
}

TEST_CASE("a long history stays bounded, its moments even and the first among them",
          "[page][history]") {
  History history;
  constexpr uint64_t kReports = 5000;
  for (uint64_t sequence = 1; sequence <= kReports; ++sequence) history.Add(Numbered(sequence));
  CHECK(history.Points().size() <= History::kMostPoints);
  CHECK(history.Points().back().sequence == kReports);
  const auto& moments = history.Moments();
  REQUIRE(moments.size() > History::kMostMoments / 4);
  CHECK(moments.size() <= History::kMostMoments);
  CHECK(moments.front().sequence == 1);
  const uint64_t step = moments[1].sequence - moments[0].sequence;
  for (size_t i = 1; i < moments.size(); ++i)
    CHECK(moments[i].sequence - moments[i - 1].sequence == step);
}

TEST_CASE("stacks that come and go do not pile up", "[page][history]") {
  History history;
  Report report = LeakingCheckout();
  const Site stack = report.sites.at(0);
  constexpr uint64_t kReports = 40;
  constexpr size_t kStacks = 700;
  for (uint64_t sequence = 1; sequence <= kReports; ++sequence) {
    report.sequence = sequence;
    report.sites.assign(kStacks, stack);
    for (size_t i = 0; i < kStacks; ++i)
      report.sites[i].id = std::to_string(sequence) + "-" + std::to_string(i);
    history.Add(report);
    CHECK(history.Stacks().size() <= History::kMostKept);
  }
}

}  // namespace
}  // namespace heapgauge
