#include "reporter/temporary_figures.h"

#include <catch2/catch.hpp>

#include "base/clock.h"
#include "reporter/report_assembler.h"
#include "unit/track/harness.h"

namespace heapgauge {
namespace {

using test::Block;
using test::Harness;

constexpr std::chrono::milliseconds kNoTime{1};

void* InLibc(uintptr_t n) {
  return reinterpret_cast<void*>(reinterpret_cast<uintptr_t>(&std::qsort) + 8 + n);
}

// Births of before are old enough to be a report's.
void WaitForTheClock() {
  const uint64_t until = MonotonicNs() + 40'000'000;
  while (MonotonicNs() < until) {
  }
}

struct Reporting {
  explicit Reporting(uint64_t interval)
      : harness(interval), assembler(harness.tracker(), options, shim, allocator, "/bin/program") {
    options.symbolize = SymbolizeOption::kNames;
  }
  void Born(uintptr_t n, size_t bytes, uintptr_t at = 0) {
    harness.tracker().Record(harness.self(), Block(n << 12), bytes, 1, InLibc(at));
  }
  void Dead(uintptr_t n) { REQUIRE(harness.tracker().Forget(Block(n << 12))); }
  void Reallocated(uintptr_t n, size_t bytes, uintptr_t at) {
    TakenSample taken;
    REQUIRE(harness.tracker().Take(Block(n << 12), &taken));
    harness.tracker().Moved(harness.self(), Block(n << 12), bytes, taken, {}, InLibc(at));
  }
  Report Make(bool is_look = false) {
    WaitForTheClock();
    Report report = assembler.Assemble(false, kNoTime, is_look);
    REQUIRE(report.temporary);
    return report;
  }

  Options options;
  const ShimApi shim{};
  AllocatorStats allocator;
  Harness harness;
  ReportAssembler assembler;
};

TEST_CASE("what is born and freed between two reports is temporary", "[reporter][temporary]") {
  Reporting reporting(1);
  for (uintptr_t n = 1; n <= 10; ++n) reporting.Born(n, 100);
  for (uintptr_t n = 1; n <= 7; ++n) reporting.Dead(n);
  const Report first = reporting.Make();
  CHECK(first.temporary->objects == 7);
  CHECK(first.temporary->bytes == 700);
  CHECK(first.temporary->bytes_stderr == 0);
  CHECK(first.temporary->allocated_objects == 10);
  REQUIRE(first.temporary->callsites.size() == 1);
  CHECK(first.temporary->callsites[0].objects == 7);
  CHECK(first.temporary->callsites[0].frame.function.rfind("qsort", 0) == 0);
  CHECK(first.temporary->callsites[0].id == first.callsites[0].sum.id);

  // Those that a report has seen are not temporary when they die.
  for (uintptr_t n = 8; n <= 10; ++n) reporting.Dead(n);
  CHECK(reporting.Make().temporary->objects == 7);
  reporting.Born(11, 50);
  reporting.Dead(11);
  CHECK(reporting.Make().temporary->bytes == 750);
}

TEST_CASE("a look ends no time between two reports", "[reporter][temporary]") {
  Reporting reporting(1);
  reporting.Born(1, 100);
  CHECK(reporting.Make(true).temporary->objects == 0);
  reporting.Dead(1);
  CHECK(reporting.Make(true).temporary->objects == 1);
  CHECK(reporting.Make().temporary->objects == 1);
}

TEST_CASE("a block that realloc moves is not freed", "[reporter][temporary]") {
  Reporting reporting(1);
  reporting.Born(1, 100);
  const Report first = reporting.Make();
  CHECK(first.temporary->objects == 0);
  reporting.Reallocated(1, 5000, 64);  // old, at another call site
  CHECK(reporting.Make().temporary->bytes == 0);
  reporting.Dead(1);
  CHECK(reporting.Make().temporary->bytes == 0);

  reporting.Born(2, 10);
  for (size_t bytes = 20; bytes < 200; bytes += 20) reporting.Reallocated(2, bytes, 64);
  CHECK(reporting.Make().temporary->objects == 0);
  reporting.Born(3, 10);
  for (size_t bytes = 20; bytes < 200; bytes += 20) reporting.Reallocated(3, bytes, 64);
  reporting.Dead(3);  // one object
  const Report last = reporting.Make();
  CHECK(last.temporary->objects == 1);
  CHECK(last.temporary->bytes == 180);
}

TEST_CASE("sampled figures of temporary blocks are unbiased within their error",
          "[reporter][temporary][statistics]") {
  Reporting reporting(4096);
  constexpr uintptr_t kBlocks = 20'000;
  for (uintptr_t n = 1; n <= kBlocks; ++n) {
    reporting.harness.Malloc(n << 12, 256, 1);
    if (n % 4 != 0) reporting.harness.Free(n << 12);
  }
  const Report report = reporting.Make();
  const Temporary& temporary = *report.temporary;
  CHECK(temporary.bytes_stderr > 0);
  CHECK(std::abs(temporary.bytes - 256.0 * kBlocks * 3 / 4) < 5 * temporary.bytes_stderr);
  CHECK(std::abs(temporary.objects - 1.0 * kBlocks * 3 / 4) < 5 * temporary.bytes_stderr / 256);
}

TEST_CASE("a fork's child knows nothing of what its parent freed", "[reporter][temporary]") {
  Reporting reporting(1);
  reporting.Born(1, 100);
  reporting.Dead(1);
  reporting.Born(2, 100);
  reporting.harness.tracker().AfterForkInChild();
  CHECK(reporting.Make().temporary->objects == 0);
  reporting.Dead(2);
  reporting.Born(3, 100);
  reporting.Dead(3);
  CHECK(reporting.Make().temporary->objects == 1);
}

TEST_CASE("the peak tells what it was made of when it is over", "[reporter][peak]") {
  Reporting reporting(1);
  reporting.Born(1, 1000);
  reporting.Born(2, 5000, 64);
  reporting.Make();
  reporting.Dead(2);
  reporting.Born(3, 100);
  const Report after = reporting.Make();
  REQUIRE(after.peak);
  CHECK(after.totals.live_bytes == 1100);
  CHECK(after.peak->live_bytes == 6000);
  CHECK(after.peak->time <= after.time);
  REQUIRE_FALSE(after.peak->callsites.empty());
  double sum = 0;
  for (const PeakCallsite& callsite : after.peak->callsites) sum += callsite.live_bytes;
  CHECK(sum == 6000);
  // A look may see a higher one.
  reporting.Born(4, 9000);
  CHECK(reporting.Make(true).peak->live_bytes == 10100);
}

}  // namespace
}  // namespace heapgauge
