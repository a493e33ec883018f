// `free_question SCHEME REPEATS [REQUESTS [SLOTS [INTERVAL]]]`: makes the trace, then plays it
// REPEATS times through one scheme.  Under callgrind, the difference between two REPEATS is the
// scheme alone (free_question.py does that). Prints: deaths a repeat, sampled ones among them that
// were found, sampled ones that went unseen, bytes that the scheme holds, bytes of the program's
// heap, ns an event.
#include <time.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string_view>
#include <unordered_set>

#include "free_question/schemes.h"
#include "free_question/trace.h"

namespace free_question {
namespace {

double Now() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

// Sampled births without a death behind them.
uint64_t LivingAtEnd(const std::vector<Event>& events) {
  std::unordered_set<uintptr_t> living;
  for (const Event& event : events) {
    if (event.kind == Event::kSampledBirth) {
      living.insert(event.block);
    } else {
      living.erase(event.block);
    }
  }
  return living.size();
}

template <typename Scheme>
int Play(TraceOptions options, Placement placement, long repeats) {
  options.placement = placement;
  size_t heap = 0;
  const std::vector<Event> events = MakeTrace(options, &heap);
  const auto scheme = std::make_unique<Scheme>();
  uint64_t deaths = 0;
  uint64_t found = 0;
  const double began = Now();
  for (long i = 0; i < repeats; ++i) {
    for (const Event& event : events) {
      if (event.kind == Event::kSampledBirth) {
        scheme->Born(event.block);
      } else {
        ++deaths;
        if (scheme->Died(event.block)) ++found;
      }
    }
  }
  const double ns = (Now() - began) * 1e9;
  const uint64_t times = static_cast<uint64_t>(repeats);
  uint64_t sampled = 0;
  for (const Event& event : events) sampled += event.kind == Event::kSampledBirth ? 1 : 0;
  if (deaths == 0) return 1;
  // Blocks that live on when the trace ends are born again in the next repeat, at the same address:
  // not lost.
  std::printf("%llu %llu %llu %zu %zu %.2f\n", static_cast<unsigned long long>(deaths / times),
              static_cast<unsigned long long>(found / times),
              static_cast<unsigned long long>(sampled - LivingAtEnd(events) - found / times),
              scheme->bytes(), heap, ns / static_cast<double>(times * events.size()));
  return 0;
}

int Main(int argc, char** argv) {
  if (argc < 3) {
    std::fprintf(stderr,
                 "usage: %s lookup|bitset|counts|mask|mask_filter|mask_filter_kept REPEATS "
                 "[REQUESTS [SLOTS [INTERVAL]]]\n",
                 argv[0]);
    return 2;
  }
  const std::string_view scheme = argv[1];
  const long repeats = std::atol(argv[2]);
  TraceOptions options;
  if (argc > 3) options.requests = std::strtoull(argv[3], nullptr, 10);
  if (argc > 4) options.slots = std::strtoull(argv[4], nullptr, 10);
  if (argc > 5) options.interval = std::strtoull(argv[5], nullptr, 10);
  if (scheme == "lookup") return Play<Lookup>(options, Placement::kAsItComes, repeats);
  if (scheme == "bitset") return Play<Bitset<16>>(options, Placement::kAsItComes, repeats);
  if (scheme == "counts") return Play<HashedCounts<16>>(options, Placement::kAsItComes, repeats);
  if (scheme == "mask") return Play<Aligned<false>>(options, Placement::kAligned, repeats);
  if (scheme == "mask_filter") return Play<Aligned<true>>(options, Placement::kAligned, repeats);
  if (scheme == "mask_filter_kept") return Play<Aligned<true>>(options, Placement::kKept, repeats);
  std::fprintf(stderr, "%s: unknown scheme %s\n", argv[0], argv[1]);
  return 2;
}

}  // namespace
}  // namespace free_question

int main(int argc, char** argv) { return free_question::Main(argc, argv); }
