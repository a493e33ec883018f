#include "analyze/survival.h"

#include <catch2/catch.hpp>

namespace heapgauge {
namespace {

constexpr size_t kFirst = 30;  // any bucket will do: a year of the published table is one of ours

TEST_CASE("a quantile of ages lies where its share does", "[analyze][survival]") {
  AgeHistogram ages{};
  CHECK_FALSE(AgeQuantile(ages, 0.5));
  ages[10] = 50;
  ages[20] = 50;
  CHECK(CountFrom(ages) == 100);
  CHECK(CountFrom(ages, 11) == 50);
  CHECK(*AgeQuantile(ages, 0.25) ==
        Approx(0.5 * (AgeBucketLowSeconds(10) + AgeBucketHighSeconds(10))));
  CHECK(*AgeQuantile(ages, 0.5) == Approx(AgeBucketHighSeconds(10)));
  CHECK(*AgeQuantile(ages, 1) == Approx(AgeBucketHighSeconds(20)));
  CHECK(*AgeQuantile(ages, 0) == Approx(AgeBucketLowSeconds(10)));
}

TEST_CASE("no quantile is older than the oldest", "[analyze][survival]") {
  AgeHistogram ages{};
  ages[10] = 3;
  ages[20] = 4;
  // Somewhere in the bucket; at its lower bound; and a clock that says something else.
  const double low = AgeBucketLowSeconds(20);
  for (const double oldest : {1.2 * low, low, 0.5 * low}) {
    for (const double q : {0.0, 0.4, 0.5, 0.9, 1.0}) CHECK(*AgeQuantile(ages, q, oldest) <= oldest);
    CHECK(*AgeQuantile(ages, 1, oldest) == oldest);
  }
  CHECK(*AgeQuantile(ages, 0.2, 1.2 * low) == *AgeQuantile(ages, 0.2));  // other buckets stay
}

TEST_CASE("the last bucket is open and as wide as its grid", "[analyze][survival]") {
  CHECK(AgeBucketHighSeconds(kAgeBuckets - 1) == 2 * AgeBucketLowSeconds(kAgeBuckets - 1));
  CHECK(AgeBucketHighSeconds(0) == AgeBucketLowSeconds(1));
}

TEST_CASE("the published life table of Cutler and Ederer comes out", "[analyze][survival]") {
  // Kidney cancer, 126 patients (J. Chron. Dis. 8, 1958): deaths, and those lost or withdrawn
  // alive, year by year; 4 were still under observation after the fifth.
  AgeHistogram deaths{};
  AgeHistogram living{};
  const uint32_t died[] = {47, 5, 2, 2, 0};
  const uint32_t left[] = {19, 17, 15, 9, 6};
  for (size_t year = 0; year < 5; ++year) {
    deaths[kFirst + year] = died[year];
    living[kFirst + year] = left[year];
  }
  living[kFirst + 5] = 4;

  const SurvivalCurve curve(deaths, living);
  const uint64_t at_risk[] = {126, 60, 38, 21, 10};
  const double survival[] = {1, 0.60, 0.54, 0.50, 0.44};
  for (size_t year = 0; year < 5; ++year) {
    CAPTURE(year);
    CHECK(curve.AtRisk(kFirst + year) == at_risk[year]);
    CHECK(curve.AtBucket(kFirst + year) == Approx(survival[year]).margin(0.005));
  }
  CHECK(curve.AtBucket(kFirst + 5) == Approx(0.44).margin(0.005));
  CHECK(curve.StandardErrorAtBucket(kFirst + 5) == Approx(0.060).margin(0.0005));
}

TEST_CASE("who dies all the same leaves nobody, who lives on leaves all", "[analyze][survival]") {
  AgeHistogram some{};
  const AgeHistogram none{};
  some[kFirst] = 9;
  const SurvivalCurve mortal(some, none);
  CHECK(mortal.At(AgeBucketLowSeconds(kFirst)) == 1);
  CHECK(mortal.At(AgeBucketHighSeconds(kFirst)) == 0);
  CHECK(mortal.At(0.5 * (AgeBucketLowSeconds(kFirst) + AgeBucketHighSeconds(kFirst))) ==
        Approx(0.5));
  CHECK(mortal.At(1e9) == 0);
  CHECK(mortal.MeanLife(1e6) ==
        Approx(0.5 * (AgeBucketLowSeconds(kFirst) + AgeBucketHighSeconds(kFirst))));
  CHECK(SurvivalCurve(none, some).At(1e9) == 1);
  CHECK(SurvivalCurve(none, none).At(1) == 1);
  CHECK(SurvivalCurve(none, some).MeanLife(100) == Approx(100));
}

TEST_CASE("more traffic does not move the curve", "[analyze][survival]") {
  AgeHistogram deaths{};
  AgeHistogram living{};
  deaths[kFirst] = 30;
  deaths[kFirst + 4] = 10;
  living[kFirst + 2] = 8;
  const SurvivalCurve before(deaths, living);
  for (uint32_t& count : deaths) count *= 7;
  for (uint32_t& count : living) count *= 7;
  const SurvivalCurve after(deaths, living);
  for (size_t i = 0; i < kAgeBuckets; ++i) CHECK(before.AtBucket(i) == after.AtBucket(i));
}

}  // namespace
}  // namespace heapgauge
