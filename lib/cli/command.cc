#include "cli/command.h"

#include <fmt/core.h>

#include <algorithm>
#include <cstdio>

#include "cli/attach_command.h"
#include "cli/control_command.h"
#include "cli/diff_command.h"
#include "cli/message.h"
#include "cli/report_command.h"
#include "cli/run_command.h"
#include "cli/serve_command.h"
#include "cli/soak_command.h"
#include "cli/suggest.h"
#include "cli/top_command.h"
#include "heapgauge/heapgauge.h"

namespace heapgauge::cli {
namespace {

constexpr char kHelp[] =
    "Usage: heapgauge SUBCOMMAND ...\n"
    "\n"
    "Leak or load? Watches the heap of a program while it works, at the cost of a sample every 512 "
    "KiB, and\n"
    "says which line of it grows, how fast, how sure that is and how long the memory will last.\n"
    "\n"
    "Subcommands:\n"
    "  run [options] [--] CMD...   run CMD under heapgauge; at the end, say where the report is\n"
    "  report PATH [options]       show the newest report of a report directory\n"
    "  diff A B [options]          show what grew between two reports\n"
    "  soak --load LOAD SERVICE... run SERVICE under LOAD and say whether it leaks\n"
    "  serve PID|DIR [options]     reports, profiles and metrics over HTTP\n"
    "  attach [options] PID        start tracking a process that runs already\n"
    "  ps [options]                list the processes that are tracked\n"
    "  top PID [options]           watch the call sites of a process\n"
    "  snapshot PID                have a report written now\n"
    "  set PID KEY=VALUE...        change a setting of a process that runs\n"
    "\n"
    "Options:\n"
    "  -h, --help                  show this help; behind a subcommand, that one's\n"
    "  --version                   print the version\n"
    "\n"
    "Examples:\n"
    "  heapgauge run -- ./checkout_service --port 8080\n"
    "  heapgauge report heapgauge.checkout_service.4242\n"
    "  LD_PRELOAD=/usr/lib/libheapgauge.so ./checkout_service      without the command\n"
    "\n"
    "Exit status: of run, CMD's own (126: it cannot be run, 127: not found); otherwise 0, 1 if "
    "what "
    "was asked for was found (diff --fail-on), or 2 for wrong usage.\n";

const std::vector<std::string> kSubcommands = {"run", "report",   "diff", "serve", "attach", "ps",
                                               "top", "snapshot", "set",  "soak",  "help"};
// Promised by the documentation, and not here yet: no typing mistakes.
const std::vector<std::string> kLater = {"check", "edges", "holders"};

std::string Version() {
  return fmt::format("{}.{}.{}", HEAPGAUGE_VERSION_MAJOR, HEAPGAUGE_VERSION_MINOR,
                     HEAPGAUGE_VERSION_PATCH);
}

int Print(const std::string& text) {
  const bool written =
      std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0;
  return written ? kExitGood : Fail("cannot write to standard output");
}

int Unknown(const std::string& name) {
  if (std::find(kLater.begin(), kLater.end(), name) != kLater.end()) {
    return Fail(fmt::format("{} is not in this version ({}); heapgauge --help lists what is", name,
                            Version()));
  }
  const char* kind = name.starts_with('-') ? "option" : "subcommand";
  return Fail(fmt::format("unknown {} {}{} (see heapgauge --help)", kind, name,
                          DidYouMean(name, kSubcommands)));
}

int Dispatch(const std::string& name, const Arguments& rest) {
  if (name == "run") return RunCommand(rest);
  if (name == "report") return ReportCommand(rest);
  if (name == "diff") return DiffCommand(rest);
  if (name == "serve") return ServeCommand(rest);
  if (name == "soak") return SoakCommand(rest);
  if (name == "attach") return AttachCommand(rest);
  if (name == "ps") return PsCommand(rest);
  if (name == "top") return TopCommand(rest);
  if (name == "snapshot") return SnapshotCommand(rest);
  if (name == "set") return SetCommand(rest);
  if (name == "--version" || name == "-V") return Print(fmt::format("heapgauge {}\n", Version()));
  if (name == "--help" || name == "-h" || (name == "help" && rest.empty())) return Print(kHelp);
  if (name == "help" && rest[0] != "help") return Dispatch(rest[0], {"--help"});
  return Unknown(name);
}

}  // namespace

int Main(const Arguments& arguments) {
  if (arguments.empty())
    return Fail(
        "no subcommand: heapgauge run ... or heapgauge report ... (see "
        "heapgauge --help)");
  return Dispatch(arguments[0], Arguments(arguments.begin() + 1, arguments.end()));
}

}  // namespace heapgauge::cli
