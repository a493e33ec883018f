#include "cli/top_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "base/basename.h"
#include "report/frame_text.h"
#include "report/printable.h"
#include "report/time_left.h"
#include "report/units.h"

namespace heapgauge::cli {
namespace {

constexpr size_t kSparkWidth = 16;
// What the columns need; where there is no room for all, the less needed go.
constexpr size_t kWithHistory = 78;
constexpr size_t kWithGrowth = 50;
constexpr size_t kWithVerdict = 34;
constexpr size_t kHead = 3;

std::string_view NameOf(TopOrder order) {
  switch (order) {
    case TopOrder::kRank:
      return "rank";
    case TopOrder::kGrowth:
      return "growth";
    case TopOrder::kLive:
      return "live";
    case TopOrder::kName:
      return "name";
  }
  return "";
}

std::string PlaceOf(const Callsite& callsite) {
  const Site& sum = callsite.sum;
  if (sum.frames.empty()) return "[no stack]";
  const Frame& frame = sum.frames[std::min<size_t>(sum.callsite, sum.frames.size() - 1)];
  const std::string line = FileAndLine(frame, false);
  return ShortFunction(frame) + (line.empty() ? "" : " " + line);
}

std::vector<Callsite> Sorted(const Report& report, TopOrder order) {
  std::vector<Callsite> callsites = CallsitesOf(report);
  const auto by = [&](auto less) { std::stable_sort(callsites.begin(), callsites.end(), less); };
  switch (order) {
    case TopOrder::kRank:
      break;
    case TopOrder::kGrowth:
      by([](const Callsite& a, const Callsite& b) {
        return a.sum.growth_bytes_per_s > b.sum.growth_bytes_per_s;
      });
      break;
    case TopOrder::kLive:
      by([](const Callsite& a, const Callsite& b) { return a.sum.live_bytes > b.sum.live_bytes; });
      break;
    case TopOrder::kName:
      by([](const Callsite& a, const Callsite& b) { return PlaceOf(a) < PlaceOf(b); });
      break;
  }
  return callsites;
}

std::string Process(const Report& report) {
  std::string text = fmt::format(
      "{} ({})  {}  live {}  RSS {}  up {}", Printable(Basename(report.exe)), report.pid,
      report.verdict == "leak" ? "LEAK" : Printable(report.verdict),
      FormatBytes(report.totals.live_bytes),
      FormatBytes(static_cast<double>(report.process.rss_bytes)), FormatDuration(report.uptime_s));
  if (const std::optional<Forecast> left = TimeLeft(report))
    text += fmt::format("  limit in {}", FormatDuration(left->seconds_to_limit));
  return text;
}

}  // namespace

void TopHistory::Add(const Report& report) {
  std::map<std::string, std::deque<double>> now;
  for (const Callsite& callsite : CallsitesOf(report)) {
    std::deque<double>& looks = now[callsite.sum.id];
    if (const auto before = live_.find(callsite.sum.id); before != live_.end())
      looks = std::move(before->second);
    looks.push_back(callsite.sum.live_bytes);
    if (looks.size() > kLooks) looks.pop_front();
  }
  live_ = std::move(now);
}

std::string TopHistory::Sparkline(const std::string& id, size_t width, bool ascii) const {
  static constexpr const char* kAscii[] = {" ", ".", ":", "-", "=", "+", "*", "#"};
  static constexpr const char* kBlocks[] = {"\u2581", "\u2582", "\u2583", "\u2584",
                                            "\u2585", "\u2586", "\u2587", "\u2588"};
  const auto found = live_.find(id);
  if (found == live_.end()) return std::string(width, ' ');
  const std::deque<double>& looks = found->second;
  const size_t shown = std::min(width, looks.size());
  const auto begin = looks.end() - static_cast<std::ptrdiff_t>(shown);
  const auto [low, high] = std::minmax_element(begin, looks.end());
  std::string line(width - shown, ' ');
  for (auto look = begin; look != looks.end(); ++look) {
    const double share = *high > *low ? (*look - *low) / (*high - *low) : 0;
    const size_t step = std::min<size_t>(7, static_cast<size_t>(share * 8));
    line += ascii ? kAscii[step] : kBlocks[step];
  }
  return line;
}

std::vector<TopLine> TopLines(const Report& report, const TopHistory& history,
                              const TopStyle& style) {
  const std::vector<Callsite> callsites = Sorted(report, style.order);
  const size_t room = style.rows > kHead ? style.rows - kHead : 0;
  const size_t shown = std::min(room, callsites.size());
  const size_t width = style.columns;
  double largest = 0;
  for (const Callsite& callsite : callsites)
    largest = std::max(largest, callsite.sum.growth_bytes_per_s);
  const RateUnit unit = ChooseRateUnit(largest);

  std::vector<TopLine> lines;
  const auto add = [&](const std::string& text, const std::string& verdict = "") {
    lines.push_back({CutEnd(text, width), verdict});
  };
  add(Process(report));
  const uint64_t all = std::max<uint64_t>(report.callsites_total, callsites.size());
  std::string what = fmt::format("{} of {} call sites, by {}", shown, all, NameOf(style.order));
  // Looking takes no more than a two-hundredth of a core of the process.
  if (style.age_s >= 1)
    what += fmt::format(", of {} ago: looks are dear here", FormatDuration(style.age_s));
  add(what);
  std::string heading;
  if (width >= kWithVerdict) heading += fmt::format("{:<8} ", "VERDICT");
  heading += fmt::format("{:>10} ", "LIVE");
  if (width >= kWithGrowth) heading += fmt::format("{:>15} ", "GROWTH");
  if (width >= kWithHistory) heading += fmt::format("{:<{}} ", "LIVE BEFORE", kSparkWidth);
  add(heading + "CALL SITE");
  for (size_t i = 0; i < shown; ++i) {
    const Site& sum = callsites[i].sum;
    std::string text;
    if (width >= kWithVerdict) text += fmt::format("{:<8} ", Printable(sum.verdict));
    text += fmt::format("{:>10} ", FormatBytes(sum.live_bytes));
    if (width >= kWithGrowth)
      text += fmt::format("{:>15} ", FormatRate(sum.growth_bytes_per_s, unit));
    if (width >= kWithHistory) text += history.Sparkline(sum.id, kSparkWidth, style.ascii) + " ";
    add(text + PlaceOf(callsites[i]), sum.verdict);
  }
  return lines;
}

}  // namespace heapgauge::cli
