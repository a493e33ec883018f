#include "reporter/report_assembler.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <cstdlib>
#include <memory>

#include "unit/track/harness.h"

namespace heapgauge {
namespace {

using test::Block;
using test::Harness;

constexpr std::chrono::milliseconds kNoTime{1};
const ShimApi kShim;  // nothing is known of the modules' references

// A return address in a known module: the C library, a little into qsort.
void* InLibc() { return reinterpret_cast<void*>(reinterpret_cast<uintptr_t>(&std::qsort) + 8); }

Options NamesOnly() {
  Options options;
  options.symbolize = SymbolizeOption::kNames;
  options.report_interval_ns = 1'000'000'000;
  return options;
}

TEST_CASE("a report has every figure of a site, its frames and their modules", "[reporter]") {
  Harness harness(1);
  const Options options = NamesOnly();
  for (uintptr_t n = 1; n <= 3; ++n) {
    harness.tracker().Record(harness.self(), Block(n << 12), 1000 * n, 1, InLibc());
  }
  REQUIRE(harness.tracker().Forget(Block(2 << 12)));
  AllocatorStats allocator;
  ReportAssembler assembler(harness.tracker(), options, kShim, allocator, "/bin/program");
  const Report report = assembler.Assemble(false, kNoTime);

  CHECK(report.sequence == 1);
  CHECK(report.exe == "/bin/program");
  CHECK(report.sampling.samples == 3);
  CHECK(report.sampling.live_samples == 2);
  CHECK(report.totals.live_bytes == 4000);
  REQUIRE(report.sites.size() == 1);
  const Site& site = report.sites[0];
  CHECK(site.rank == 1);
  CHECK(site.allocated_bytes == 6000);
  CHECK(site.freed_bytes == 2000);
  CHECK(site.live_bytes == 4000);
  CHECK(site.live_bytes_stderr == 0);
  CHECK(site.allocated_objects == 3);
  CHECK(site.freed_objects == 1);
  CHECK(site.live_objects == 2);
  REQUIRE(site.frames.size() == 1);
  CHECK(site.frames[0].function.rfind("qsort", 0) == 0);
  const auto module = report.modules.find(site.frames[0].module);
  REQUIRE(module != report.modules.end());
  CHECK(module->second.size() == 40);  // a SHA-1 in hex
}

TEST_CASE("stacks that a report has no room for are in its profile by call site", "[reporter]") {
  Harness harness(1);
  const Options options = NamesOnly();
  constexpr uintptr_t kStacks = ReportAssembler::kSites + 40;
  const auto base = reinterpret_cast<uintptr_t>(InLibc());
  for (uintptr_t n = 0; n < kStacks; ++n) {
    void* const from = reinterpret_cast<void*>(base + n);
    harness.tracker().Record(harness.self(), Block((n + 1) << 12), 1000 + n, 1, from);
  }
  AllocatorStats allocator;
  ReportAssembler assembler(harness.tracker(), options, kShim, allocator, "/bin/program");
  const Report report = assembler.Assemble(false, kNoTime);
  REQUIRE(report.sites_total == kStacks);
  REQUIRE(report.sites.size() == ReportAssembler::kSites);
  REQUIRE_FALSE(report.rest.empty());
  HeapFigures left = report.totals;
  for (const Site& site : report.sites) left = left.Without(site);
  CHECK(left.live_objects == kStacks - ReportAssembler::kSites);
  for (const CallsiteRest& rest : report.rest) {
    left = left.Without(rest.figures);
    CHECK_FALSE(rest.frame.module.empty());  // the C library's, or a sanitizer's
  }
  CHECK(left.live_bytes == Approx(0).margin(1));
  CHECK(left.live_objects == Approx(0).margin(1e-6));
}

TEST_CASE("one stack keeps its id from report to report", "[reporter]") {
  Harness harness(1);
  const Options options = NamesOnly();
  harness.tracker().Record(harness.self(), Block(1 << 12), 100, 1, InLibc());
  AllocatorStats allocator;
  ReportAssembler first(harness.tracker(), options, kShim, allocator, "a");
  ReportAssembler second(harness.tracker(), options, kShim, allocator, "b");
  const std::string id = first.Assemble(false, kNoTime).sites.at(0).id;
  CHECK(id.size() == 16);
  CHECK(first.Assemble(true, kNoTime).sites.at(0).id == id);
  CHECK(second.Assemble(false, kNoTime).sites.at(0).id == id);
}

TEST_CASE("stacks that were named for a report are not named again for the next", "[reporter]") {
  Harness harness(1);
  const Options options = NamesOnly();
  const auto record = [&](uintptr_t block, uintptr_t offset) {
    void* const from = reinterpret_cast<void*>(reinterpret_cast<uintptr_t>(InLibc()) + offset);
    harness.tracker().Record(harness.self(), Block(block << 12), 1000 / block, 1, from);
  };
  record(1, 0);
  AllocatorStats allocator;
  ReportAssembler assembler(harness.tracker(), options, kShim, allocator, "a");
  const Report first = assembler.Assemble(false, kNoTime);
  record(2, 1);
  const Report second = assembler.Assemble(false, kNoTime);
  REQUIRE(second.sites.size() == 2);
  CHECK(second.sites[0].frames.identity() == first.sites[0].frames.identity());
  CHECK(second.sites[0].frames.is_kept());
  CHECK(second.sites[1].frames.size() == 1);
  CHECK(second.modules == first.modules);
  // A process that ends with one report keeps nothing for the next.
  CHECK_FALSE(second.sites[1].frames.is_kept());
  CHECK(assembler.Assemble(false, kNoTime).sites[1].frames.is_kept());
}

TEST_CASE("estimates come with their standard error when not all is seen", "[reporter]") {
  Harness harness(1000);
  const Options options = NamesOnly();
  harness.tracker().Record(harness.self(), Block(1 << 12), 1000, 1000, InLibc());
  AllocatorStats allocator;
  ReportAssembler assembler(harness.tracker(), options, kShim, allocator, "a");
  const Report report = assembler.Assemble(false, kNoTime);
  const double p = 1 - std::exp(-1.0);
  CHECK(report.totals.live_bytes == Approx(1000 / p).epsilon(1e-3));
  CHECK(report.totals.live_bytes_stderr == Approx(1000 * std::sqrt(1 - p) / p).epsilon(1e-3));
  CHECK(report.process.heap_live_bytes == static_cast<uint64_t>(report.totals.live_bytes));
}

}  // namespace
}  // namespace heapgauge
