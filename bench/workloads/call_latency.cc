// How long single calls of malloc and free take, while reports are made or not.
//
//   call_latency SECONDS THREADS LIVE
//
// Each thread holds its part of LIVE blocks and replaces one after the other; every call is timed.
// Prints one line: calls, and the 50th, 99th, 99.9th, 99.99th and 99.999th percentile and the
// longest, in nanoseconds.
#include <algorithm>
#include <array>
#include <bit>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <thread>
#include <vector>

#include "workload.h"

namespace {

using Clock = std::chrono::steady_clock;

// Counts by duration, sixteen to each doubling: 6 % wide.
class Histogram {
 public:
  void Add(uint64_t ns) {
    ++counts_[IndexOf(ns)];
    longest_ = std::max(longest_, ns);
  }
  void Add(const Histogram& other) {
    for (size_t i = 0; i < kCounts; ++i) counts_[i] += other.counts_[i];
    longest_ = std::max(longest_, other.longest_);
  }
  uint64_t Calls() const {
    uint64_t calls = 0;
    for (const uint64_t count : counts_) calls += count;
    return calls;
  }
  uint64_t Longest() const { return longest_; }
  uint64_t Quantile(double share) const {
    const auto wanted = static_cast<uint64_t>(share * static_cast<double>(Calls()));
    uint64_t seen = 0;
    for (size_t i = 0; i < kCounts; ++i) {
      seen += counts_[i];
      if (seen > wanted) return LowOf(i);
    }
    return longest_;
  }

 private:
  static constexpr unsigned kParts = 16;
  static constexpr size_t kCounts = 64 * kParts;

  static size_t IndexOf(uint64_t ns) {
    if (ns < kParts) return ns;
    const auto log = static_cast<unsigned>(std::bit_width(ns)) - 5;
    return log * kParts + (ns >> log);
  }
  static uint64_t LowOf(size_t index) {
    if (index < 2 * kParts) return index;
    const size_t log = index / kParts - 1;
    return (index - log * kParts) << log;
  }

  std::array<uint64_t, kCounts> counts_{};
  uint64_t longest_ = 0;
};

void* volatile g_made = nullptr;

void Work(Clock::time_point end, size_t live, uint64_t seed, Histogram& histogram) {
  workload::Random random(seed);
  std::vector<void*> blocks(live, nullptr);
  Clock::time_point before = Clock::now();
  const auto note = [&] {
    const Clock::time_point now = Clock::now();
    histogram.Add(static_cast<uint64_t>((now - before).count()));
    before = now;
  };
  while (before < end) {
    void*& block = blocks[random.Below(live)];
    const size_t bytes = workload::UsualSize(random);
    before = Clock::now();
    std::free(block);
    note();
    block = std::malloc(bytes);
    note();
    g_made = block;
  }
  for (void* block : blocks) std::free(block);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fprintf(stderr, "usage: %s SECONDS THREADS LIVE\n", argv[0]);
    return 2;
  }
  const std::chrono::duration<double> seconds(std::atof(argv[1]));
  const long threads = std::atol(argv[2]);
  const long live = std::atol(argv[3]);
  if (seconds.count() <= 0 || threads < 1 || live < threads) return 2;
  const auto end = Clock::now() + std::chrono::duration_cast<Clock::duration>(seconds);
  std::vector<Histogram> histograms(static_cast<size_t>(threads));
  std::vector<std::thread> workers;
  for (long n = 0; n < threads; ++n) {
    workers.emplace_back(Work, end, static_cast<size_t>(live / threads), static_cast<uint64_t>(n),
                         std::ref(histograms[static_cast<size_t>(n)]));
  }
  for (std::thread& worker : workers) worker.join();
  Histogram all;
  for (const Histogram& histogram : histograms) all.Add(histogram);
  std::printf("%llu", static_cast<unsigned long long>(all.Calls()));
  for (const double share : {0.5, 0.99, 0.999, 0.9999, 0.99999}) {
    std::printf(" %llu", static_cast<unsigned long long>(all.Quantile(share)));
  }
  std::printf(" %llu\n", static_cast<unsigned long long>(all.Longest()));
  return 0;
}
