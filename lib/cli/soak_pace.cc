#include "cli/soak_pace.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <vector>

#include "cli/soak_power.h"

namespace heapgauge::cli {
namespace {

constexpr double kSlowed = 0.85;        // of the work in the first half of the time
constexpr double kHardlyDies = 0.5;     // so much of what is born must stay
constexpr double kLeastWork = 200;      // samples of all others in the judged part
constexpr double kTimesTheBound = 1.5;  // samples: more than a leak of the bound leaves
constexpr size_t kPieces = 4;           // of equal work
constexpr double kLeastPiece = 0.5;     // each, of the mean
constexpr double kLeastLast = 0.8;      // the last, of the mean of those before it

struct Mark {
  double work = 0;  // allocated by others so far
  double live = 0;
  double allocated = 0;
  double time_s = 0;
};

// Where `work` was reached, between the reports around it.
double LiveAt(const std::vector<Mark>& marks, double work) {
  for (size_t i = 1; i < marks.size(); ++i) {
    if (marks[i].work < work) continue;
    const double step = marks[i].work - marks[i - 1].work;
    const double share = step > 0 ? (work - marks[i - 1].work) / step : 1;
    return marks[i - 1].live + share * (marks[i].live - marks[i - 1].live);
  }
  return marks.back().live;
}

}  // namespace

std::optional<std::string> KeepsPace(const SoakProcess& process, const SoakWindow& window,
                                     const std::string& id) {
  std::vector<Mark> marks;
  double interval_bytes = 1;
  double each = 1;
  for (const SoakPoint& point : process.points) {
    const auto found = point.sites.find(id);
    if (point.time_s < window.from_s || found == point.sites.end()) continue;
    const SoakSitePoint& site = found->second;
    marks.push_back({point.allocated_bytes - site.allocated_bytes, site.live_bytes,
                     site.allocated_bytes, point.time_s});
    interval_bytes = std::max(interval_bytes, point.interval_bytes);
    if (site.live_objects > 0) each = site.live_bytes / site.live_objects;
  }
  if (marks.size() < kLeastSoakReports) return std::nullopt;
  const Mark& first = marks.front();
  const Mark& last = marks.back();
  const double seconds = last.time_s - first.time_s;
  const double growth = last.live - first.live;
  const double work = last.work - first.work;
  const std::optional<double> bound = SamplesToSee(static_cast<double>(marks.size()));
  if (seconds < kLeastSoakSeconds || !bound || growth <= 0) return std::nullopt;
  if (growth < kTimesTheBound * *bound * std::max(interval_bytes, each)) return std::nullopt;
  if (work < kLeastWork * interval_bytes) return std::nullopt;
  if (growth < kHardlyDies * (last.allocated - first.allocated)) return std::nullopt;

  double half = first.work;
  for (const Mark& mark : marks) {
    if (mark.time_s - first.time_s <= seconds / 2) half = mark.work;
  }
  const double slowed = (last.work - half) / std::max(half - first.work, 1.0);
  if (slowed > kSlowed) return std::nullopt;

  std::array<double, kPieces> pieces{};
  double before = first.live;
  for (size_t i = 0; i < kPieces; ++i) {
    const double until = LiveAt(
        marks, first.work + work * static_cast<double>(i + 1) / static_cast<double>(kPieces));
    pieces[i] = until - before;
    before = until;
    if (pieces[i] < kLeastPiece * growth / kPieces) return std::nullopt;
  }
  const double mean = (growth - pieces.back()) / (kPieces - 1);
  if (pieces.back() < kLeastLast * mean) return std::nullopt;
  return fmt::format(
      "it keeps pace with what all other call sites allocate, which fell to {:.0f} % in the second "
      "half of the judged part: of so much work each quarter left as much behind as the others, "
      "and "
      "hardly anything born here has died",
      100 * slowed);
}

}  // namespace heapgauge::cli
