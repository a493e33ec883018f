#include "analyze/doublings.h"

#include <catch2/catch.hpp>

#include "fake_site.h"

namespace heapgauge {
namespace {

TEST_CASE("a buffer that grows evenly shows from its third doubling on, until it stops",
          "[analyze][doublings]") {
  for (const double factor : {1.5, 2.0}) {
    Doublings buffer;
    double size = kMiB;
    double filled = 0;
    uint32_t steps = 0;
    double now = 0;
    // 64 KiB a second, looked at every second.
    for (; steps < 6; ++now) {
      filled += kMiB / 16;
      if (filled > size) {
        size *= factor;
        ++steps;
      }
      buffer.Add(now, size, 1);
      CHECK(buffer.Count(now) == (steps < 3 ? 0 : steps));
    }
    // Then it stays as it is.
    for (double later = now; later < 40 * now; ++later) buffer.Add(later, size, 1);
    CHECK(buffer.Count(40 * now) == 0);
  }
}

TEST_CASE("what is given back, and what many blocks do, is no doubling", "[analyze][doublings]") {
  // A buffer that is made anew for each piece of work.
  Doublings work;
  for (int piece = 0; piece < 10; ++piece) {
    for (int step = 0; step < 3; ++step) {
      const double now = 30 * piece + 10 * step;
      work.Add(now, kMiB * (1 << step), 1);
      CHECK(work.Count(now) == 0);
    }
  }
  Doublings many;
  for (int i = 0; i < 10; ++i) many.Add(10 * i, kMiB * (1 << i), 64);
  CHECK(many.Count(100) == 0);
  // Even growth of one block by small steps has a rate of its own, and doubles, too, in the end.
  Doublings none;
  for (int i = 0; i < 10; ++i) none.Add(10 * i, 0, 0);
  CHECK(none.Count(100) == 0);
}

TEST_CASE("old and new block at once, while one is copied, do not hide the next doubling",
          "[analyze][doublings]") {
  Doublings buffer;
  double size = kMiB;
  for (int step = 0; step < 5; ++step) {
    buffer.Add(100 * step, size, 1);
    if (step % 2 == 1) buffer.Add(100 * step + 99, 3 * size, 2);
    size *= 2;
  }
  CHECK(buffer.Count(450) >= 3);
}

}  // namespace
}  // namespace heapgauge
