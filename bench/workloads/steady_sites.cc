// Allocates once by so many ways down, then does nothing but ask for reports: what it pays for each
// is what a report costs of which nothing has changed.  PROGRAM [SITES [REPORTS]]; at an interval of
// 64 bytes each block is sampled, and each way is a site.
#include <heapgauge/heapgauge.h>

#include <cstdio>
#include <cstdlib>
#include <iterator>

#include "workload.h"

#pragma weak heapgauge_write_report

namespace {

constexpr int kForks = 12;
constexpr long kBlocksOfASite = 4;

using Way = void (*)(long, long);

// Each is a call site with a name of its own.
#define HG_WAY(tens, ones)                                                               \
  __attribute__((noinline)) void Allocate##tens##ones(long bytes, long blocks) {         \
    for (long block = 0; block < blocks; ++block) {                                      \
      void* const memory = std::malloc(static_cast<size_t>(bytes));                      \
      /* Some keep nothing. */                                                           \
      if ((ones) % 4 == 3) std::free(memory);                                            \
    }                                                                                    \
    asm volatile("# " #tens #ones); /* or the compiler makes one function of them all */ \
  }
// It never comes to an end with these.
// clang-format off
#define HG_TEN(apply, tens) \
  apply(tens, 0) apply(tens, 1) apply(tens, 2) apply(tens, 3) apply(tens, 4) \
  apply(tens, 5) apply(tens, 6) apply(tens, 7) apply(tens, 8) apply(tens, 9)
#define HG_FIVE(apply, a, b, c, d, e) \
  HG_TEN(apply, a) HG_TEN(apply, b) HG_TEN(apply, c) HG_TEN(apply, d) HG_TEN(apply, e)
#define HG_ALL(apply) \
  HG_FIVE(apply, 1, 2, 3, 4, 5) HG_FIVE(apply, 6, 7, 8, 9, 10) \
  HG_FIVE(apply, 11, 12, 13, 14, 15) HG_FIVE(apply, 16, 17, 18, 19, 20)
// clang-format on
#define HG_NAME(tens, ones) Allocate##tens##ones,

HG_ALL(HG_WAY)
constexpr Way kWays[] = {HG_ALL(HG_NAME)};
constexpr long kLines = std::size(kWays);

// Goes down by one of two calls at each level: every `path` is a stack of its own.
__attribute__((noinline)) void Descend(Way way, long path, int forks) {
  if (forks == 0) {
    way(2048 + path % 1024, kBlocksOfASite);
  } else if (path % 2 == 0) {
    Descend(way, path / 2, forks - 1);
    asm volatile("# left");  // or the compiler makes one call of the two
  } else {
    Descend(way, path / 2, forks - 1);
    asm volatile("# right");
  }
}

}  // namespace

int main(int argc, char** argv) {
  const workload::Arguments arguments(argc, argv, 1000, 1);
  for (long site = 0; site < arguments.scale; ++site) {
    Descend(kWays[static_cast<size_t>(site % kLines)], site / kLines, kForks);
  }
  for (int report = 0; report < arguments.threads && heapgauge_write_report != nullptr; ++report) {
    if (heapgauge_write_report() != HEAPGAUGE_OK) return 1;
  }
  return workload::Finish(static_cast<uint64_t>(arguments.scale));
}
