#include "cli/check_command.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <optional>
#include <vector>

#include "base/whole_io.h"
#include "cli/check_formats.h"
#include "cli/check_progress.h"
#include "cli/child.h"
#include "cli/lost_groups.h"
#include "cli/message.h"
#include "cli/output_file.h"
#include "cli/preload.h"
#include "cli/program.h"
#include "cli/run_command.h"
#include "cli/suppressions.h"
#include "helper/program_path.h"
#include "report/json_reader.h"

namespace heapgauge::cli {
namespace {

namespace files = std::filesystem;

constexpr char kCheckDescription[] =
    "Runs CMD with every allocation known. When it ends, and each process that it started, memory "
    "is searched for\n"
    "pointers to what is still alive: what nothing points to is lost, and is told by the line that "
    "allocated it.\n"
    "No rebuild, no ptrace. CMD is slower, and each of its allocations takes some 100 bytes more.";

constexpr char kCheckFooter[] =
    "Examples:\n"
    "  heapgauge check -- ./unit_tests\n"
    "  heapgauge check --suppressions lsan.supp --format junit -o lost.xml -- ./unit_tests\n"
    "  heapgauge check --format sarif --source-root . -o lost.sarif -- ./unit_tests\n\n"
    "With another format than text and no -o, CMD's standard output goes to standard error.\n"
    "Suppression files are LeakSanitizer's: lines leak:TEMPLATE, looked for in the module, "
    "function and file of every\n"
    "frame.\n\n"
    "Exit status: --error-exitcode if something is lost, else CMD's. 126: CMD cannot be run, 127: "
    "it was not found,\n"
    "2: these options are wrong.";

struct CheckRequest {
  std::vector<std::string> suppressions;
  std::string format = "text";
  std::string source_root;
  std::string output;
  int error_exitcode = kExitFound;
  Arguments command;
};

std::optional<CheckRequest> ParseCheck(const Arguments& arguments, int* status) {
  const auto app = MakeApp("heapgauge check", "[options] [--] CMD [ARG...]", kCheckDescription);
  app->footer(kCheckFooter);
  CheckRequest request;
  app->add_option("--suppressions", request.suppressions, "a suppression file; may be repeated")
      ->type_name("FILE")
      ->expected(1);
  app->add_option("--format", request.format, "text (default), json, sarif, junit or github")
      ->type_name("FORMAT")
      ->check(CLI::IsMember(CheckFormats()));
  app->add_option("--source-root", request.source_root,
                  "show source files below DIR relative to it, as a repository has them")
      ->type_name("DIR");
  app->add_option("--error-exitcode", request.error_exitcode,
                  "the exit status if something is lost (default 1); 0: CMD's all the same")
      ->type_name("N")
      ->check(CLI::Range(0, 255));
  app->add_option("-o,--output", request.output,
                  "write to FILE, whole or not at all; - is standard output")
      ->type_name("FILE");
  const Split split = SplitAtCommand(*app, arguments);
  const auto at = [&](size_t i) { return arguments.begin() + static_cast<std::ptrdiff_t>(i); };
  if (const auto done = Parse(*app, Arguments(arguments.begin(), at(split.options_end)))) {
    *status = *done;
    return std::nullopt;
  }
  request.command.assign(at(split.command_begin), arguments.end());
  if (request.command.empty()) {
    *status = Fail(
        "no command to check: heapgauge check [options] [--] CMD [ARG...] (see heapgauge check "
        "--help)");
    return std::nullopt;
  }
  if (!request.source_root.empty()) {
    std::error_code failure;
    const files::path root = files::canonical(request.source_root, failure);
    if (failure) {
      *status = Fail(fmt::format("--source-root {}: {}", request.source_root, failure.message()));
      return std::nullopt;
    }
    request.source_root = root.string();
  }
  return request;
}

bool ReadFile(const std::string& path, std::string* content) {
  constexpr size_t kMostBytes = size_t{1} << 30;
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY);
  if (file < 0) return false;
  const bool whole = ReadAll(file, kMostBytes, content);
  close(file);
  return whole;
}

// Where the processes leave what they find; gone again with this object.
class Workshop final {
 public:
  Workshop() {
    const char* const where = std::getenv("TMPDIR");
    path_ = std::string(where != nullptr && where[0] == '/' ? where : "/tmp") +
            "/heapgauge-check.XXXXXX";
    if (mkdtemp(path_.data()) == nullptr) path_.clear();
  }
  ~Workshop() { Remove(); }
  Workshop(const Workshop&) = delete;
  Workshop& operator=(const Workshop&) = delete;
  const std::string& path() const { return path_; }
  void Remove() {
    std::error_code ignored;
    if (!path_.empty()) files::remove_all(path_, ignored);
  }

 private:
  std::string path_;
};

// What the environment sets for ordinary runs has no place here.
void ForgetSettings() {
  constexpr const char* kSettings[] = {"ALERT_EXEC", "ALERT_URL",      "CHILDREN", "CPU_BUDGET",
                                       "HTTP",       "START",          "ONLY",     "TERM_REPORT",
                                       "HOLDERS",    "HTTP_TOKEN_FILE"};
  for (const char* name : kSettings) unsetenv((std::string("HEAPGAUGE_") + name).c_str());
}

RunRequest AsRun(const CheckRequest& request, const std::string& workshop) {
  RunRequest run;
  run.command = request.command;
  run.variables = {{"HEAPGAUGE_SAMPLE_INTERVAL", "1"},       {"HEAPGAUGE_REPORT_INTERVAL", "30d"},
                   {"HEAPGAUGE_MEMORY_LIMIT", "64GiB"},      {"HEAPGAUGE_HOLDERS", "exit"},
                   {"HEAPGAUGE_CHILDREN", "full"},           {"HEAPGAUGE_CONTROL", "off"},
                   {"HEAPGAUGE_OUTPUT", workshop + "/%e.%p"}};
  return run;
}

// LD_PRELOAD for it: LeakSanitizer's API beside the library, where that is installed.
std::string WithLsanApi(const std::string& library) {
  const std::string api = heapgauge::FindProgram(kLsanLibrary);
  return api.empty() || api.find_first_of(" :") != std::string::npos ? library
                                                                     : library + ":" + api;
}

// All that processes left, CMD's first.  True: CMD itself left something.
bool Collect(const std::string& workshop, pid_t pid, Suppressions* suppressions,
             CheckResult* result) {
  std::vector<std::string> directories;
  std::error_code failure;
  for (auto at = files::recursive_directory_iterator(workshop, failure);
       !failure && at != files::recursive_directory_iterator(); at.increment(failure)) {
    if (at->path().filename() == "lost.json")
      directories.push_back(at->path().parent_path().string());
  }
  std::sort(directories.begin(), directories.end());
  bool own = false;
  for (const std::string& directory : directories) {
    std::string line;
    std::string graph;
    std::string error;
    std::optional<Report> report;
    std::string rules;
    std::vector<std::string> problems;
    if (ReadFile(directory + "/lost.supp", &rules)) {
      suppressions->AddOnce(rules, "__lsan_default_suppressions()", &problems);
      for (const std::string& problem : problems) Say(problem);
    }
    if (ReadFile(directory + "/lost.json", &line) && ReadFile(directory + "/lost.graph", &graph)) {
      report = FromJson(line, &error);
    }
    if (!report || !AddLost(*report, graph, suppressions, result)) {
      Say(fmt::format("{}: damaged, left out", files::path(directory).filename().string()));
      continue;
    }
    own = own || report->pid == pid;
  }
  return own;
}

std::string WhyNot(const Program& program, int wait_status) {
  if (program.reach != Reach::kYes) return program.reason;
  if (WIFSIGNALED(wait_status)) {
    return fmt::format("it was killed by signal {} ({})", WTERMSIG(wait_status),
                       strsignal(WTERMSIG(wait_status)));
  }
  return "it ended without exit(), or became a program that cannot be tracked";
}

std::string Typed(const Arguments& command) {
  std::string text;
  for (const std::string& word : command) text += (text.empty() ? "" : " ") + word;
  return text;
}

int Answer(const CheckRequest& request, const CheckResult& result, bool own, const Program& program,
           int wait_status) {
  for (const LostProcess& process : result.processes) {
    if (process.dropped == 0) continue;
    Say(
        fmt::format("{} allocations of process {} found no room and are not known: what they hold "
                    "may be called lost",
                    process.dropped, process.pid));
  }
  const int status =
      WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : 128 + WTERMSIG(wait_status);
  if (result.lost.objects > 0) {
    const bool ours = request.error_exitcode != 0;
    Say(fmt::format("{} lost, at {} call {}; exit status {} is {}", SumText(result.lost),
                    result.groups.size(), result.groups.size() == 1 ? "site" : "sites",
                    ours ? request.error_exitcode : status,
                    ours ? fmt::format("heapgauge's, CMD's was {}", status) : "CMD's"));
    return ours ? request.error_exitcode : EndLike(wait_status);
  }
  if (!own) {
    Say(fmt::format("{} was not checked: {}; exit status {} is its own", request.command[0],
                    WhyNot(program, wait_status), status));
  } else {
    Say(fmt::format("nothing is lost; exit status {} is CMD's", status));
  }
  return EndLike(wait_status);
}

}  // namespace

int CheckCommand(const Arguments& arguments) {
  int status = kExitUsage;
  const std::optional<CheckRequest> request = ParseCheck(arguments, &status);
  if (!request) return status;
  Suppressions suppressions;
  for (const std::string& path : request->suppressions) {
    std::string text;
    if (!ReadFile(path, &text)) {
      return Fail(fmt::format("cannot read {}: {}", path, std::strerror(errno)));
    }
    std::vector<std::string> problems;
    suppressions.Add(text, path, &problems);
    for (const std::string& problem : problems) Say(problem);
  }
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
  Workshop workshop;
  if (workshop.path().empty()) {
    Say("no directory could be made below $TMPDIR");
    return kExitCannotRun;
  }
  ForgetSettings();
  ChildPlan plan = MakePlan(AsRun(*request, workshop.path()), program, WithLsanApi(*library));
  const bool to_standard = request->output.empty() || request->output == "-";
  if (request->format != "text" && to_standard) {
    plan.prepare = [prepare = plan.prepare](std::vector<std::string>* environment) {
      dup2(STDERR_FILENO, STDOUT_FILENO);
      return prepare(environment);
    };
  }
  CheckProgress progress(workshop.path());
  if (CheckProgress::IsWanted()) plan.look = [&progress] { progress.Look(); };
  const ChildEnd end = RunChild(plan);
  progress.Clear();
  if (end.start_error != 0) return CannotStart(program, end);
  CheckResult result;
  const bool own = Collect(workshop.path(), end.pid, &suppressions, &result);
  workshop.Remove();  // we may end by a signal
  FinishGroups(request->source_root, &result);
  CheckPage page;
  page.command = Typed(request->command);
  page.source_root = request->source_root;
  page.command_status =
      WIFEXITED(end.wait_status) ? WEXITSTATUS(end.wait_status) : 128 + WTERMSIG(end.wait_status);
  // Nothing is said of what was not looked at.
  if (!result.processes.empty() || request->format != "text") {
    const std::string content = RenderCheck(request->format, result, suppressions, page);
    const absl::Status written = WriteOutput(request->output, content);
    if (!written.ok()) return Fail(written);
  }
  return Answer(*request, result, own, program, end.wait_status);
}

}  // namespace heapgauge::cli
