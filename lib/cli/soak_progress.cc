#include "cli/soak_progress.h"

#include <fmt/core.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "base/whole_io.h"
#include "cli/message.h"
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

std::string SoakProgressLine(const SoakMoment& moment, size_t width) {
  std::string line = fmt::format("soak: {}", moment.phase);
  if (moment.left_s >= 0)
    line += fmt::format(", {} left", FormatDuration(std::ceil(moment.left_s)));
  const std::string rss = fmt::format(" | RSS {}", FormatBytes(moment.rss_bytes));
  std::string live;
  std::string verdict;
  if (!moment.verdict.empty()) {  // there are reports
    const double rate = moment.bytes_per_s;
    live = fmt::format(" | live {}, {}", FormatBytes(moment.live_bytes),
                       FormatRate(rate, ChooseRateUnit(std::fabs(rate))));
    verdict = fmt::format(" | {}", moment.verdict);
  }
  // What finds no room is left out whole, the least important first.
  if (line.size() + rss.size() + live.size() + verdict.size() <= width)
    return line + rss + live + verdict;
  if (line.size() + live.size() + verdict.size() <= width) return line + live + verdict;
  if (line.size() + verdict.size() <= width) return line + verdict;
  return line.substr(0, width);
}

SoakProgress::SoakProgress(SoakRun* run, double line_every_s)
    : run_(run), line_every_s_(line_every_s), next_line_s_(run->now_s() + line_every_s) {
  const char* const terminal = std::getenv("TERM");
  if (isatty(STDERR_FILENO) == 1 && terminal != nullptr && std::string_view(terminal) != "dumb") {
    run->on_progress = [this](const char* phase, double left_s) { Show(phase, left_s); };
  } else if (line_every_s > 0) {
    run->on_progress = [this](const char* phase, double left_s) { Tell(phase, left_s); };
  }
}

void SoakProgress::Clear() {
  if (shown_) WriteAll(STDERR_FILENO, "\r\033[K");
  shown_ = false;
}

SoakMoment SoakProgress::Now(const char* phase, double left_s) const {
  SoakMoment moment;
  moment.phase = phase;
  moment.left_s = left_s;
  moment.rss_bytes = run_->ServiceRss();
  for (const SoakProcess& process : run_->reports().processes()) {
    if (process.newest.final) continue;
    moment.live_bytes += process.newest.totals.live_bytes;
    moment.bytes_per_s += process.newest.totals.growth_bytes_per_s;
  }
  if (!run_->reports().processes().empty()) moment.verdict = Worst(run_->reports().processes());
  return moment;
}

void SoakProgress::Show(const char* phase, double left_s) {
  WriteAll(STDERR_FILENO, "\r\033[K" + SoakProgressLine(Now(phase, left_s), Columns() - 1));
  shown_ = true;
}

void SoakProgress::Tell(const char* phase, double left_s) {
  if (run_->now_s() < next_line_s_) return;
  next_line_s_ = run_->now_s() + line_every_s_;
  Say(SoakProgressLine(Now(phase, left_s), SIZE_MAX));
}

}  // namespace heapgauge::cli
