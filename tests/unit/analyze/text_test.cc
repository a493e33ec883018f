#include "analyze/text.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <limits>

namespace heapgauge::text {
namespace {

TEST_CASE("counts are grouped by threes", "[analyze][text]") {
  CHECK(Count(0) == "0");
  CHECK(Count(999) == "999");
  CHECK(Count(3900) == "3 900");
  CHECK(Count(12345678) == "12 345 678");
}

TEST_CASE("numbers have the digits that matter", "[analyze][text]") {
  CHECK(Number(0) == "0");
  CHECK(Number(80) == "80");
  CHECK(Number(4.25) == "4.25");
  CHECK(Number(0.042) == "0.042");
  CHECK(Number(12345) == "12 345");
  CHECK(Number(-12345) == "-12 345");
  CHECK(Number(std::numeric_limits<double>::infinity()) == "infinite");
  CHECK(Number(std::nan("")) == "unknown");
}

TEST_CASE("bytes choose their unit", "[analyze][text]") {
  CHECK(Bytes(812) == "812 B");
  CHECK(Bytes(1.5 * 1024 * 1024) == "1.50 MiB");
  CHECK(Bytes(-3 * 1024) == "-3.00 KiB");
  CHECK(Bytes(1023.9) == "1.00 KiB");
}

TEST_CASE("rates below a kibibyte a second take a longer unit", "[analyze][text]") {
  CHECK(BytesPerSecond(310 * 1024) == "310 KiB/s");
  CHECK(BytesPerSecond(0) == "0 B/s");
  CHECK(BytesPerSecond(1024.0 * 1024 / 3600) == "17.1 KiB/min");
  CHECK(BytesPerSecond(1.0) == "3.52 KiB/h");
  CHECK(BytesPerSecond(0.01) == "864 B/day");
  CHECK(PerSecond(80) == "80/s");
  CHECK(PerSecond(0.075) == "4.50/min");
  CHECK(PerSecond(2.0 / 3600) == "2/h");
}

TEST_CASE("durations read well at every length", "[analyze][text]") {
  CHECK(Duration(0.00035) == "350 us");
  CHECK(Duration(0.35) == "350 ms");
  CHECK(Duration(12) == "12 s");
  CHECK(Duration(270) == "4.5 min");
  CHECK(Duration(2.3 * 3600) == "2.3 h");
  CHECK(Duration(5.1 * 86400) == "5.1 days");
  CHECK(Duration(-12) == "-12 s");
  CHECK(Duration(std::numeric_limits<double>::infinity()) == "for ever");
}

}  // namespace
}  // namespace heapgauge::text
