// verdict_bench: how good are the verdicts, where the truth is known?  See --help, and
// docs/verdict.md for its figures.
#include <algorithm>
#include <atomic>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "run.h"
#include "scenario.h"
#include "score.h"

namespace heapgauge::sim {
namespace {

constexpr char kHelp[] =
    "verdict_bench [options]\n"
    "  --runs N          runs of each scenario (100)\n"
    "  --seed N          of the first run (1); the same seed gives the same figures\n"
    "  --scenario NAME   only those whose name contains NAME\n"
    "  --harmless        only those that count and don't leak\n"
    "  --interval BYTES  sample interval, 1 = exact (524288)\n"
    "  --report SECONDS  report interval (60)\n"
    "  --look SECONDS    sites are looked at so often (a sixth of the report interval)\n"
    "  --scale SECONDS   time scale of the scenarios (the report interval)\n"
    "  --reports N       a run is so many times the scale long (1440)\n"
    "  --spread WHAT     the scenario's own site is the sum of 10 to 300 parts: stacks, line (call "
    "sites\n"
    "                    below it), wrapper (call sites above it), one-stack (which leaks alone)\n"
    "  --holders         memory is looked through for who holds what survives; what leaks is lost\n"
    "  --missed SHARE    of held objects that look lost all the same (0.02)\n"
    "  --stale SHARE     of lost objects that look held (0.05)\n"
    "  --jobs N          threads (all cores)\n"
    "  --check           exit status 1 when a goal is missed\n"
    "  --wrong           name the seeds of wrong and missed calls\n"
    "  --calls           what each call was made from, first and last, for the calibration\n"
    "  --trace           one run of the first such scenario, report by report\n";

struct Options {
  Setting setting;
  uint64_t runs = 100;
  uint64_t seed = 1;
  std::string scenario;
  unsigned jobs = std::max(1U, std::thread::hardware_concurrency());
  bool check = false;
  bool wrong = false;
  bool harmless = false;
  bool calls = false;
  bool trace = false;
};

template <typename T>
bool Parse(const char* text, T& value) {
  if (text == nullptr) return false;
  const auto [end, error] = std::from_chars(text, text + std::strlen(text), value);
  return error == std::errc() && *end == '\0' && value > 0;
}

bool ParseOptions(int argc, char** argv, Options& options) {
  options.setting.look_s = options.setting.scale_s = 0;
  for (int i = 1; i < argc; ++i) {
    const std::string_view name = argv[i];
    bool* const flag = name == "--check"      ? &options.check
                       : name == "--wrong"    ? &options.wrong
                       : name == "--calls"    ? &options.calls
                       : name == "--harmless" ? &options.harmless
                       : name == "--holders"  ? &options.setting.holders
                       : name == "--trace"    ? &options.trace
                                              : nullptr;
    if (flag != nullptr) {
      *flag = true;
      continue;
    }
    const char* const value = ++i < argc ? argv[i] : nullptr;
    bool good = false;
    if (name == "--runs") good = Parse(value, options.runs);
    if (name == "--seed") good = Parse(value, options.seed);
    if (name == "--interval") good = Parse(value, options.setting.interval_bytes);
    if (name == "--report") good = Parse(value, options.setting.report_s);
    if (name == "--look") good = Parse(value, options.setting.look_s);
    if (name == "--scale") good = Parse(value, options.setting.scale_s);
    if (name == "--reports") good = Parse(value, options.setting.scales);
    if (name == "--missed") good = Parse(value, options.setting.missed);
    if (name == "--stale") good = Parse(value, options.setting.stale);
    if (name == "--jobs") good = Parse(value, options.jobs);
    if (name == "--spread" && value != nullptr) {
      constexpr std::string_view kNames[] = {"none", "stacks", "line", "wrapper", "one-stack"};
      const auto* const found = std::find(std::begin(kNames), std::end(kNames), value);
      good = found != std::end(kNames);
      if (good) options.setting.spread = static_cast<Spread>(found - std::begin(kNames));
    }
    if (name == "--scenario" && value != nullptr) {
      options.scenario = value;
      good = true;
    }
    if (!good) {
      std::fprintf(stderr, "verdict_bench: %s: not an option, or a bad value; see --help\n",
                   std::string(name).c_str());
      return false;
    }
  }
  Setting& setting = options.setting;
  if (setting.scale_s <= 0) setting.scale_s = setting.report_s;
  // As the reporter has it: looks that are hardly more often than reports are none.
  if (setting.look_s <= 0)
    setting.look_s = setting.report_s > 30 ? setting.report_s / 6 : setting.report_s;
  setting.look_s = std::min(setting.look_s, setting.report_s);
  return true;
}

std::vector<RunResult> RunAll(const Scenario& scenario, const Options& options) {
  std::vector<RunResult> results(options.runs);
  std::atomic<uint64_t> next{0};
  std::vector<std::thread> threads;
  for (unsigned job = 0; job < options.jobs; ++job) {
    threads.emplace_back([&] {
      for (uint64_t i = next++; i < options.runs; i = next++) {
        results[i] = Run(scenario, options.setting, options.seed + i);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  return results;
}

void PrintWrong(const Scenario& scenario, const std::vector<RunResult>& results, uint64_t seed) {
  for (const RunResult& run : results) {
    for (const Call& call : run.calls) {
      if (!call.right) std::printf("  wrong: %s --seed %zu\n", scenario.name.c_str(), seed);
    }
    if (run.leak_is_large && !run.leak_called) {
      std::printf("  missed: %s --seed %zu\n", scenario.name.c_str(), seed);
    }
    ++seed;
  }
}

void PrintCalls(const Scenario& scenario, const std::vector<RunResult>& results) {
  for (const RunResult& run : results) {
    for (const Call& call : run.calls) {
      for (const Features& f : call.looks) {
        std::printf(
            "call %s %s %d share %.4g intervals %.4g living %.0f hazard %.3g slowing %.3g "
            "share_slowing %.3g said %.3g\n",
            scenario.name.c_str(), &f == call.looks.data() ? "first" : "later", call.right, f.share,
            f.intervals, f.living, f.hazard, f.slowing, f.share_slowing, f.confidence);
      }
    }
  }
}

int Main(const Options& options) {
  Score score;
  PrintHead(options.setting);
  for (const auto* scenarios : {&HarmlessScenarios(), &LeakScenarios()}) {
    for (const Scenario& scenario : *scenarios) {
      if (scenario.name.find(options.scenario) == std::string::npos) continue;
      if (options.harmless && (scenario.leaks || !scenario.counts)) continue;
      if (options.trace) {
        Run(scenario, options.setting, options.seed, true);
        return 0;
      }
      const std::vector<RunResult> results = RunAll(scenario, options);
      PrintLine(scenario, results);
      if (options.calls) PrintCalls(scenario, results);
      if (options.wrong && scenario.counts) PrintWrong(scenario, results, options.seed);
      score.Calibrate(results);
      if (scenario.counts) score.Add(scenario, results);
    }
  }
  score.Print();
  return options.check && !score.GoalsMet() ? 1 : 0;
}

}  // namespace
}  // namespace heapgauge::sim

int main(int argc, char** argv) {
  heapgauge::sim::Options options;
  if (argc == 2 && std::strcmp(argv[1], "--help") == 0) {
    std::fputs(heapgauge::sim::kHelp, stdout);
    return 0;
  }
  if (!heapgauge::sim::ParseOptions(argc, argv, options)) return 2;
  return heapgauge::sim::Main(options);
}
