#include "serve/commands.h"

#include <catch2/catch.hpp>

namespace heapgauge::serve {
namespace {

using Settings = std::vector<std::pair<std::string, std::string>>;

TEST_CASE("settings come as lines, as a form or as JSON", "[serve]") {
  std::string problem;
  const Settings two = {{"LOG", "info"}, {"SAMPLE_INTERVAL", "64KiB"}};
  CHECK(ParseSettings("LOG=info\nsample_interval=64KiB\n", &problem) == two);
  CHECK(ParseSettings(" log=info & SAMPLE_INTERVAL=64KiB", &problem) == two);
  CHECK(ParseSettings(R"({"log": "info", "sample_interval": "64KiB"})", &problem) == two);
  CHECK(ParseSettings("LOG=", &problem) == Settings{{"LOG", ""}});
}

TEST_CASE("a body without settings says what is wrong", "[serve]") {
  std::string problem;
  for (const char* body : {"", "  \n", "{", "{}", "[1]", "LOG", "=info", R"({"LOG": 1})"}) {
    INFO(body);
    problem.clear();
    CHECK(ParseSettings(body, &problem).empty());
    CHECK_FALSE(problem.empty());
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
