#include "cli/report_place.h"

#include <fmt/core.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <system_error>

namespace heapgauge::cli {
namespace {

namespace fs = std::filesystem;

constexpr char kReportThread[] = "heapgauge";

std::string NameOf(const fs::path& task) {
  std::string name;
  std::getline(std::ifstream(task / "comm"), name);
  return name;
}

bool HoldsReports(const fs::path& directory) {
  struct stat status {};
  return stat((directory / "reports.jsonl").c_str(), &status) == 0;
}

// Of one task's descriptors: a report thread may have a table of its own.
std::string FindAmong(const fs::path& descriptors, std::error_code* failure) {
  for (fs::directory_iterator it(descriptors, *failure), end; !*failure && it != end;
       it.increment(*failure)) {
    std::error_code gone;
    const fs::path target = fs::read_symlink(it->path(), gone);
    if (!gone && target.is_absolute() && HoldsReports(target)) return target.string();
  }
  return {};
}

}  // namespace

absl::StatusOr<std::string> ReportDirectoryOf(pid_t pid) {
  const fs::path process = fmt::format("/proc/{}", pid);
  std::error_code failure;
  bool tracked = false;
  for (fs::directory_iterator it(process / "task", failure), end; !failure && it != end;
       it.increment(failure)) {
    if (NameOf(it->path()) != kReportThread) continue;
    tracked = true;
    std::error_code refused;
    const std::string found = FindAmong(it->path() / "fd", &refused);
    if (!found.empty()) return found;
    if (refused) failure = refused;
  }
  if (failure == std::errc::no_such_file_or_directory) {
    return absl::NotFoundError(fmt::format("no process {}", pid));
  }
  if (failure) {
    return absl::PermissionDeniedError(
        fmt::format("process {} can't be looked into: {}", pid, failure.message()));
  }
  if (tracked) {
    return absl::UnavailableError(
        fmt::format("process {} has written no report yet; name its directory later", pid));
  }
  return absl::FailedPreconditionError(fmt::format(
      "process {} is not tracked, or nothing of it has been sampled yet: start it by `heapgauge "
      "run`, or track it by `heapgauge attach {}`",
      pid, pid));
}

}  // namespace heapgauge::cli
