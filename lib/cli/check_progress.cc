#include "cli/check_progress.h"

#include <fmt/core.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <string_view>

#include "base/clock.h"
#include "base/whole_io.h"
#include "report/printable.h"
#include "report/units.h"

namespace heapgauge::cli {
namespace {

namespace files = std::filesystem;

// A process writes its report before it looks, and what it finds after it.  "": none does.
std::string WhoLooks(const std::string& workshop) {
  std::error_code failure;
  for (auto at = files::directory_iterator(workshop, failure);
       !failure && at != files::directory_iterator(); at.increment(failure)) {
    std::error_code ignored;
    if (files::exists(at->path() / "report.txt", ignored) &&
        !files::exists(at->path() / "lost.json", ignored)) {
      return at->path().filename().string();
    }
  }
  return {};
}

}  // namespace

bool CheckProgress::IsWanted() {
  const char* const terminal = std::getenv("TERM");
  return isatty(STDERR_FILENO) == 1 && terminal != nullptr && std::string_view(terminal) != "dumb";
}

void CheckProgress::Look() {
  const std::string process = WhoLooks(workshop_);
  if (process != process_) {
    process_ = process;
    since_ns_ = MonotonicNs();
  }
  if (process.empty()) return Clear();
  const double seconds = static_cast<double>(MonotonicNs() - since_ns_) * 1e-9;
  WriteAll(STDERR_FILENO,
           fmt::format("\r\033[Kcheck: looking through the memory of {}, {}",
                       CutEnd(Printable(process), 40), FormatDuration(static_cast<int>(seconds))));
  shown_ = true;
}

void CheckProgress::Clear() {
  if (shown_) WriteAll(STDERR_FILENO, "\r\033[K");
  shown_ = false;
}

}  // namespace heapgauge::cli
