// Every sentence that the analysis says of any scenario of bench/verdict is true of the figures of
// the same report, and of what was kept of the reports before.
#include <catch2/catch.hpp>
#include <map>
#include <string>

#include "../../../bench/verdict/scenario.h"
#include "analyze/analyzer.h"
#include "report/sentences.h"
#include "unit/report/sentence_check.h"

namespace heapgauge {
namespace {

struct Seen {
  size_t sentences = 0;
  size_t changes = 0;  // claimed, of the scenario's own site
};

Seen Watch(const sim::Scenario& scenario, const sim::Setting& setting, uint64_t seed) {
  sim::Random random(seed);
  sim::Process process = scenario.make(setting, random);
  AnalyzerOptions options;
  options.report_interval_s = setting.report_s;
  Analyzer analyzer(options);
  if (process.stopped_at_s) {
    for (sim::Site& site : process.sites) site.Stop(*process.stopped_at_s, 3600);
  }
  Seen seen;
  std::map<uint64_t, Record> records;
  for (int report = 1; report <= setting.scales; ++report) {
    const double lived = setting.report_s * report;
    const bool stopped = process.stopped_at_s && lived > *process.stopped_at_s;
    uint64_t samples = 0;
    for (sim::Site& site : process.sites) {
      site.AdvanceTo(lived, 4, random);
      samples += site.samples();
    }
    analyzer.Begin(lived + (stopped ? 3600 : 0), samples);
    for (const sim::Site& site : process.sites) {
      const SiteObservation now = site.Observe();
      analyzer.Observe(site.key() + 1, now);
      records[site.key() + 1].push_back(now);
      // By the clock that stands still while the process does, as the analysis has it.
      records[site.key() + 1].back().time_s = lived;
    }
    for (const SiteJudgement& judgement : analyzer.Finish(ProcessObservation{}).sites) {
      const std::string sentence = Sentence(judgement.evidence, {});
      if (!sentence.empty()) ++seen.sentences;
      if (judgement.key == 1 && (sentence.find("births rose") != std::string::npos ||
                                 sentence.find("births fell") != std::string::npos)) {
        ++seen.changes;
      }
      const std::vector<std::string> wrong =
          WrongIn(sentence, judgement, records[judgement.key], setting.report_s);
      if (wrong.empty()) continue;
      INFO(scenario.name << ", seed " << seed << ", report " << report << ", site "
                         << judgement.key - 1 << ": " << sentence);
      CHECK(wrong == std::vector<std::string>{});
    }
  }
  return seen;
}

sim::Setting Setting() {
  sim::Setting setting;
  setting.report_s = setting.look_s = setting.scale_s = 1;
  setting.interval_bytes = 65536;
  setting.scales = 64;
  return setting;
}

TEST_CASE("every sentence about what is harmless is true of its report", "[report][sentences]") {
  size_t sentences = 0;
  for (const sim::Scenario& scenario : sim::HarmlessScenarios()) {
    for (uint64_t seed = 1; seed <= 2; ++seed) {
      sentences += Watch(scenario, Setting(), 77'000 + seed).sentences;
    }
  }
  CHECK(sentences > 2000);
}

TEST_CASE("every sentence about a leak is true of its report", "[report][sentences]") {
  size_t sentences = 0;
  for (const sim::Scenario& scenario : sim::LeakScenarios()) {
    for (uint64_t seed = 1; seed <= 3; ++seed) {
      sentences += Watch(scenario, Setting(), 78'000 + seed).sentences;
    }
  }
  CHECK(sentences > 1000);
}

TEST_CASE("no rise or fall of births is told where they are steady", "[report][sentences]") {
  size_t sentences = 0;
  size_t changes = 0;
  for (const sim::Scenario& scenario : sim::LeakScenarios()) {
    if (scenario.name != "from-start" && scenario.name != "thousandth" &&
        scenario.name != "nothing-dies") {
      continue;
    }
    for (uint64_t seed = 1; seed <= 6; ++seed) {
      const Seen seen = Watch(scenario, Setting(), 79'000 + seed);
      sentences += 64;
      changes += seen.changes;
    }
  }
  INFO(changes << " of " << sentences);
  CHECK(changes * 100 < sentences);
}

// What the test above would say of sentences that are not true.
TEST_CASE("a sentence that is not true is found out", "[report][sentences]") {
  Record record;
  SiteObservation now;
  for (int i = 1; i <= 40; ++i) {
    now.time_s = i;
    if (i <= 30) {
      now.allocated_samples += 10;
      now.allocated_objects += 100;
      now.live_samples += 10;
      now.live_bytes += 1000;
    }
    record.push_back(now);
  }
  record.back().freed_samples = 5;
  record.back().deaths[AgeBucket(3'000'000'000)] = 5;
  SiteJudgement leak;
  leak.verdict = Verdict::kLeak;
  const auto wrong = [&](const std::string& sentence) {
    INFO(sentence);
    CHECK_FALSE(WrongIn(sentence, leak, record, 1).empty());
  };
  const auto right = [&](const std::string& sentence) {
    INFO(sentence);
    CHECK(WrongIn(sentence, leak, record, 1) == std::vector<std::string>{});
  };
  right("none was born in the last 10 s, after 100/s before");
  wrong("none was born in the last 15 s, after 100/s before");
  wrong("nothing born here has died yet");
  right("of all that died, 99.9 % were gone within 4.0 s");
  wrong("of all that died, 99.9 % were gone within 1.0 s");
  right("all 300 sampled objects born here in the last 40 s are still alive");
  wrong("all 400 sampled objects born here in the last 40 s are still alive");
  wrong(
      "all 300 sampled objects born here in the last 40 s are still alive, and they come "
      "undiminished");
  wrong(
      "all 300 sampled objects born here in the last 40 s are still alive, and they come "
      "undiminished; none was born in the last 10 s, after 100/s before");
  wrong(
      "200 of 300 sampled objects born here from 40 s to 1.0 s ago are still alive, and none "
      "that old ever died");
  right("births fell to 50 % of what they were, to 50/s");
  wrong("births rose 2-fold, to 200/s");
  wrong("births steady at 20/s");
  wrong("births steady at 100/s +/- 166 %");
  wrong("live bytes have risen by +1.00 MiB/h (95 %: +1.00 MiB/h to +1.00 MiB/h) for 40 s");
  wrong("may be growing, too little is seen to be sure: +1.00 MiB/h");
  wrong("no growth beyond chance in the last 40 s: +34.7 MiB/h");
  wrong("live bytes follow the traffic: they rose 2-fold in the last 40 s");
  wrong("seen in 3 reports, too few to say");
  wrong("it leaks");
}

}  // namespace
}  // namespace heapgauge
