#include <fmt/core.h>
#include <zlib.h>

#include <catch2/catch.hpp>

#include "report/gzip.h"
#include "report/pprof_reader.h"
#include "report/pprof_writer.h"
#include "unit/report/sample_report.h"

namespace heapgauge {
namespace {

// By zlib in one go, as browsers do it: a second member would be left over.
std::string Unpacked(const std::string& packed) {
  std::string plain(1 << 20, '\0');
  z_stream stream{};
  constexpr int kGzipHeader = 16;
  REQUIRE(inflateInit2(&stream, MAX_WBITS + kGzipHeader) == Z_OK);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
  stream.avail_in = static_cast<uInt>(packed.size());
  stream.next_out = reinterpret_cast<Bytef*>(plain.data());
  stream.avail_out = static_cast<uInt>(plain.size());
  CHECK(inflate(&stream, Z_FINISH) == Z_STREAM_END);  // the checksum is right, too
  CHECK(stream.avail_in == 0);
  plain.resize(stream.total_out);
  inflateEnd(&stream);
  return plain;
}

TEST_CASE("a beginning that is packed before makes the gzip of the whole", "[report][pprof]") {
  GzipBeginning beginning;
  CHECK(Unpacked(beginning.With("")).empty());
  CHECK(Unpacked(Gzip("all")) == "all");
  std::string common;
  for (int i = 0; i < 5000; ++i) common += fmt::format("line {} ", i * i);
  beginning.Set(std::string(common));
  for (const char* rest : {"", "rest", "line 0 line 1"}) {
    CHECK(Unpacked(beginning.With(rest)) == common + rest);
  }
  beginning.Set("another");
  CHECK(Unpacked(beginning.With("one")) == "anotherone");
}

TEST_CASE("the profiles of a series say what each says alone", "[report][pprof]") {
  Report report = LeakingCheckout();
  for (Site& site : report.sites) site.frames.Keep();
  PprofSeries series;
  size_t first_bytes = 0;
  for (int n = 0; n < 6; ++n) {
    report.sequence = static_cast<uint64_t>(n);
    report.evidence = fmt::format("evidence {}", n);
    report.sites[0].live_bytes += 1000;
    // A stack that was not there before, one whose call site moves, and another order.
    if (n == 2) report.sites[1].frames.Edit()[0].function = "renamed";
    if (n == 3) report.sites[0].callsite += 1;
    if (n == 4) std::swap(report.sites[0], report.sites[1]);
    CAPTURE(n);
    std::string error;
    const auto alone = FromPprof(ToPprof(report), &error);
    REQUIRE(alone);
    const std::string packed = series.Next(report);
    const auto in_series = FromPprof(packed, &error);
    REQUIRE(in_series);
    CHECK(*in_series == *alone);
    CHECK(Unpacked(packed).find(report.evidence) != std::string::npos);
    CHECK(Unpacked(packed).find(fmt::format("evidence {}", n - 1)) == std::string::npos);
    if (n == 0) first_bytes = series.memory_bytes();
  }
  // Comments do not pile up in what is kept.
  CHECK(series.memory_bytes() < 2 * first_bytes);
  // Another program's has nothing of this one's.
  report.exe = "/bin/another";
  CHECK(Unpacked(series.Next(report)).find("/bin/another") != std::string::npos);
}

}  // namespace
}  // namespace heapgauge
