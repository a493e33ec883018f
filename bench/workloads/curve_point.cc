// One point of the cost curves: so many threads, live blocks, frames of stack and call sites.
//
//   curve_point PAIRS THREADS LIVE DEPTH SITES
//
// PAIRS of malloc and free in all, each from one of SITES different stacks of DEPTH frames, each
// block freed after LIVE others.
#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <thread>
#include <vector>

#include "workload.h"

namespace {

void* volatile g_made = nullptr;

struct Way {
  uint64_t site;
  int forks;  // frames that are still to tell the sites apart
  int depth;  // frames still to come
  size_t bytes;
};

// Two calls of one function: which of them stands on the stack, level by level, is the site's
// number in binary.
__attribute__((noinline)) void* Descend(Way way) {
  void* made;
  if (way.depth <= 1) {
    made = std::malloc(way.bytes);
    asm volatile("# made" : "+r"(made));
    return made;
  }
  const bool right = way.forks > 0 && way.site % 2 != 0;
  way.site /= 2;
  --way.forks;
  --way.depth;
  if (right) {
    made = Descend(way);
    asm volatile("# right" : "+r"(made));
  } else {
    made = Descend(way);
    asm volatile("# left" : "+r"(made));
  }
  return made;
}

int ForksFor(uint64_t sites) {
  int forks = 0;
  while ((uint64_t{1} << forks) < sites) ++forks;
  return forks;
}

void Work(long pairs, size_t live, int depth, uint64_t sites, uint64_t seed) {
  workload::Random random(seed);
  std::vector<void*> blocks(live, nullptr);
  const int forks = ForksFor(sites);
  for (long n = 0; n < pairs; ++n) {
    void*& block = blocks[static_cast<size_t>(n) % live];
    std::free(block);
    block = Descend({random.Below(sites), forks, depth, workload::UsualSize(random)});
    g_made = block;
  }
  for (void* block : blocks) std::free(block);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 6) {
    std::fprintf(stderr, "usage: %s PAIRS THREADS LIVE DEPTH SITES\n", argv[0]);
    return 2;
  }
  const long pairs = std::atol(argv[1]);
  const long threads = std::atol(argv[2]);
  const long live = std::atol(argv[3]);
  const int depth = std::atoi(argv[4]);
  const auto sites = static_cast<uint64_t>(std::atoll(argv[5]));
  if (pairs < threads || threads < 1 || live < threads || depth < 1 || sites < 1) return 2;
  std::vector<std::thread> workers;
  for (long n = 0; n < threads; ++n) {
    workers.emplace_back(Work, pairs / threads, static_cast<size_t>(live / threads), depth, sites,
                         static_cast<uint64_t>(n));
  }
  for (std::thread& worker : workers) worker.join();
  return workload::Finish(0);
}
