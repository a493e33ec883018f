#include "serve/commands.h"

#include <catch2/catch.hpp>

namespace heapgauge::serve {
namespace {

TEST_CASE("settings come as lines, as a form or as JSON", "[serve]") {
  const NamedSettings two = {{"LOG", "info"}, {"SAMPLE_INTERVAL", "64KiB"}};
  CHECK(ParseSettings("LOG=info\nsample_interval=64KiB\n").value() == two);
  CHECK(ParseSettings(" log=info & SAMPLE_INTERVAL=64KiB").value() == two);
  CHECK(ParseSettings(R"({"log": "info", "sample_interval": "64KiB"})").value() == two);
  CHECK(ParseSettings("LOG=").value() == NamedSettings{{"LOG", ""}});
}

TEST_CASE("a body without settings says what is wrong", "[serve]") {
  for (const char* body : {"", "  \n", "{", "{}", "[1]", "LOG", "=info", R"({"LOG": 1})"}) {
    INFO(body);
    const auto settings = ParseSettings(body);
    CHECK_FALSE(settings.ok());
    CHECK_FALSE(settings.status().message().empty());
  }
}

TEST_CASE("a page of another site is told by its origin", "[serve]") {
  CHECK_FALSE(ComesFromElsewhere("", "127.0.0.1:9191"));
  CHECK_FALSE(ComesFromElsewhere("http://127.0.0.1:9191", "127.0.0.1:9191"));
  CHECK_FALSE(ComesFromElsewhere("https://gauge.example", "gauge.example"));
  CHECK(ComesFromElsewhere("http://evil.example", "127.0.0.1:9191"));
  CHECK(ComesFromElsewhere("null", "127.0.0.1:9191"));
  CHECK(ComesFromElsewhere("http://127.0.0.1:9191.evil.example", "127.0.0.1:9191"));
}

}  // namespace
}  // namespace heapgauge::serve
