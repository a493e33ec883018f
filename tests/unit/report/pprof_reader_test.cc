#include "report/pprof_reader.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <protozero/pbf_writer.hpp>
#include <random>
#include <string>

#include "report/pprof_writer.h"
#include "unit/report/sample_report.h"

namespace heapgauge {
namespace {

using protozero::pbf_writer;

std::string Problem(const std::string& bytes) {
  std::string error;
  return FromPprof(bytes, &error) ? "" : error;
}

TEST_CASE("what was written as a profile is read back", "[report][pprof]") {
  const Report report = AllListed();
  std::string error;
  const std::optional<Report> read = FromPprof(ToPprof(report), &error);
  REQUIRE(error == "");
  CHECK(read->exe == report.exe);
  CHECK(read->build_id == report.build_id);
  CHECK(read->modules.at(report.exe) == report.build_id);
  CHECK(read->sampling.interval_bytes == report.sampling.interval_bytes);
  CHECK(read->time.substr(0, 19) == report.time.substr(0, 19));
  REQUIRE(read->sites.size() == report.sites.size());
  const Site& leak = read->sites[0];
  CHECK(leak.live_bytes == std::round(report.sites[0].live_bytes));
  CHECK(leak.live_objects == std::round(report.sites[0].live_objects));
  CHECK(leak.allocated_bytes == std::round(report.sites[0].allocated_bytes));
  CHECK(leak.growth_bytes == std::round(report.sites[0].growth_bytes));
  CHECK(leak.labels == report.sites[0].labels);
  // From the call site up; inlined frames are frames again.
  const Frame& callsite = leak.frames.at(leak.callsite);
  CHECK(callsite.file == "/src/checkout/coupon.cc");
  CHECK(callsite.line == 88u);
  CHECK(leak.frames.size() == report.sites[0].frames.size() - report.sites[0].callsite);
  CHECK(leak.frames[1].inlined);
  CHECK_FALSE(leak.frames[2].inlined);
  CHECK(leak.frames[1].module_offset == leak.frames[2].module_offset);
  CHECK(leak.frames[2].module_offset == report.sites[0].frames[5].module_offset);
}

TEST_CASE("a time that nanoseconds do not reach is left out", "[report][pprof]") {
  Report report = AllListed();
  std::string error;
  report.time = "2262-04-11T23:47:16.854Z";  // the last millisecond that they reach
  CHECK(FromPprof(ToPprof(report), &error)->time == report.time);
  for (const char* time : {"2262-04-11T23:47:16.855Z", "3864-11-28T22:24:07.123Z", "soon"}) {
    report.time = time;
    CHECK(FromPprof(ToPprof(report), &error)->time == "");
  }
}

TEST_CASE("stacks of one line are one call site", "[report][pprof]") {
  Report report = AllListed();
  report.sites.resize(1);
  report.sites.push_back(report.sites[0]);
  report.sites_total = report.sites.size();
  report.sites[1].frames.Edit().back().module_offset += 16;
  report.sites[1].live_bytes = 1000;
  report.sites[0].live_bytes = 3000;
  std::string error;
  const std::optional<Report> read = FromPprof(ToPprof(report), &error);
  REQUIRE(error == "");
  REQUIRE(read->callsites.size() == 1);
  CHECK(read->callsites[0].stacks == 2);
  CHECK(read->callsites[0].sum.live_bytes == 4000);
  CHECK(read->callsites[0].largest_stack_share == 0.75);
  CHECK(read->totals.live_bytes == 4000);
}

TEST_CASE("samples of the same stack are one site", "[report][pprof]") {
  const std::string once = ToPprofProto(AllListed());
  std::string error;
  const std::optional<Report> read = FromPprof(once + once, &error);  // protobuf: fields append
  REQUIRE(error == "");
  CHECK(read->sites.size() == AllListed().sites.size());
  CHECK(read->sites[0].live_bytes == 2 * std::round(AllListed().sites[0].live_bytes));
}

TEST_CASE("a profile of something else is refused by name", "[report][pprof]") {
  std::string cpu;
  {
    pbf_writer all(cpu);
    for (const char* text : {"", "cpu", "nanoseconds"}) all.add_string(6, text);
    pbf_writer type(all, 1);
    type.add_int64(1, 1);
    type.add_int64(2, 2);
  }
  CHECK(Problem(cpu) == "it has no inuse_space: not a profile of live heap");
  CHECK(Problem("") == "it has no strings");
  CHECK(Problem("\x1f\x8b rubbish") != "");
}

TEST_CASE("a lying index is found, not followed", "[report][pprof]") {
  std::string bytes = ToPprofProto(LeakingCheckout());
  SECTION("a location that is not there") {
    pbf_writer all(bytes);
    pbf_writer sample(all, 2);
    const uint64_t ids[] = {99999};
    sample.add_packed_uint64(1, std::begin(ids), std::end(ids));
    sample.commit();
    CHECK(Problem(bytes) == "location 99999 is not there");
  }
  SECTION("a string that is not there") {
    pbf_writer all(bytes);
    pbf_writer mapping(all, 3);
    mapping.add_uint64(1, 77);
    mapping.add_int64(6, -5);
    mapping.commit();
    CHECK(Problem(bytes).starts_with("string table: index -5 of "));
  }
  SECTION("a sample without end") {
    pbf_writer all(bytes);
    pbf_writer sample(all, 2);
    const std::vector<uint64_t> ids(100'000, 1);
    sample.add_packed_uint64(1, ids.begin(), ids.end());
    sample.commit();
    CHECK(Problem(bytes) == "a sample has too many frames");
  }
}

TEST_CASE("a profile cut anywhere or changed anywhere does no harm", "[report][pprof]") {
  const std::string packed = ToPprof(LeakingCheckout());
  for (size_t length = 0; length < packed.size(); ++length)
    CHECK(Problem(packed.substr(0, length)) != "");
  const std::string plain = ToPprofProto(LeakingCheckout());
  for (size_t length = 0; length < plain.size(); ++length) Problem(plain.substr(0, length));
  std::mt19937 random(7);
  for (int round = 0; round < 20'000; ++round) {
    std::string changed = plain;
    for (int change = 0; change < 3; ++change)
      changed[random() % changed.size()] = static_cast<char>(random());
    Problem(changed);
  }
}

TEST_CASE("a small file that unpacks to more than the bound is refused", "[report][pprof]") {
  // A gzip member of 1 MiB of zeros, many times: 600 MiB from some 600 KiB.
  Report report = LeakingCheckout();
  report.evidence.assign(size_t{1} << 20, 'x');
  const std::string member = ToPprof(report);
  std::string bomb;
  for (int i = 0; i < 520; ++i) bomb += member;
  CHECK(Problem(bomb) == "it is larger than 512 MiB");
}

}  // namespace
}  // namespace heapgauge
