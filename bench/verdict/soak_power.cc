// soak_power_bench: what does a soak see?  Leaks of a known size under the analysis that the library
// runs, as long as a soak is: how many of them are called by its end, at half of the stated bound, at
// it and at twice as much (lib/cli/soak_power.h).
//
//   soak_power_bench [--runs N] [--seed N] [--search]    --search: the bound itself, for the table there
#include "cli/soak_power.h"

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include "analyze/analyzer.h"
#include "ingredients.h"

namespace heapgauge::sim {
namespace {

constexpr double kWarmUp = 0.25;  // of the judged part, before it
constexpr double kIntervalBytes = 65536;

enum class Kind { kBeside, kNothingDies };

// Is a leak of so many samples in the judged part, from the start of the load on, called by its end?
bool IsSeen(Kind kind, int reports, double samples, uint64_t seed) {
  Random random(seed);
  Setting setting;
  setting.report_s = setting.look_s = setting.scale_s = 1;
  setting.interval_bytes = kIntervalBytes;
  setting.scales = static_cast<int>(reports * (1 + kWarmUp));
  const double bytes = AnyBytes(setting, random);
  const double rate = samples / reports;
  std::vector<Population> populations = {
      Objects(rate, bytes, setting, Constant(), ForEver(), true)};
  if (kind == Kind::kBeside) {
    const double share = random.LogUniform(1e-3, 0.5);
    populations.push_back(Objects(std::min(rate / share, 3000.0), bytes, setting, Constant(),
                                  Exponential(random.LogUniform(1e-3, 1))));
  }
  std::vector<Site> sites;
  sites.emplace_back(0, setting.interval_bytes, std::move(populations));
  AddCompany(sites, setting, Constant(), random);
  Analyzer analyzer({.report_interval_s = setting.report_s});
  bool seen = false;
  for (int report = 1; report <= setting.scales; ++report) {
    const double now = setting.report_s * (report + 0.02 * random.Uniform());
    uint64_t taken = 0;
    for (Site& site : sites) {
      site.AdvanceTo(now, 4, random);
      taken += site.samples();
    }
    analyzer.Begin(now, taken);
    for (const Site& site : sites) analyzer.Observe(site.key() + 1, site.Observe());
    seen = false;
    for (const SiteJudgement& judgement : analyzer.Finish(ProcessObservation{}).sites)
      seen = seen || (judgement.key == 1 && judgement.verdict == Verdict::kLeak);
  }
  return seen;
}

double ShareSeen(Kind kind, int reports, double samples, uint64_t runs, uint64_t seed) {
  std::atomic<uint64_t> next{0};
  std::atomic<uint64_t> seen{0};
  std::vector<std::thread> threads;
  for (unsigned job = 0; job < std::max(1U, std::thread::hardware_concurrency()); ++job) {
    threads.emplace_back([&] {
      for (uint64_t i = next++; i < runs; i = next++)
        seen += IsSeen(kind, reports, samples, seed + i) ? 1 : 0;
    });
  }
  for (std::thread& thread : threads) thread.join();
  return static_cast<double>(seen) / static_cast<double>(runs);
}

void Search(uint64_t runs, uint64_t seed) {
  constexpr double kSamples[] = {16, 20, 24, 28, 32, 36, 40, 48, 56, 64, 80, 100, 130, 170};
  for (const int reports : {12, 16, 20, 24, 32, 40, 48, 64, 96}) {
    std::printf("%3d reports:", reports);
    for (const double samples : kSamples) {
      std::printf(" %3.0f:%.2f/%.2f", samples,
                  ShareSeen(Kind::kBeside, reports, samples, runs, seed),
                  ShareSeen(Kind::kNothingDies, reports, samples, runs, seed));
      std::fflush(stdout);
    }
    std::printf("\n");
  }
}

void Check(uint64_t runs, uint64_t seed) {
  std::printf(
      "leaks called by the end of a soak, %llu runs each\n"
      "reports bound[samples]   beside objects that die       where nothing dies\n"
      "                          half  bound  twice            half  bound  twice\n",
      static_cast<unsigned long long>(runs));
  for (const int reports : {20, 24, 32, 48, 96}) {
    const double bound = cli::SamplesToSee(reports).value_or(0);
    std::printf("%7d %14.0f", reports, bound);
    for (const Kind kind : {Kind::kBeside, Kind::kNothingDies}) {
      std::printf("        ");
      for (const double factor : {0.5, 1.0, 2.0}) {
        std::printf("  %.3f", ShareSeen(kind, reports, bound * factor, runs, seed));
        std::fflush(stdout);
      }
    }
    std::printf("\n");
  }
}

}  // namespace
}  // namespace heapgauge::sim

int main(int argc, char** argv) {
  uint64_t runs = 400;
  uint64_t seed = 21'000'000;
  bool search = false;
  for (int i = 1; i < argc; ++i) {
    const bool more = i + 1 < argc;
    if (std::strcmp(argv[i], "--search") == 0) {
      search = true;
    } else if (more && std::strcmp(argv[i], "--runs") == 0) {
      runs = std::strtoull(argv[++i], nullptr, 10);
    } else if (more && std::strcmp(argv[i], "--seed") == 0) {
      seed = std::strtoull(argv[++i], nullptr, 10);
    } else {
      std::fprintf(stderr, "soak_power_bench [--runs N] [--seed N] [--search]\n");
      return 2;
    }
  }
  if (search) {
    heapgauge::sim::Search(runs, seed);
  } else {
    heapgauge::sim::Check(runs, seed);
  }
  return 0;
}
