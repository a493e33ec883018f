#include "cli/command.h"

#include <fmt/core.h>

#include <algorithm>
#include <cstdio>

#include "cli/attach_command.h"
#include "cli/check_command.h"
#include "cli/control_command.h"
#include "cli/diff_command.h"
#include "cli/edges_command.h"
#include "cli/help_forms.h"
#include "cli/holders_command.h"
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

struct Subcommand {
  std::string_view name;
  std::string_view usage;
  std::string_view summary;
  int (*run)(const Arguments&);
};

constexpr Subcommand kSubcommands[] = {
    {"run", "[options] [--] CMD...", "run CMD under heapgauge; at the end, say where the report is",
     RunCommand},
    {"check", "[options] [--] CMD...", "run CMD, and say what is lost when it ends", CheckCommand},
    {"report", "PATH [options]", "show the newest report of a report directory", ReportCommand},
    {"holders", "PID|DIR [SITE...]", "say who holds what call sites have left behind",
     HoldersCommand},
    {"diff", "A B [options]", "show what grew between two reports", DiffCommand},
    {"edges", "PATH... [options]", "show who calls whom, and services that call in a circle",
     EdgesCommand},
    {"soak", "--load LOAD SERVICE...", "run SERVICE under LOAD and say whether it leaks",
     SoakCommand},
    {"serve", "PID|DIR [options]", "a live page, profiles and metrics over HTTP", ServeCommand},
    {"attach", "[options] PID", "start tracking a process that runs already", AttachCommand},
    {"ps", "[options]", "list the processes that are tracked", PsCommand},
    {"top", "PID [options]", "watch the call sites of a process", TopCommand},
    {"snapshot", "PID", "have a report written now", SnapshotCommand},
    {"set", "PID KEY=VALUE...", "change a setting of a process that runs", SetCommand},
};

constexpr char kHelpBegins[] =
    "Usage: heapgauge SUBCOMMAND ...\n"
    "\n"
    "Leak or load? Watches the heap of a program while it works, at the cost of a sample every 512 "
    "KiB, and\n"
    "says which line of it grows, how fast, how sure that is and how long the memory will last.\n"
    "\n"
    "Subcommands:\n";

constexpr char kHelpEnds[] =
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
    "what\n"
    "was asked for was found (check, soak, diff --fail-on), or 2 for wrong usage; soak has more.\n";

std::string Help() {
  std::string help = kHelpBegins;
  for (const Subcommand& subcommand : kSubcommands) {
    help += fmt::format("  {:<27} {}\n", fmt::format("{} {}", subcommand.name, subcommand.usage),
                        subcommand.summary);
  }
  return help + kHelpEnds;
}

std::vector<std::string> Names() {
  std::vector<std::string> names;
  for (const Subcommand& subcommand : kSubcommands) names.emplace_back(subcommand.name);
  return names;
}

// A line for each subcommand: name, tab, summary.
std::string Words() {
  std::string words;
  for (const Subcommand& subcommand : kSubcommands)
    words += fmt::format("{}\t{}\n", subcommand.name, subcommand.summary);
  return words;
}

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
  const char* kind = name.starts_with('-') ? "option" : "subcommand";
  std::vector<std::string> names = Names();
  names.emplace_back("help");
  return Fail(
      fmt::format("unknown {} {}{} (see heapgauge --help)", kind, name, DidYouMean(name, names)));
}

int Dispatch(const std::string& name, const Arguments& rest) {
  for (const Subcommand& subcommand : kSubcommands) {
    if (name == subcommand.name) return subcommand.run(rest);
  }
  if (name == "--version" || name == "-V") return Print(fmt::format("heapgauge {}\n", Version()));
  if (name == "--help=man") return Print(ManPageOfCommand(Help(), Names()));
  if (name == "--help=words") return Print(Words());
  if (name == "--help" || name == "-h" || (name == "help" && rest.empty())) return Print(Help());
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
