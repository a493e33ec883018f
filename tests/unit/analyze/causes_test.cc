#include "analyze/causes.h"

#include <catch2/catch.hpp>
#include <vector>

namespace heapgauge {
namespace {

SiteJudgement Judged(uint64_t key, SiteLevel level, uint64_t parent, Verdict verdict, double growth) {
  SiteJudgement site;
  site.key = key;
  site.level = level;
  site.parent = parent;
  site.verdict = verdict;
  site.growth_bytes_per_s = growth;
  site.confidence = 0.9;
  return site;
}

constexpr auto kStack = SiteLevel::kStack;
constexpr auto kCallsite = SiteLevel::kCallsite;
constexpr auto kLine = SiteLevel::kProgramLine;

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

}  // namespace
}  // namespace heapgauge
