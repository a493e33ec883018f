#include "analyze/causes.h"

#include <catch2/catch.hpp>
#include <vector>

namespace heapgauge {
namespace {

SiteJudgement Judged(uint64_t key, SiteLevel level, uint64_t parent, Verdict verdict,
                     double growth) {
  SiteJudgement site;
  site.key = key;
  site.place = {.level = level, .parent = parent};
  site.verdict = verdict;
  site.growth_bytes_per_s = growth;
  site.confidence = 0.9;
  return site;
}

constexpr auto kStack = SiteLevel::kStack;
constexpr auto kCallsite = SiteLevel::kCallsite;
constexpr auto kLine = SiteLevel::kProgramLine;
constexpr auto kWrapper = SiteLevel::kWrapper;

// A call site that asks wrapper 9.
SiteJudgement Asking(uint64_t key, Verdict verdict, double growth) {
  SiteJudgement site = Judged(key, kCallsite, 0, verdict, growth);
  site.place.wrapper = 9;
  site.growth_low = growth > 0 ? 0.8 * growth : growth;
  return site;
}

TEST_CASE("a call site is the row of its stacks, whatever they say", "[analyze][causes]") {
  std::vector<SiteJudgement> sites = {Judged(1, kCallsite, 0, Verdict::kLeak, 100),
                                      Judged(2, kStack, 1, Verdict::kSteady, 40),
                                      Judged(3, kStack, 1, Verdict::kLeak, 30)};
  ChooseRows(sites);
  CHECK(sites[0].is_row);
  CHECK_FALSE(sites[1].is_row);
  CHECK_FALSE(sites[2].is_row);
  CHECK(sites[0].culprit == 0);  // no stack has half of it
}

TEST_CASE("calls that read alike and leak are one row, the one that was called first",
          "[analyze][causes]") {
  std::vector<SiteJudgement> sites = {
      Judged(1, kCallsite, 0, Verdict::kLeak, 100), Judged(2, kCallsite, 0, Verdict::kLeak, 900),
      Judged(3, kCallsite, 0, Verdict::kSteady, 0), Judged(4, kCallsite, 0, Verdict::kLeak, 50),
      Judged(5, kCallsite, 0, Verdict::kLeak, 50)};
  for (SiteJudgement& site : sites) site.place.alike = 7;
  sites[0].leak_reports = 5;
  sites[1].leak_reports = 2;
  sites[3].place.alike = 8;  // another function
  sites[4].place.alike = 0;  // its line is known
  ChooseRows(sites);
  CHECK(sites[0].is_row);
  CHECK_FALSE(sites[1].is_row);
  CHECK(sites[2].is_row);  // healthy: shown as it is
  CHECK(sites[3].is_row);
  CHECK(sites[4].is_row);
}

TEST_CASE("of calls that read alike and are called at once the row holds most",
          "[analyze][causes]") {
  std::vector<SiteJudgement> sites = {Judged(1, kCallsite, 0, Verdict::kLeak, 100),
                                      Judged(2, kCallsite, 0, Verdict::kLeak, 10),
                                      Judged(3, kCallsite, 0, Verdict::kLeak, 10)};
  for (SiteJudgement& site : sites) site.place.alike = 7;
  sites[1].live_bytes = 2000;
  sites[0].live_bytes = sites[2].live_bytes = 1000;
  ChooseRows(sites);
  CHECK_FALSE(sites[0].is_row);
  CHECK(sites[1].is_row);
  CHECK_FALSE(sites[2].is_row);
}

TEST_CASE("the stack that has most of the growth is named", "[analyze][causes]") {
  std::vector<SiteJudgement> sites = {Judged(1, kCallsite, 0, Verdict::kLeak, 100),
                                      Judged(2, kStack, 1, Verdict::kLeak, 80)};
  ChooseRows(sites);
  CHECK(sites[0].culprit == 2);
  CHECK_FALSE(sites[0].by_culprit);
}

TEST_CASE("a stack that leaks among healthy ones makes its call site leak", "[analyze][causes]") {
  std::vector<SiteJudgement> sites = {Judged(1, kCallsite, 0, Verdict::kSteady, 100),
                                      Judged(2, kStack, 1, Verdict::kLeak, 10),
                                      Judged(3, kStack, 1, Verdict::kGrowing, 1)};
  ChooseRows(sites);
  CHECK(sites[0].is_row);
  CHECK(sites[0].verdict == Verdict::kLeak);
  CHECK(sites[0].by_culprit);
  CHECK(sites[0].culprit == 2);
}

TEST_CASE("a line of the program is the row where no call site below it accounts for the growth",
          "[analyze][causes]") {
  std::vector<SiteJudgement> sites = {Judged(9, kLine, 0, Verdict::kLeak, 100),
                                      Judged(1, kCallsite, 9, Verdict::kSteady, 30),
                                      Judged(2, kCallsite, 9, Verdict::kLeak, 40)};
  ChooseRows(sites);
  CHECK(sites[0].is_row);
  CHECK_FALSE(sites[1].is_row);
  CHECK_FALSE(sites[2].is_row);

  sites[2].growth_bytes_per_s = 60;
  ChooseRows(sites);
  CHECK_FALSE(sites[0].is_row);
  CHECK(sites[1].is_row);
  CHECK(sites[2].is_row);
}

TEST_CASE("a calm line of the program leaves the rows to its call sites", "[analyze][causes]") {
  std::vector<SiteJudgement> sites = {Judged(9, kLine, 0, Verdict::kSteady, 0),
                                      Judged(1, kCallsite, 9, Verdict::kSteady, 0)};
  ChooseRows(sites);
  CHECK_FALSE(sites[0].is_row);
  CHECK(sites[1].is_row);
}

TEST_CASE("a stack of no call site stands for itself", "[analyze][causes]") {
  std::vector<SiteJudgement> sites = {Judged(1, kStack, 0, Verdict::kLeak, 1),
                                      Judged(2, kStack, 77, Verdict::kLeak, 1)};
  ChooseRows(sites);
  CHECK(sites[0].is_row);
  CHECK(sites[1].is_row);  // its parent was not judged
}

TEST_CASE("a call site that leaks is not hidden by a line that only grows", "[analyze][causes]") {
  std::vector<SiteJudgement> sites = {Judged(9, kLine, 0, Verdict::kGrowing, 100),
                                      Judged(1, kCallsite, 9, Verdict::kLeak, 20),
                                      Judged(2, kCallsite, 9, Verdict::kSteady, 70)};
  sites[1].leak_reports = 20;
  ChooseRows(sites);
  CHECK_FALSE(sites[0].is_row);
  CHECK(sites[1].is_row);
  CHECK(sites[2].is_row);
  // But it may be the first of many.
  sites[1].leak_reports = 1;
  ChooseRows(sites);
  CHECK(sites[0].is_row);
  CHECK(sites[0].verdict == Verdict::kGrowing);
  CHECK_FALSE(sites[1].is_row);
}

TEST_CASE("several that leak below one growing line are one leak of the line",
          "[analyze][causes]") {
  std::vector<SiteJudgement> sites = {Judged(9, kLine, 0, Verdict::kGrowing, 100),
                                      Judged(1, kCallsite, 9, Verdict::kLeak, 20),
                                      Judged(2, kCallsite, 9, Verdict::kLeak, 25)};
  ChooseRows(sites);
  CHECK(sites[0].is_row);
  CHECK(sites[0].verdict == Verdict::kLeak);
  CHECK(sites[0].by_culprit);
  CHECK(sites[0].culprit == 2);
  CHECK_FALSE(sites[1].is_row);
  CHECK_FALSE(sites[2].is_row);
}

TEST_CASE("what several lines share is hidden while it leaks for the one", "[analyze][causes]") {
  std::vector<SiteJudgement> sites = {Judged(9, kLine, 0, Verdict::kLeak, 100),
                                      Judged(1, kCallsite, 9, Verdict::kLeak, 20),
                                      Judged(2, kCallsite, 9, Verdict::kSteady, 0)};
  sites[1].place.is_whole = false;
  sites[2].place.is_whole = false;
  ChooseRows(sites);
  CHECK(sites[0].is_row);
  CHECK_FALSE(sites[1].is_row);
  CHECK(sites[2].is_row);  // it holds something for others
}

TEST_CASE("the part that is most of a leaking line is waited for", "[analyze][causes]") {
  std::vector<SiteJudgement> sites = {Judged(9, kLine, 0, Verdict::kLeak, 100),
                                      Judged(1, kCallsite, 9, Verdict::kGrowing, 90)};
  sites[1].growth_low = 80;
  sites[0].leak_reports = 1;
  ChooseRows(sites);
  CHECK_FALSE(sites[0].is_row);
  CHECK(sites[1].is_row);
  sites[0].leak_reports = 20;  // in vain
  ChooseRows(sites);
  CHECK(sites[0].is_row);
}

TEST_CASE("a wrapper is the row when hundreds leak a little through it", "[analyze][causes]") {
  std::vector<SiteJudgement> sites = {Judged(9, kWrapper, 0, Verdict::kLeak, 100)};
  sites[0].leak_reports = 1;
  for (uint64_t key = 100; key < 200; ++key) sites.push_back(Asking(key, Verdict::kSteady, 1));
  sites.back().verdict = Verdict::kLeak;
  ChooseRows(sites);
  CHECK(sites[0].is_row);
  for (size_t i = 1; i < sites.size(); ++i) CHECK_FALSE(sites[i].is_row);
}

TEST_CASE("a wrapper is no row when few leak through it, called or not yet", "[analyze][causes]") {
  for (const Verdict verdict : {Verdict::kLeak, Verdict::kGrowing}) {
    std::vector<SiteJudgement> sites = {Judged(9, kWrapper, 0, Verdict::kLeak, 100),
                                        Asking(1, verdict, 30), Asking(2, verdict, 40),
                                        Asking(3, Verdict::kSteady, 0)};
    sites[0].leak_reports = 1;
    ChooseRows(sites);
    CHECK_FALSE(sites[0].is_row);
    CHECK(sites[1].is_row);
    CHECK(sites[2].is_row);
    CHECK(sites[3].is_row);
  }
}

TEST_CASE("what is called need not be most of a wrapper's growth that may be chance",
          "[analyze][causes]") {
  for (const double low : {-20.0, 5.0, 50.0, 90.0}) {
    std::vector<SiteJudgement> sites = {Judged(9, kWrapper, 0, Verdict::kLeak, 100),
                                        Asking(1, Verdict::kLeak, 30),
                                        Asking(2, Verdict::kSteady, 0)};
    sites[0].leak_reports = 50;
    sites[0].growth_low = low;
    ChooseRows(sites);
    CHECK(sites[0].is_row == (low > 60));
    CHECK(sites[1].is_row == (low <= 60));
  }
}

TEST_CASE("a wrapper that does not leak is never a row", "[analyze][causes]") {
  std::vector<SiteJudgement> sites = {Judged(9, kWrapper, 0, Verdict::kGrowing, 100),
                                      Asking(1, Verdict::kSteady, 3)};
  ChooseRows(sites);
  CHECK_FALSE(sites[0].is_row);
  CHECK(sites[1].is_row);
}

TEST_CASE("a line that leaks through a wrapper accounts for it with all that it leads to",
          "[analyze][causes]") {
  std::vector<SiteJudgement> sites = {Judged(9, kWrapper, 0, Verdict::kLeak, 100),
                                      Judged(8, kLine, 0, Verdict::kLeak, 95)};
  sites[0].leak_reports = 50;
  for (uint64_t key = 100; key < 150; ++key) {
    sites.push_back(Asking(key, Verdict::kSteady, 2));
    sites.back().place.parent = 8;
  }
  ChooseRows(sites);
  CHECK_FALSE(sites[0].is_row);
  CHECK(sites[1].is_row);
  CHECK_FALSE(sites[2].is_row);
}

}  // namespace
}  // namespace heapgauge
