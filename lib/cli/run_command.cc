#include "cli/run_command.h"

#include <fmt/core.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <string_view>

#include "cli/child.h"
#include "cli/fill_names.h"
#include "cli/message.h"
#include "cli/preload.h"
#include "cli/program.h"
#include "cli/run_options.h"
#include "cli/run_output.h"
#include "report/output_directory.h"

namespace heapgauge::cli {
namespace {

constexpr char kPreload[] = "LD_PRELOAD";
constexpr char kOutput[] = "HEAPGAUGE_OUTPUT";
constexpr char kTokenFile[] = "HEAPGAUGE_HTTP_TOKEN_FILE";

void SetVariable(std::vector<std::string>* environment, const std::string& name,
                 const std::string& value) {
  const std::string start = name + "=";
  std::erase_if(*environment, [&](const std::string& entry) { return entry.starts_with(start); });
  environment->push_back(start + value);
}

std::string Variable(const RunRequest& request, const char* name) {
  const auto found = request.variables.find(name);
  if (found != request.variables.end()) return found->second;
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

// CMD may change its directory before the library reads these.
std::string Absolute(const std::string& path) {
  std::error_code failure;
  const std::filesystem::path absolute = std::filesystem::absolute(path, failure);
  return failure ? path : absolute.string();
}

}  // namespace

ChildPlan MakePlan(const RunRequest& request, const Program& program, const std::string& library) {
  ChildPlan plan;
  plan.path = program.path;
  plan.arguments = request.command;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry)
    plan.environment.emplace_back(*entry);
  for (const auto& [name, value] : request.variables) {
    SetVariable(&plan.environment, name, name == kTokenFile ? Absolute(value) : value);
  }
  if (program.reach != Reach::kHarmful) {
    const char* before = std::getenv(kPreload);
    SetVariable(&plan.environment, kPreload,
                PreloadValue(library, before == nullptr ? "" : before));
  }
  std::string pattern = Variable(request, kOutput);
  if (const std::string absolute = AbsoluteOutputPattern(pattern); !absolute.empty())
    pattern = absolute;
  plan.prepare = [pattern, executable = program.name_path](std::vector<std::string>* environment) {
    const RunOutput output = PrepareOutput(pattern, executable);
    SetVariable(environment, kOutput, output.pattern);
    return Encode(output);
  };
  return plan;
}

namespace {

// Short where it can be: below the working directory.
std::string Shown(const std::string& path) {
  char here[PATH_MAX];
  if (getcwd(here, sizeof(here)) == nullptr) return path;
  const std::string start = std::string(here) + "/";
  return path.starts_with(start) ? path.substr(start.size()) : path;
}

// Why a process that has ended left no report.
std::string WhyNone(const RunRequest& request, const Program& program, const RunOutput& output,
                    int wait_status) {
  if (program.reach != Reach::kYes) return program.reason;
  if (output.path.empty()) return "no directory for it could be made";
  if (Variable(request, "HEAPGAUGE_START") == "off")
    return "tracking was never switched on (start is off)";
  if (WIFSIGNALED(wait_status)) {
    // Nothing of what it left tells whether it was too early or whether nothing was sampled.
    return fmt::format(
        "CMD was killed by signal {} ({}) before its first one, which comes one --report-interval "
        "after the start, and only if an allocation was sampled",
        WTERMSIG(wait_status), strsignal(WTERMSIG(wait_status)));
  }
  const std::string only = Variable(request, "HEAPGAUGE_ONLY");
  if (!only.empty() && only != "*")
    return fmt::format("CMD wrote none; does --only '{}' match its name?", only);
  return "CMD wrote none; --log info says more";
}

std::string ShortChildren(const FoundReports& found) {
  return fmt::format("{} short-lived {}", found.short_children,
                     found.short_children == 1 ? "child" : "children");
}

void SayWhereReportIs(const RunRequest& request, const Program& program, const RunOutput& output,
                      const FoundReports& found, int wait_status) {
  if (!found.own.empty()) {
    std::string line = fmt::format("report: {}/report.txt", Shown(found.own));
    if (found.short_children > 0) {
      line += fmt::format(" (with {})", ShortChildren(found));
    }
    if (!found.others.empty()) {
      line += fmt::format(" (and {} more from child processes, e.g. {})", found.others.size(),
                          Shown(found.others[0]));
    }
    return Say(line);
  }
  if (!found.others.empty()) {
    const size_t more = found.others.size() - 1;
    return Say(fmt::format("report: {}/report.txt{}, from a child process; CMD itself wrote none",
                           Shown(found.others[0]),
                           more == 0 ? "" : fmt::format(" (and {} more)", more)));
  }
  if (!found.children.empty()) {
    return Say(fmt::format("no report of CMD itself; {} in {}/children.jsonl", ShortChildren(found),
                           Shown(found.children)));
  }
  Say(fmt::format("no report: {}", WhyNone(request, program, output, wait_status)));
}

}  // namespace

int CannotStart(const Program& program, const ChildEnd& end) {
  // Told before: everything that could be seen without trying.  Left: races, limits, odd formats.
  Say(fmt::format("cannot run {}: {}", program.path, std::strerror(end.start_error)));
  return end.start_error == ENOENT ? kExitNotFound : kExitCannotRun;
}

int RunCommand(const Arguments& arguments) {
  int status = kExitUsage;
  const std::optional<RunRequest> request = ParseRun(arguments, &status);
  if (!request) return status;

  const Program program = FindProgram(request->command[0]);
  if (program.exit_status != 0) {
    Say(program.problem);
    return program.exit_status;
  }
  const absl::StatusOr<std::string> library = LibraryToPreload();
  if (!library.ok()) {
    Say(library.status());
    return kExitCannotRun;
  }
  if (program.reach != Reach::kYes) {
    Say(fmt::format("{} cannot be tracked: {}; it runs all the same", request->command[0],
                    program.reason));
  }

  // One second of slack: a file's time comes from a coarser clock than ours.
  const time_t since = time(nullptr) - 1;
  const ChildEnd end = RunChild(MakePlan(*request, program, *library));
  const RunOutput output = Decode(end.prepared);
  const FoundReports found = FindReports(output, end.pid, since);
  if (end.start_error != 0) return CannotStart(program, end);
  const std::string symbolize = Variable(*request, "HEAPGAUGE_SYMBOLIZE");
  if (!found.own.empty() && (symbolize.empty() || symbolize == "lines")) FillNamesIn(found.own);
  SayWhereReportIs(*request, program, output, found, end.wait_status);
  return EndLike(end.wait_status);
}

}  // namespace heapgauge::cli
