#include "cli/command.h"

#include <catch2/catch.hpp>
#include <string>

#include "cli/suggest.h"
#include "unit/cli/capture.h"

namespace heapgauge::cli {
namespace {

TEST_CASE("help and version go to standard output with status 0", "[cli]") {
  for (const Arguments& arguments : {Arguments{"--help"}, {"-h"}, {"help"}}) {
    const Printed printed = CallCommand(arguments);
    CHECK(printed.status == 0);
    CHECK(printed.err.empty());
    CHECK(printed.out.starts_with("Usage: heapgauge SUBCOMMAND"));
  }
  for (const char* subcommand : {"run", "report"}) {
    const std::string start = std::string("Usage: heapgauge ") + subcommand;
    CHECK(CallCommand({subcommand, "--help"}).out.starts_with(start));
    CHECK(CallCommand({subcommand, "-h"}).status == 0);
    CHECK(CallCommand({"help", subcommand}).out.starts_with(start));
  }
  CHECK(CallCommand({"--version"}).out == "heapgauge 0.1.0\n");
}

TEST_CASE("every variable of the contract has its option and its default in the help", "[cli]") {
  const std::string help = CallCommand({"run", "--help"}).out;
  for (const char* option :
       {"--sample-interval", "--report-interval", "--output", "--unwind", "--max-frames",
        "--symbolize", "--memory-limit", "--cpu-budget", "--start", "--only", "--follow",
        "--control", "--http", "--http-token-file", "--alert-exec", "--alert-url", "--log",
        "(default 512KiB)", "heapgauge.%e.%p"}) {
    INFO(option);
    CHECK(help.find(option) != std::string::npos);
  }
  CHECK(help.find("VALUE") == std::string::npos);  // each has a word of its own for its value
}

TEST_CASE("what is not there is refused in one line with the nearest name", "[cli]") {
  const auto error = [](const Arguments& arguments) {
    const Printed printed = CallCommand(arguments);
    CHECK(printed.status == 2);
    CHECK(printed.out.empty());
    CHECK(printed.err.find('\n') == printed.err.size() - 1);
    return printed.err;
  };
  CHECK(error({}) ==
        "heapgauge: no subcommand: heapgauge run ... or heapgauge report ... (see heapgauge "
        "--help)\n");
  CHECK(error({"rport"}) ==
        "heapgauge: unknown subcommand rport; did you mean report? (see heapgauge --help)\n");
  CHECK(error({"frobnicate"}) ==
        "heapgauge: unknown subcommand frobnicate (see heapgauge --help)\n");
  CHECK(error({"--frob"}) == "heapgauge: unknown option --frob (see heapgauge --help)\n");
  CHECK(error({"a\x1b[2Jb"}).find('\x1b') == std::string::npos);
  CHECK(error({"run", "--outptu", "x", "--", "ls"}) ==
        "heapgauge: unknown option --outptu; did you mean --output? (see heapgauge run --help)\n");
  CHECK(error({"report", "--top"}) ==
        "heapgauge: --top needs a value: N (see heapgauge report --help)\n");
  CHECK(error({"help", "me"}).starts_with("heapgauge: unknown subcommand me"));
}

TEST_CASE("suggestions are near, never wild", "[cli]") {
  const std::vector<std::string> names = {"run", "report", "--follow", "--output"};
  CHECK(Nearest("rn", names) == "run");
  CHECK(Nearest("rnu", names) == "run");
  CHECK(Nearest("rep", names) == "report");
  CHECK(Nearest("--fllow", names) == "--follow");
  CHECK(Nearest("xyz", names).empty());
  CHECK(Nearest("", names).empty());
  CHECK(Nearest(std::string(1000, 'r'), names).empty());
}

}  // namespace
}  // namespace heapgauge::cli
