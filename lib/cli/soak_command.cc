#include "cli/soak_command.h"

#include <fmt/core.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "base/basename.h"
#include "cli/message.h"
#include "cli/output_file.h"
#include "cli/preload.h"
#include "cli/program.h"
#include "cli/run_output.h"
#include "cli/soak_baseline.h"
#include "cli/soak_confirm.h"
#include "cli/soak_holders.h"
#include "cli/soak_judge.h"
#include "cli/soak_options.h"
#include "cli/soak_power.h"
#include "cli/soak_progress.h"
#include "cli/soak_ready.h"
#include "cli/soak_run.h"
#include "cli/soak_verdict.h"
#include "cli/soak_writers.h"
#include "report/printable.h"
#include "report/units.h"

namespace heapgauge::cli {
namespace {

constexpr char kOutput[] = "HEAPGAUGE_OUTPUT";
constexpr char kPreload[] = "LD_PRELOAD";
constexpr uint64_t kLeastRoom = uint64_t{8} << 20;  // bytes on the disk

void SetVariable(std::vector<std::string>* environment, const std::string& name,
                 const std::string& value) {
  const std::string start = name + "=";
  std::erase_if(*environment, [&](const std::string& entry) { return entry.starts_with(start); });
  environment->push_back(start + value);
}

std::vector<std::string> OwnEnvironment() {
  std::vector<std::string> environment;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry)
    environment.emplace_back(*entry);
  return environment;
}

// A new directory, absolute.
absl::StatusOr<std::string> MakeDirectory(const SoakRequest& request) {
  std::string path = request.reports;
  if (path.empty()) {
    path = fmt::format("heapgauge-soak.{}.{}", Basename(request.service[0]), getpid());
  }
  std::error_code failure;
  const std::string absolute = std::filesystem::absolute(path, failure).string();
  if (!failure) path = absolute;
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  if (mkdir(path.c_str(), 0700) != 0) {
    const int number = errno;
    // An empty one will do.
    if (number != EEXIST || !std::filesystem::is_directory(path, failure) ||
        !std::filesystem::is_empty(path, failure) || failure) {
      return absl::InvalidArgumentError(
          fmt::format("--reports {}: {}; it must be a new or an empty directory", Printable(path),
                      std::strerror(number == EEXIST ? ENOTEMPTY : number)));
    }
  }
  struct statvfs room {};
  if (statvfs(path.c_str(), &room) == 0 && room.f_blocks > 0 &&
      uint64_t{room.f_bavail} * room.f_frsize < kLeastRoom) {
    rmdir(path.c_str());
    return absl::ResourceExhaustedError(fmt::format(
        "no room for reports in {}: {} left on the disk, and a soak wants {} at least; --reports "
        "names another place",
        Printable(path), FormatBytes(static_cast<double>(room.f_bavail * room.f_frsize)),
        FormatBytes(static_cast<double>(kLeastRoom))));
  }
  return path;
}

// Found out now, not after eight hours.  "" or what is wrong.
std::string WrongOutput(const std::string& output) {
  if (output.empty() || output == "-") return {};
  std::string directory = std::filesystem::path(output).parent_path().string();
  if (directory.empty()) directory = ".";
  struct stat status {};
  if (stat(output.c_str(), &status) == 0 && S_ISDIR(status.st_mode))
    return fmt::format("-o {}: is a directory", Printable(output));
  if (access(directory.c_str(), W_OK) == 0) return {};
  return fmt::format("-o {}: {}", Printable(output), std::strerror(errno));
}

SoakCommandLine ServiceLine(const SoakRequest& request, const Program& program,
                            const std::string& library, const std::string& directory) {
  SoakCommandLine line;
  line.path = program.path;
  line.arguments = request.service;
  line.environment = OwnEnvironment();
  for (const auto& [name, value] : request.variables) SetVariable(&line.environment, name, value);
  const char* const before = std::getenv(kPreload);
  SetVariable(&line.environment, kPreload, PreloadValue(library, before == nullptr ? "" : before));
  std::string pattern;
  for (const char c : directory) pattern += c == '%' ? "%%" : std::string(1, c);
  pattern += "/%e.%p";
  line.prepare = [pattern, executable = program.name_path](std::vector<std::string>* environment) {
    SetVariable(environment, kOutput, PrepareOutput(pattern, executable).pattern);
  };
  return line;
}

SoakCommandLine LoadLine(const SoakRequest& request) {
  SoakCommandLine line;
  line.path = "/bin/sh";
  line.arguments = {"sh", "-c", request.load};
  line.environment = OwnEnvironment();
  return line;
}

std::string Joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : " ") + Printable(word);
  return text;
}

std::string Render(const SoakRequest& request, const SoakResult& result) {
  if (request.format == "json") return SoakToJson(result);
  if (request.format == "junit") return SoakToJunit(result);
  if (request.format == "markdown") return SoakToMarkdown(result);
  if (request.format == "html") return SoakToHtml(result);
  const bool to_terminal = request.output.empty() || request.output == "-";
  return SoakToText(result, to_terminal ? TerminalWidth() : 100, to_terminal && ColourWanted());
}

}  // namespace

int SoakCommand(const Arguments& arguments) {
  int status = kExitUsage;
  const std::optional<SoakRequest> request = ParseSoak(arguments, &status);
  if (!request) return status;
  const Program program = FindProgram(request->service[0]);
  if (program.exit_status != 0) {
    Say(program.problem);
    return program.exit_status;
  }
  if (program.reach != Reach::kYes) {
    return Fail(fmt::format("{} cannot be tracked: {}, so nothing could be said of it",
                            Printable(request->service[0]), program.reason));
  }
  const absl::StatusOr<std::string> library = LibraryToPreload();
  if (!library.ok()) {
    Say(library.status());
    return kExitCannotRun;
  }
  std::optional<SoakBaseline> baseline;
  if (!request->baseline.empty()) {
    absl::StatusOr<SoakBaseline> read = ReadSoakBaseline(request->baseline);
    if (!read.ok()) return Fail(read.status());
    baseline = *std::move(read);
  }
  if (const std::string wrong = WrongOutput(request->output); !wrong.empty()) return Fail(wrong);
  if (request->wait == SoakWait::kPort && AcceptsConnections(request->wait_for)) {
    return Fail(
        fmt::format("--wait-port {}: a program listens there already, and LOAD would go to that "
                    "one; end it, or "
                    "give SERVICE another port",
                    Printable(request->wait_for)));
  }
  const absl::StatusOr<std::string> made = MakeDirectory(*request);
  if (!made.ok()) return Fail(made.status());
  const std::string& directory = *made;

  if (request->iterations > 0 && request->iterations != request->asked_iterations) {
    Say(fmt::format("--iterations {}: {} are run, the next prime number", request->asked_iterations,
                    request->iterations));
  }
  SoakResult result;
  result.service = Joined(request->service);
  result.load = Printable(request->load);
  result.directory = Printable(directory);
  result.began = FormatUtc(UnixMs());
  SoakRun run(*request, ServiceLine(*request, program, *library, directory), LoadLine(*request),
              directory);
  SoakProgress progress(&run, request->progress_s);
  SoakConfirm confirm(&run);
  if (request->iterations > 0)
    run.wants_more = [&](const SoakCourse& so_far) { return confirm.WantsMore(so_far); };
  SoakCourse course = run.Run();
  if (course.start_error != 0) {
    progress.Clear();
    Say(course.sentence);
    return course.start_error == ENOENT ? kExitNotFound : kExitCannotRun;
  }
  // The state under load; what SERVICE puts away at its end is another matter.
  const std::vector<SoakProcess> processes = run.reports().processes();
  ConcludeSoak(
      *request, course, processes, baseline ? &*baseline : nullptr,
      [&] { AskHolders(course, &run, &result); }, &result);
  const size_t told = course.notes.size();
  run.Stop(&course);
  progress.Clear();
  result.notes.insert(result.notes.end(), course.notes.begin() + static_cast<std::ptrdiff_t>(told),
                      course.notes.end());

  if (const absl::Status kept = WriteOutput(directory + "/soak.json", SoakToJson(result));
      !kept.ok()) {
    Say(kept);
  }
  if (const absl::Status written = WriteOutput(request->output, Render(*request, result));
      !written.ok()) {
    Say(written);
    return result.status == kSoakNoLeak ? kExitUsage : result.status;
  }
  if (!request->output.empty() || request->format != "text") {
    Say(fmt::format("soak: {}{}{}", SoakHeadline(result), result.sentence.empty() ? "" : ": ",
                    result.sentence));
  }
  return result.status;
}

}  // namespace heapgauge::cli
