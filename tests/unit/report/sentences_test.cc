#include "report/sentences.h"

#include <catch2/catch.hpp>

namespace heapgauge {
namespace {

using Catch::Contains;
using Trend = BirthFacts::Trend;

constexpr RateUnit kMinutes = {"min", 60};

Evidence Leaking() {
  Evidence evidence;
  evidence.claim = Claim::kSomeStay;
  evidence.births = {Trend::kSteady, 2400, 4000, 80, 0, 1, 0};
  evidence.survivors = {412, 3900, 0, 2400, 30, true};
  evidence.lifetime_p999_s = 12;
  evidence.freed_samples = 3000;
  return evidence;
}

TEST_CASE("a leak is told in numbers", "[report][sentences]") {
  Evidence evidence = Leaking();
  CHECK(Sentence(evidence, {}) ==
        "412 of 3,900 sampled objects born here from 40 min to 30 s ago are still alive, and none "
        "that old ever died; of all that died, 99.9 % were gone within 12 s; births steady at "
        "80/s");
  evidence.survivors.deaths = 3;
  CHECK_THAT(Sentence(evidence, {}), Contains("only 3 that old ever died"));
  evidence.of = Evidence::Of::kOneStack;
  CHECK_THAT(Sentence(evidence, {}), Catch::StartsWith("at one of its stacks 412 of"));
}

TEST_CASE("where hardly anything dies it says so", "[report][sentences]") {
  Evidence evidence = Leaking();
  evidence.claim = Claim::kMostStay;
  evidence.survivors = {412, 412, 0, 2400, 0, true};
  CHECK(Sentence(evidence, {}) ==
        "all 412 sampled objects born here in the last 40 min are still alive, and they come "
        "undiminished; births steady at 80/s");
  evidence.survivors.until_s = 16e-6;
  CHECK_THAT(Sentence(evidence, {}), Contains("born here in the last 40 min are still alive"));
  evidence.is_doubtful = true;
  CHECK_THAT(Sentence(evidence, {}), Contains("would look the same"));
  evidence.births = {Trend::kEnded, 2400, 4000, 80, 0, 1, 65};
  evidence.survivors.undiminished = false;
  CHECK_THAT(Sentence(evidence, {}),
             Contains("still alive; but none was born in the last 1 min 5 s, after 80/s before"));
}

TEST_CASE("what nothing points to is told in numbers", "[report][sentences]") {
  Evidence evidence = Leaking();
  evidence.claim = Claim::kLost;
  evidence.lost = {1300, 1290};
  CHECK(Sentence(evidence, {}) ==
        "nothing points any more to 1,290 of 1,300 sampled objects born here that were looked for, "
        "so nobody can free them; births steady at 80/s");
}

TEST_CASE("every trend of births has its words", "[report][sentences]") {
  Evidence evidence = Leaking();
  const auto births = [&](const BirthFacts& facts) {
    evidence.births = facts;
    return Sentence(evidence, {});
  };
  CHECK_THAT(births({Trend::kRose, 60, 90, 80, 0, 3, 0}), Contains("births rose 3-fold, to 80/s"));
  CHECK_THAT(births({Trend::kFell, 60, 90, 0.5, 0, 0.2, 0}),
             Contains("births fell to 20 % of what they were, to 0.5/s"));
  CHECK_THAT(births({Trend::kUnknown, 600, 3, 0, 0, 1, 0}),
             Contains("3 births were sampled in the last 10 min, too few to tell a rate"));
  CHECK_THAT(births({Trend::kUnknown, 600, 0, 0, 0, 1, 600}), Contains("no births were sampled"));
  CHECK_THAT(births({Trend::kSteady, 60, 90, 80, 0.2, 1, 0}),
             Contains("births steady at 80/s +/- 40 %"));
  CHECK_THAT(births({Trend::kSteady, 60, 90, 80, 0.02, 1, 0}), !Contains("+/-"));
}

TEST_CASE("growth is told in the report's unit, with its interval", "[report][sentences]") {
  Evidence evidence;
  evidence.claim = Claim::kRises;
  evidence.growth = {1024, {512, 2048}, 600};
  evidence.births = {Trend::kSteady, 600, 90, 80, 0, 1, 0};
  CHECK(Sentence(evidence, kMinutes) ==
        "live bytes have risen by +60.0 KiB/min (95 %: +30.0 KiB/min to +120 KiB/min) for 10 min; "
        "nothing born here has died yet, too early to call it a leak");
  evidence.freed_samples = 9;
  evidence.lifetime_p99_s = 2;
  CHECK_THAT(Sentence(evidence, kMinutes),
             Contains("of those that died, 99 % were gone within 2.0 s; births steady"));
}

TEST_CASE("no rate is told where nothing grows", "[report][sentences]") {
  Evidence evidence;
  evidence.claim = Claim::kNoGrowth;
  evidence.growth = {1024, {-512, 2048}, 600};
  CHECK(Sentence(evidence, kMinutes) == "no growth beyond chance in the last 10 min");
  evidence.claim = Claim::kHasGrown;
  evidence.gained_bytes = 3 << 20;
  CHECK(Sentence(evidence, kMinutes) ==
        "has grown by 3.00 MiB in the last 10 min, and hardly any more of late");
}

TEST_CASE("a process says how many sites there are, and what grows outside the heap",
          "[report][sentences]") {
  ProcessEvidence process;
  process.own = Leaking();
  process.sites = 1;
  CHECK_THAT(Sentence(process, {}), Catch::StartsWith("one call site: 412 of"));
  process.sites = 1234;
  CHECK_THAT(Sentence(process, {}), Catch::StartsWith("1,234 call sites, first: 412 of"));
  process.rss = {RssPart::kAnonymous, 4096, 8192, false, 4};
  CHECK_THAT(Sentence(process, kMinutes),
             Contains("resident set grows by +480 KiB/min, most of it (+240 KiB/min) anonymous "
                      "memory outside the heap (mappings, stacks)"));
  process.rss.by_threads = true;
  process.rss.threads = 1234;
  CHECK_THAT(Sentence(process, {}), Contains("there are 1,234 threads, and ever more"));
  process.rss.part = RssPart::kLiveHeap;
  CHECK_THAT(Sentence(process, {}), !Contains("resident set"));
  process.coverage = 0.62;
  CHECK_THAT(Sentence(process, {}), Contains("only 62 % of the references"));
}

TEST_CASE("figures that are not to be trusted say what contradicts them", "[report][sentences]") {
  Doubt doubt;
  doubt.unseen_deaths = 120;
  doubt.ended_samples = 1000;
  CHECK(Sentence(doubt) ==
        "the figures are not to be trusted: 120 of 1,000 sampled blocks that ended were freed past "
        "heapgauge (by another name, or by another allocator)");
  doubt.against = Doubt::Against::kAllocator;
  doubt.alive_bytes = 23 << 20;
  doubt.most_bytes = 5 << 20;
  CHECK_THAT(Sentence(doubt),
             Contains("a live heap of 23.0 MiB can't be: the allocator has given out 5.00 MiB, and "
                      "120 of 1,000"));
  doubt.unseen_deaths = 0;
  CHECK_THAT(Sentence(doubt), Contains("; blocks are freed past heapgauge"));
  Evidence evidence;
  evidence.claim = Claim::kInDoubt;
  evidence.doubt = doubt;
  CHECK_THAT(Sentence(evidence, {}), Catch::StartsWith("not called a leak: the figures are not"));
}

TEST_CASE("every claim has its sentence, and none a line break", "[report][sentences]") {
  Evidence evidence;
  CHECK(Sentence(evidence, {}).empty());
  for (int claim = 1; claim <= static_cast<int>(Claim::kInDoubt); ++claim) {
    evidence.claim = static_cast<Claim>(claim);
    const std::string sentence = Sentence(evidence, {});
    CHECK(sentence.size() > 20);
    CHECK(sentence.find('\n') == std::string::npos);
  }
}

}  // namespace
}  // namespace heapgauge
