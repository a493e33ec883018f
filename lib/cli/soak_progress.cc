#include "cli/soak_progress.h"

#include <fmt/core.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "base/whole_io.h"
#include "report/units.h"

namespace heapgauge::cli {
namespace {

size_t Columns() {
  winsize size{};
  if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return 80;
  return size.ws_col;
}

// The worst of what processes say so far.
std::string_view Worst(const std::vector<SoakProcess>& processes) {
  constexpr std::string_view kRising[] = {"warming", "ok", "load", "growing", "leak"};
  size_t worst = 0;
  for (const SoakProcess& process : processes) {
    const auto* const found =
        std::find(std::begin(kRising), std::end(kRising), process.newest.verdict);
    if (found != std::end(kRising))
      worst = std::max(worst, static_cast<size_t>(found - std::begin(kRising)));
  }
  return kRising[worst];
}

}  // namespace

SoakProgress::SoakProgress(SoakRun* run) : run_(run) {
  const char* const terminal = std::getenv("TERM");
  if (isatty(STDERR_FILENO) != 1 || terminal == nullptr || std::string_view(terminal) == "dumb")
    return;
  run->on_progress = [this](const char* phase, double left_s) { Show(phase, left_s); };
}

void SoakProgress::Clear() {
  if (shown_) WriteAll(STDERR_FILENO, "\r\033[K");
  shown_ = false;
}

void SoakProgress::Show(const char* phase, double left_s) {
  std::string line = fmt::format("soak: {}", phase);
  double live = 0;
  double rate = 0;
  for (const SoakProcess& process : run_->reports().processes()) {
    live += process.newest.totals.live_bytes;
    rate += process.newest.totals.growth_bytes_per_s;
  }
  line += fmt::format(" | RSS {} | live {} ({}) | {}", FormatBytes(run_->ServiceRss()),
                      FormatBytes(live), FormatRate(rate, ChooseRateUnit(std::fabs(rate))),
                      Worst(run_->reports().processes()));
  if (left_s >= 0) line += fmt::format(" | {} left", FormatDuration(std::ceil(left_s)));
  line.resize(std::min(line.size(), Columns() - 1));
  WriteAll(STDERR_FILENO, "\r\033[K" + line);
  shown_ = true;
}

}  // namespace heapgauge::cli
