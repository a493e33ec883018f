#include "cli/run_options.h"

#include <catch2/catch.hpp>
#include <string>

#include "unit/cli/capture.h"

namespace heapgauge::cli {
namespace {

RunRequest Parsed(const Arguments& arguments) {
  int status = 0;
  const std::optional<RunRequest> request = ParseRun(arguments, &status);
  REQUIRE(request);
  return *request;
}

std::string ErrorOf(const Arguments& arguments) {
  Capture err(STDERR_FILENO);
  int status = 0;
  const bool parsed = ParseRun(arguments, &status).has_value();
  const std::string text = err.Text();
  CHECK_FALSE(parsed);
  CHECK(status == 2);
  CHECK(text.find('\n') == text.size() - 1);
  return text;
}

TEST_CASE("the command begins at the first word that is no option, or behind --", "[cli][run]") {
  CHECK(Parsed({"ls"}).command == Arguments{"ls"});
  CHECK(Parsed({"ls", "--help", "-l"}).command == Arguments{"ls", "--help", "-l"});
  CHECK(Parsed({"--", "ls", "--", "-l"}).command == Arguments{"ls", "--", "-l"});
  CHECK(Parsed({"--output", "dir", "ls"}).command == Arguments{"ls"});
  CHECK(Parsed({"--output=dir", "ls", "--output", "x"}).command ==
        Arguments{"ls", "--output", "x"});
  CHECK(Parsed({"--output", "dir", "--", "--odd"}).command == Arguments{"--odd"});
  CHECK(Parsed({"--only", "[ab]*", "ls"}).variables.at("HEAPGAUGE_ONLY") == "[ab]*");
  CHECK(Parsed({"sh", "-c", ""}).command == Arguments{"sh", "-c", ""});
}

TEST_CASE("each option sets the variable of its name, the last one counts", "[cli][run]") {
  const auto variables =
      Parsed({"--sample-interval", "64KiB", "--report-interval=5m", "--unwind", "fp", "--start",
              "off", "--cpu-budget", "2%", "--sample-interval", "1", "--http", "[::1]:9191", "x"})
          .variables;
  const std::map<std::string, std::string> expected = {
      {"HEAPGAUGE_SAMPLE_INTERVAL", "1"}, {"HEAPGAUGE_REPORT_INTERVAL", "5m"},
      {"HEAPGAUGE_UNWIND", "fp"},         {"HEAPGAUGE_START", "off"},
      {"HEAPGAUGE_CPU_BUDGET", "2%"},     {"HEAPGAUGE_HTTP", "[::1]:9191"}};
  CHECK(variables == expected);
  CHECK(Parsed({"x"}).variables.empty());
}

TEST_CASE("a bad value is refused before anything runs, with what is accepted", "[cli][run]") {
  CHECK(ErrorOf({"--sample-interval", "lots", "ls"}) ==
        "heapgauge: --sample-interval lots: not a size from 1 to 1TiB, e.g. 64KiB, 1MiB or "
        "1048576\n");
  CHECK(ErrorOf({"--sample-interval", "0", "ls"}).find("not a size") != std::string::npos);
  CHECK(ErrorOf({"--report-interval", "1ms", "ls"}).find("not a duration") != std::string::npos);
  CHECK(ErrorOf({"--unwind", "magic", "ls"}) ==
        "heapgauge: --unwind magic: not dwarf, fp or auto\n");
  CHECK(ErrorOf({"--max-frames", "0", "ls"}) ==
        "heapgauge: --max-frames 0: not a count from 1 to 256\n");
  CHECK(ErrorOf({"--cpu-budget", "200%", "ls"}).find("not a percentage") != std::string::npos);
  CHECK(ErrorOf({"--control", "maybe", "ls"}) == "heapgauge: --control maybe: not on or off\n");
  CHECK(ErrorOf({"--http", "9191", "ls"}).find("not off or ADDRESS:PORT") != std::string::npos);
  CHECK(ErrorOf({"--http", "127.0.0.1:99999", "ls"}).find("--http 127.0.0.1:99999: not") !=
        std::string::npos);
  CHECK(ErrorOf({"--http-token-file", "/nonexistent/token", "ls"}).find("--http-token-file") !=
        std::string::npos);
  CHECK(ErrorOf({"--alert-url", "ftp://x", "ls"}) ==
        "heapgauge: --alert-url ftp://x: not an http:// or https:// URL\n");
  CHECK(ErrorOf({"--alert-url", "https:///x", "ls"}).find("not an http://") != std::string::npos);
  CHECK(ErrorOf({"--output=", "ls"}) ==
        "heapgauge: --output needs a value: DIR (see heapgauge run --help)\n");
  CHECK(ErrorOf({"--output", "", "ls"}).find("--output \"\": not a directory name") !=
        std::string::npos);
  CHECK(ErrorOf({"--memory-limit", "5\x1b[2J", "ls"}).find('\x1b') == std::string::npos);
}

TEST_CASE("without a command there is nothing to run", "[cli][run]") {
  CHECK(ErrorOf({}).starts_with("heapgauge: no command to run"));
  CHECK(ErrorOf({"--"}).starts_with("heapgauge: no command to run"));
  CHECK(ErrorOf({"--output", "x"}).starts_with("heapgauge: no command to run"));
  CHECK(ErrorOf({"--output"}) ==
        "heapgauge: --output needs a value: DIR (see heapgauge run --help)\n");
}

}  // namespace
}  // namespace heapgauge::cli
