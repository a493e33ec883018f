#include "analyze/spread.h"

#include <array>
#include <catch2/catch.hpp>

#include "analyze/rules.h"
#include "analyze/survival.h"
#include "analyze/survivors.h"
#include "fake_site.h"

namespace heapgauge {
namespace {

// Ten bins of a minute, the newest first; traffic the same in all.
std::vector<SpreadBin> Minutes(const std::vector<double>& counts) {
  std::vector<SpreadBin> bins;
  for (size_t i = 0; i < counts.size(); ++i) {
    const auto minute = static_cast<double>(i);
    bins.push_back({60 * minute, 60 * (minute + 1), counts[i], 0, 100});
  }
  return bins;
}

TEST_CASE("even births are even", "[analyze][spread]") {
  const Spread spread = MeasureSpread(Minutes({9, 9, 9, 9, 9, 9, 9, 9, 9, 9}));
  CHECK(spread.newest == Approx(30));
  CHECK(spread.newest_expected == Approx(30));
  CHECK(spread.largest_gap == 0);
  CHECK(spread.largest_crowd == Approx(0).margin(1e-9));
  CHECK(spread.slowing == Approx(0).margin(1e-9));
  CHECK(spread.overdue == 0);
  CHECK(IsEven(spread));
  CHECK_FALSE(IsUneven(spread));
}

TEST_CASE("one load is a crowd with a gap behind it", "[analyze][spread]") {
  const Spread spread = MeasureSpread(Minutes({0, 0, 0, 0, 0, 0, 50, 0, 0, 0}));
  CHECK(spread.newest == 0);
  CHECK(spread.largest_gap == Approx(0.6));
  CHECK(spread.gap_s == 0);
  CHECK(spread.largest_crowd == Approx(0.9));
  CHECK(spread.crowd_s == 360);
  CHECK(spread.overdue == Approx(30));
  CHECK(IsUneven(spread));
}

TEST_CASE("three loads are no crowd each and uneven together", "[analyze][spread]") {
  const Spread loads = MeasureSpread(Minutes({0, 0, 40, 0, 1, 40, 0, 0, 40, 1}));
  CHECK(loads.largest_crowd < 0.3);
  CHECK(loads.largest_gap == Approx(0.2));
  CHECK(loads.clumped > 0.15);  // one in three, less one in ten and what chance may add
  CHECK(IsUneven(loads));
  // Every other minute is no load any more.
  const Spread bursts = MeasureSpread(Minutes({0, 24, 1, 24, 0, 24, 1, 24, 1, 24}));
  CHECK(bursts.clumped < 0.15);
  CHECK_FALSE(IsUneven(bursts));
  // Of eight samples nothing is told.
  CHECK(MeasureSpread(Minutes({1, 0, 3, 0, 0, 2, 1, 0, 1, 0})).clumped < 0.05);
}

TEST_CASE("births themselves tell clumps better than ages", "[analyze][spread]") {
  Spread spread = MeasureSpread(Minutes({9, 9, 9, 9, 9, 9, 9, 9, 9, 9}));
  spread.clumped = 0.1;
  CHECK_FALSE(IsUneven(spread));
  spread.most_clumped = rules::kClumpedBirths;
  CHECK(IsUneven(spread));
}

TEST_CASE("births that rose with the oldest are not spread over what was before",
          "[analyze][spread]") {
  // 10 a minute, then 100 from 330 s ago on, in the middle of a segment; a tenth stays.
  SiteHistory history;
  SiteObservation now;
  uint64_t births = 0;
  for (int i = 0; i <= 10; ++i) {
    now.time_s = 60.0 * i;
    if (i > 0) births += i < 5 ? 10 : i == 5 ? 55 : 100;
    now.allocated_samples = births;
    history.Add(now);
  }
  const size_t last = AgeBucket(uint64_t{329} * 1'000'000'000);
  const size_t first = AgeBucket(uint64_t{70} * 1'000'000'000);
  for (size_t i = first; i <= last; ++i) {
    const double to = std::min(330.0, AgeBucketHighSeconds(i));
    now.living[i] = 10 * (to - AgeBucketLowSeconds(i));  // in any unit
  }
  const std::vector<double> passing(kAgeBuckets, 0.0);
  const Spread spread = MeasureSpread(BinsByAge(now, history, first, last, 330, passing));
  CHECK(spread.share_slowing == Approx(0).margin(0.05));
}

TEST_CASE("the odd one does not end a silence", "[analyze][spread]") {
  const Spread spread = MeasureSpread(Minutes({0, 1, 0, 0, 0, 20, 20, 20, 20, 20}));
  CHECK(spread.overdue > 30);
}

TEST_CASE("a rate that falls to 1/e slows by one", "[analyze][spread]") {
  std::vector<double> counts;
  for (int i = 0; i < 100; ++i) counts.push_back(std::exp(0.01 * i));  // older: more
  const Spread spread = MeasureSpread(Minutes(counts));
  CHECK(spread.slowing == Approx(1).epsilon(0.05));
}

TEST_CASE("births that fade with the traffic don't fade of themselves", "[analyze][spread]") {
  std::vector<SpreadBin> bins = Minutes({1, 2, 3, 4, 5, 6, 7, 8, 9, 10});
  CHECK(MeasureSpread(bins).own_slowing == Approx(MeasureSpread(bins).slowing));
  for (SpreadBin& bin : bins) bin.others = 20 * bin.count;
  CHECK(MeasureSpread(bins).slowing > 1);
  CHECK(MeasureSpread(bins).own_slowing == Approx(0).margin(1e-9));
}

TEST_CASE("what falls as births do is a share that does not", "[analyze][spread]") {
  // The mean place is 0.65, with weights of 1 to 10: 12 * 0.15.
  std::vector<SpreadBin> bins = Minutes({1, 2, 3, 4, 5, 6, 7, 8, 9, 10});
  CHECK(MeasureSpread(bins).share_slowing == Approx(1.8));  // births don't fall, what stays does
  for (SpreadBin& bin : bins) bin.activity = 20 * bin.count;
  CHECK(MeasureSpread(bins).slowing == Approx(1.8));
  CHECK(MeasureSpread(bins).share_slowing == Approx(0).margin(1e-9));
}

TEST_CASE("those who pass and die are no survivors", "[analyze][spread]") {
  std::vector<SpreadBin> bins = Minutes({5, 5, 5, 5, 5, 5, 5, 5, 5, 5});
  for (size_t i = 0; i < 3; ++i) bins[i].passing = 5;
  const Spread spread = MeasureSpread(bins);
  CHECK(spread.newest == Approx(5 / 3.0));  // a third of the fourth minute
  CHECK(spread.newest_expected == Approx(35 / 3.0));
  CHECK(spread.overdue == Approx(0.3 * 35));
  CHECK(spread.slowing == Approx(1.8));  // from 0.3 to 1 the mean place is 0.65
}

TEST_CASE("fewer but heavier samples are no slowing", "[analyze][spread]") {
  // The sample interval doubled in the middle.
  std::vector<SpreadBin> bins = Minutes({5, 5, 5, 5, 5, 10, 10, 10, 10, 10});
  for (SpreadBin& bin : bins) bin.bytes = bin.count == 5 ? 10 : 10;
  CHECK(MeasureSpread(bins).slowing == Approx(0).margin(1e-9));
}

TEST_CASE("nothing seen is as bad as can be", "[analyze][spread]") {
  const Spread nothing = MeasureSpread({});
  CHECK(IsUneven(nothing));
  CHECK(IsUneven(MeasureSpread(Minutes({0, 0, 0}))));
}

TEST_CASE("less traffic lately lets less be expected", "[analyze][spread]") {
  std::vector<SpreadBin> bins = Minutes({1, 1, 1, 9, 9, 9, 9, 9, 9, 9});
  for (SpreadBin& bin : bins) bin.activity = 10 * bin.count;
  const Spread spread = MeasureSpread(bins);
  CHECK(spread.newest_expected < 0.1 * 66);
}

TEST_CASE("bins by age and by birth see the same objects", "[analyze][spread]") {
  FakeSite site;
  site.Stream(0, 600, 1);
  const SiteHistory history = site.HistoryOf(10, 60);
  const SiteObservation now = site.At(600);
  const std::array<double, kAgeBuckets> none_passing{};
  double by_age = 0;
  for (const SpreadBin& bin : BinsByAge(now, history, 0, kAgeBuckets - 1, 600, none_passing)) {
    by_age += bin.count;
  }
  CHECK(by_age == 600);
  double by_birth = 0;
  for (const SpreadBin& bin : BinsByBirth(history, 300)) {
    by_birth += bin.count;
    CHECK(bin.to_s <= 300);
  }
  CHECK(by_birth == Approx(300));
}

}  // namespace
}  // namespace heapgauge
