#include "analyze/evidence.h"

#include <catch2/catch.hpp>

namespace heapgauge {
namespace {

using Catch::Contains;

SiteMeasures Leaking() {
  SiteMeasures measures;
  measures.reports = 40;
  measures.births_per_s = 80;
  measures.births_ratio_error = 0.05;
  measures.survivors.living = 412;
  measures.survivors.share = 412.0 / 3900;
  measures.survivors.span_s = 2400;
  measures.survivors.threshold_s = 30;
  measures.lifetime_p50_s = 0.1;
  measures.lifetime_p99_s = 2;
  measures.lifetime_p999_s = 12;
  return measures;
}

TEST_CASE("a leak is told in numbers", "[analyze][evidence]") {
  const std::string sentence = SiteEvidence(Verdict::kLeak, Leaking(), {});
  CHECK_THAT(sentence, Contains("412 of 3 900 sampled objects born here"));
  CHECK_THAT(sentence, Contains("none that old ever died"));
  CHECK_THAT(sentence, Contains("99.9 % were gone within 12 s"));
  CHECK_THAT(sentence, Contains("births steady at 80/s"));
  CHECK(sentence.find('\n') == std::string::npos);
}

TEST_CASE("some that died are not kept quiet about", "[analyze][evidence]") {
  SiteMeasures measures = Leaking();
  measures.survivors.deaths = 3;
  CHECK_THAT(SiteEvidence(Verdict::kLeak, measures, {}), Contains("only 3 that old ever died"));
}

TEST_CASE("where nothing dies it says so", "[analyze][evidence]") {
  SiteMeasures measures = Leaking();
  measures.survivors.share = 1;
  CHECK_THAT(SiteEvidence(Verdict::kLeak, measures, {}),
             Contains("all 412 sampled objects born here in the last 40 min are still alive"));
  SiteState state;
  state.leak_confidence = 0.5;
  CHECK_THAT(SiteEvidence(Verdict::kLeak, measures, state), Contains("would look the same"));
  state.leak_confidence = 0.9;
  CHECK_THAT(SiteEvidence(Verdict::kLeak, measures, state), !Contains("would look the same"));
}

TEST_CASE("births are said to rise when they do", "[analyze][evidence]") {
  SiteMeasures measures = Leaking();
  measures.births_ratio = 3;
  CHECK_THAT(SiteEvidence(Verdict::kLeak, measures, {}), Contains("births rose 3-fold, to 80/s"));
  measures.births_ratio = 0.2;
  CHECK_THAT(SiteEvidence(Verdict::kLeak, measures, {}), Contains("births fell to 80/s"));
}

TEST_CASE("a birth rate that is known badly says how badly", "[analyze][evidence]") {
  SiteMeasures measures = Leaking();
  measures.births_error = 0.02;
  CHECK_THAT(SiteEvidence(Verdict::kLeak, measures, {}), Contains("births steady at 80/s"));
  CHECK_THAT(SiteEvidence(Verdict::kLeak, measures, {}), !Contains("80/s +/-"));
  measures.births_error = 0.2;
  CHECK_THAT(SiteEvidence(Verdict::kLeak, measures, {}),
             Contains("births steady at 80/s +/- 40 %"));
}

TEST_CASE("a leak that an orderly exit freed is not told in noughts", "[analyze][evidence]") {
  SiteMeasures measures = Leaking();
  measures.survivors.living = 0;
  measures.survivors.share = 1;
  CHECK(SiteEvidence(Verdict::kLeak, measures, {}) ==
        "piled up until the last report, and all of it has been freed since");
}

TEST_CASE("where nothing was born lately it says so", "[analyze][evidence]") {
  SiteMeasures measures = Leaking();
  measures.births_per_s = 0;
  const std::string sentence = SiteEvidence(Verdict::kLeak, measures, {});
  CHECK_THAT(sentence, Contains("none born lately"));
  CHECK_THAT(sentence, !Contains("steady"));
}

TEST_CASE("no chance is blamed for growth that is beyond it", "[analyze][evidence]") {
  SiteMeasures measures = Leaking();
  measures.growth.bytes_per_s = {1024, 10, 20};
  measures.still_rising = true;
  CHECK_THAT(SiteEvidence(Verdict::kSteady, measures, {}), Contains("may be growing"));
  measures.still_rising = false;
  CHECK_THAT(SiteEvidence(Verdict::kSteady, measures, {}), Contains("has grown, and no more"));
}

TEST_CASE("every verdict has its sentence", "[analyze][evidence]") {
  SiteMeasures measures = Leaking();
  measures.growth.bytes_per_s = {1024, 10, 20};
  measures.growth.window_s = 600;
  measures.mean_life_s = 12;
  CHECK_THAT(SiteEvidence(Verdict::kLoad, measures, {}), Contains("live bytes follow the traffic"));
  CHECK_THAT(SiteEvidence(Verdict::kGrowing, measures, {}), Contains("live bytes have risen"));
  measures.growth.bytes_per_s = {0, 10, 20};
  CHECK_THAT(SiteEvidence(Verdict::kSteady, measures, {}), Contains("no growth beyond chance"));
  CHECK_THAT(SiteEvidence(Verdict::kWarming, measures, {}), Contains("seen in 40 reports"));
  measures.reports = 1;
  CHECK_THAT(SiteEvidence(Verdict::kWarming, measures, {}), Contains("seen in 1 report,"));
  SiteState healed;
  healed.ended = LeakEnd::kStopped;
  CHECK_THAT(SiteEvidence(Verdict::kSteady, measures, healed), Contains("was a leak and stopped"));
  healed.ended = LeakEnd::kDying;
  CHECK_THAT(SiteEvidence(Verdict::kSteady, measures, healed), Contains("dies after all"));
  healed.ended = LeakEnd::kFilling;
  CHECK_THAT(SiteEvidence(Verdict::kSteady, measures, healed), Contains("a cache fills"));
}

}  // namespace
}  // namespace heapgauge
