#include "process/free_ranges.h"

#include <catch2/catch.hpp>

namespace heapgauge {
namespace {

TEST_CASE("an address lies in a free chunk from its first byte to its last",
          "[process][free_ranges]") {
  FreeRanges ranges;
  ranges.Begin(7);
  CHECK(ranges.empty());
  CHECK_FALSE(ranges.Hold(4096));
  ranges.Add(8192, 64, 2);
  ranges.Add(4096, 32, 1);
  ranges.Add(4128, 32, 1);  // the next chunk
  ranges.End();
  CHECK(ranges.began_ns() == 7);
  CHECK_FALSE(ranges.empty());
  CHECK_FALSE(ranges.Hold(4095));
  CHECK(ranges.Hold(4096));
  CHECK(ranges.Hold(4159));
  CHECK_FALSE(ranges.Hold(4160));
  CHECK_FALSE(ranges.Hold(8191));
  CHECK(ranges.Hold(8255));
  CHECK_FALSE(ranges.Hold(8256));
  CHECK_FALSE(ranges.Hold(UINTPTR_MAX));
  ranges.Begin(8);
  ranges.End();
  CHECK_FALSE(ranges.Hold(4096));
}

TEST_CASE("what a broken list showed is taken back, and nothing before it",
          "[process][free_ranges]") {
  FreeRanges ranges;
  ranges.Begin(0);
  ranges.Add(4096, 32, 1);
  const size_t mark = ranges.mark();
  ranges.Add(8192, 32, 1);
  ranges.Add(12288, 32, 2);
  ranges.Add(16384, 32, 1);
  ranges.TakeBack(mark, 1);
  ranges.End();
  CHECK(ranges.Hold(4096));
  CHECK_FALSE(ranges.Hold(8192));
  CHECK(ranges.Hold(12288));
  CHECK_FALSE(ranges.Hold(16384));
}

TEST_CASE("chunks that contradict each other do not count", "[process][free_ranges]") {
  FreeRanges ranges;
  ranges.Begin(0);
  ranges.Add(4096, 32, 1);
  ranges.Add(1 << 20, 1 << 20, 1);  // too long, over two others
  ranges.Add((1 << 20) + 64, 32, 1);
  ranges.Add((1 << 20) + 4096, 32, 1);
  ranges.Add(4 << 20, 32, 1);
  ranges.Add(4 << 20, 32, 2);             // in two lists
  ranges.Add(UINTPTR_MAX - 15, 1024, 1);  // beyond the end of everything
  ranges.End();
  CHECK(ranges.Hold(4096));
  CHECK_FALSE(ranges.Hold(1 << 20));
  CHECK_FALSE(ranges.Hold((1 << 20) + 64));
  CHECK_FALSE(ranges.Hold((1 << 20) + 4096));
  CHECK_FALSE(ranges.Hold((2 << 20) - 1));
  CHECK_FALSE(ranges.Hold(4 << 20));
  CHECK_FALSE(ranges.Hold(UINTPTR_MAX - 15));
}

TEST_CASE("more chunks than there is room for are left out", "[process][free_ranges]") {
  FreeRanges ranges;
  ranges.Begin(0);
  for (size_t i = 0; i < FreeRanges::kMost + 100; ++i) ranges.Add(4096 * (i + 1), 32, 1);
  ranges.End();
  CHECK(ranges.mark() == FreeRanges::kMost);
  CHECK(ranges.Hold(4096 * FreeRanges::kMost));
  CHECK_FALSE(ranges.Hold(4096 * (FreeRanges::kMost + 1)));
}

}  // namespace
}  // namespace heapgauge
