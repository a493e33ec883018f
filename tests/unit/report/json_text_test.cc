// What is written by hand has to be what nlohmann-json writes: other readers know its rules.
#include "report/json_text.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <vector>

#include "report/printable.h"

namespace heapgauge {
namespace {

using Scalar = nlohmann::json;

template <typename Value>
std::string Written(const Value& value) {
  JsonText json;
  json.Element(value);
  return json.Take();
}

// The rule of json_text.h, with that library for the digits.
std::string Expected(double value) {
  if (!std::isfinite(value)) return "0";
  const double rounded = std::round(value * 1e6) / 1e6;
  const double shown = std::isfinite(rounded) ? rounded : value;
  if (shown == std::trunc(shown) && std::fabs(shown) <= 9007199254740992.0) {
    return Scalar(static_cast<int64_t>(shown)).dump();
  }
  return Scalar(shown).dump();
}

TEST_CASE("what is not known of a place is null", "[report][json]") {
  JsonText json;
  json.BeginArray().BeginObject().AddPlace("main", "/src/a.cc", 7).End();
  json.BeginObject().AddPlace("main", "", 0).End().End();
  CHECK(json.Take() == R"([{"function":"main","file":"/src/a.cc","line":7},)"
                       R"({"function":"main","file":null,"line":null}])");
}

TEST_CASE("numbers are written as the JSON library writes them", "[report][json]") {
  std::mt19937_64 random(20'261'129);
  std::uniform_real_distribution<double> unit(-1, 1);
  std::uniform_int_distribution<int> exponent(-12, 22);
  int shorter = 0;
  for (int i = 0; i < 500'000; ++i) {
    const double value = unit(random) * std::pow(10, exponent(random));
    const std::string written = Written(value);
    const std::string expected = Expected(value);
    if (written == expected) continue;
    // In one of some thousand numbers that library misses the shortest digits.
    INFO(written << " for " << expected);
    CHECK(written.size() < expected.size());
    CHECK(std::stod(written) == std::stod(expected));
    ++shorter;
  }
  CHECK(shorter < 1000);
  // Where the ways meet: the smallest without an exponent, fifteen digits, whole numbers, halves.
  for (const double edge : {0.0,
                            0.000001,
                            0.00001,
                            0.000099,
                            0.0001,
                            0.000101,
                            0.1,
                            0.999999,
                            1.0,
                            999999999.999999,
                            1e9,
                            1e9 + 0.5,
                            123456789012.345678,
                            1e15,
                            1e16,
                            1e20,
                            9007199254740991.0,
                            9007199254740994.0,
                            1e300,
                            5e-324,
                            0.0000005}) {
    for (const double sign : {1.0, -1.0}) {
      INFO(edge * sign);
      CHECK(Written(edge * sign) == Expected(edge * sign));
    }
  }
  CHECK(Written(std::numeric_limits<double>::quiet_NaN()) == "0");
  CHECK(Written(std::numeric_limits<int64_t>::min()) == "-9223372036854775808");
  CHECK(Written(std::numeric_limits<uint64_t>::max()) == "18446744073709551615");
  CHECK(Written(uint8_t{200}) == "200");
  CHECK(Written(-1) == "-1");
}

TEST_CASE("texts are written as the JSON library writes them", "[report][json]") {
  const auto expected = [](const std::string& text) {
    return WithControlsEscaped(Scalar(text).dump(-1, ' ', false, Scalar::error_handler_t::replace));
  };
  for (int byte = 0; byte < 256; ++byte) {
    for (const char* const before : {"", "a", "main (", "\xC3"}) {
      const std::string text = before + std::string(1, static_cast<char>(byte)) + "b";
      INFO(byte << " after '" << before << "'");
      CHECK(Written(text) == expected(text));
    }
  }
  CHECK(Written("") == "\"\"");
  CHECK(Written("K\xC3\xB6ln") == expected("K\xC3\xB6ln"));
}

TEST_CASE("keys that are no plain text are escaped, too", "[report][json]") {
  JsonText json;
  json.BeginObject().Add("plain", 1).Add("a \"key\"\n", true).BeginArray("\x7F").End().End();
  CHECK(json.Take() == "{\"plain\":1,\"a \\\"key\\\"\\n\":true,\"\\u007f\":[]}");
}

}  // namespace
}  // namespace heapgauge
