#include "report/text_site.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/basename.h"
#include "report/callsite.h"
#include "report/frame_text.h"
#include "report/printable.h"
#include "report/text_held.h"
#include "report/text_style.h"
#include "report/units.h"

namespace heapgauge {
namespace {

constexpr size_t kNameColumn = 52;  // of a stack, at least
constexpr size_t kPlaceColumn = 36;
constexpr size_t kCalmFrames = 8;  // of a site that gives no cause for alarm
constexpr std::string_view kInlined = "  (inlined)";

// Where a frame is: file and line; else the module, with the offset unless that is the name
// already.
// At most `width` columns: the end of a path says most.
std::string FullPlace(const Frame& frame, bool wrapper, size_t width) {
  std::string place = FileAndLine(frame, !wrapper);
  if (place.empty() && !frame.function.empty()) place = ModuleAndOffset(frame);
  place = CutPath(place, frame.inlined ? width - kInlined.size() : width);
  if (frame.inlined) place += kInlined.substr(place.empty() ? 2 : 0);
  return place;
}

const Frame* CallsiteOf(const Site& site) {
  return site.frames.empty() ? nullptr : &CallsiteFrame(site.frames, site.callsite);
}

std::string Heading(const Site& site, const TextOptions& options) {
  std::string verdict = Printable(site.verdict);
  const Ink ink = InkOf(site.verdict);
  if (site.verdict == "leak") verdict = "LEAK";
  if (site.confidence > 0 && site.verdict != "warming")
    verdict += fmt::format(" (confidence {:.2f})", site.confidence);
  std::string name = "(no stack)";
  std::string place;
  if (const Frame* frame = CallsiteOf(site)) {
    // The signature is in the stack just below; here name and place go together on one line.
    name = ShortFunction(*frame);
    place = FileAndLine(*frame, true);
    if (place.empty() && !frame->function.empty()) place = ModuleAndOffset(*frame);
  }
  std::string line = fmt::format("#{}  {}  {}", site.rank, Paint(verdict, ink, options.colour),
                                 Paint(name, Ink::kBold, options.colour));
  const size_t width = fmt::format("#{}  {}  {}", site.rank, verdict, name).size();
  // A long signature pushes the place to its own line rather than off the screen.
  const bool own_line = width + 2 + place.size() > options.width;
  if (!place.empty())
    line += (own_line ? "\n      at " : "  ") + Paint(place, Ink::kBold, options.colour);
  return line + "\n";
}

std::string GrowthLine(const Site& site, RateUnit unit) {
  const std::string lately =
      fmt::format("{} since the last report", FormatSignedBytes(site.growth_bytes));
  if (!IsGrowth(site.verdict, site.growth_high)) return "no trend; " + lately;
  std::string line = FormatRate(site.growth_bytes_per_s, unit);
  if (site.growth_low != site.growth_high) {
    line += fmt::format(" (95 %: {} to {})", FormatRate(site.growth_low, unit),
                        FormatRate(site.growth_high, unit));
  }
  return line + "; " + lately;
}

std::string LiveLine(const Site& site) {
  const std::string error = ErrorOf(site.live_bytes_stderr);
  const std::string count = FormatCount(site.live_objects);
  std::string line = fmt::format("{}{} in {} object{}", FormatBytes(site.live_bytes),
                                 error.empty() ? "" : " " + error, count, count == "1" ? "" : "s");
  if (count != "1" && site.live_objects >= 1) {
    line += fmt::format(" of {} each", FormatBytes(site.live_bytes / site.live_objects));
  }
  return line + fmt::format("; {} allocated, {} freed", FormatBytes(site.allocated_bytes),
                            FormatBytes(site.freed_bytes));
}

std::string AgeLine(const Site& site) {
  std::string line = "living: none";
  if (site.live_objects > 0) {
    line = fmt::format("living: median {}, oldest {}", FormatDuration(site.age_p50_s),
                       FormatDuration(site.age_max_s));
  }
  if (!site.lifetime_p50_s) return line + "; none freed yet";
  line += fmt::format("; freed: median {}", FormatDuration(*site.lifetime_p50_s));
  if (site.lifetime_p99_s)
    line += fmt::format(", 99 % within {}", FormatDuration(*site.lifetime_p99_s));
  return line;
}

// The whole signature where it fits, else the name alone: a column that one template fills is no
// column.
std::string NameInStack(const Frame& frame, bool wrapper, size_t width) {
  std::string name = FullName(frame);
  if (!wrapper && DisplayWidth(name) <= width) return name;
  const bool has_parameters = !frame.verbatim.set && frame.function.find('(') != std::string::npos;
  const std::string parameters = has_parameters && !wrapper ? "(...)" : "";
  return CutEnd(ShortFunction(frame) + parameters, width);
}

// "|" allocation machinery, "=>" the call site; machinery from the C++ headers by file name only.
std::string Stack(const Site& site, const TextOptions& options) {
  const bool calm = site.verdict == "steady" || site.verdict == "warming";
  const size_t wanted = calm ? std::min(options.max_frames, kCalmFrames) : options.max_frames;
  const size_t end = std::min(site.frames.size(), site.callsite + wanted);
  const size_t longest_name = std::max(kNameColumn, options.width / 2);
  std::vector<std::string> names;
  size_t name_width = 0;
  for (size_t i = 0; i < end; ++i) {
    names.push_back(NameInStack(site.frames[i], i < site.callsite, longest_name));
    name_width = std::max(name_width, DisplayWidth(names[i]));
  }
  constexpr size_t kMargin = 5 + 2 + 2 + 2;  // indent, mark, and the gaps behind mark and name
  const size_t rest = options.width - std::min(options.width, kMargin + name_width);

  using Align = Table::Align;
  Table table({Align::kLeft, Align::kLeft, Align::kLeft});
  for (size_t i = 0; i < end; ++i) {
    const bool wrapper = i < site.callsite;
    const Ink ink = i == site.callsite ? Ink::kBold : wrapper ? Ink::kDim : Ink::kPlain;
    const char* mark = i == site.callsite ? "=>" : wrapper ? " |" : "";
    const std::string place = FullPlace(site.frames[i], wrapper, std::max(kPlaceColumn, rest));
    table.Add({{mark, ink}, {names[i], ink}, {place, ink}});
  }
  std::string out = table.Render("     ", options.colour);
  if (end < site.frames.size()) {
    out += fmt::format("         ... {} more frames\n", site.frames.size() - end);
  }
  return out;
}

// "main <- Serve <- Handle": who leads to the call site in another stack.  Where the row is another
// frame than the stack's own call site, that is part of the way.
std::string Way(const Site& site, const Frame* row, size_t width) {
  constexpr size_t kMostSteps = 5;
  std::string way;
  const auto is_row = [&](const Frame& frame) {
    return row != nullptr && frame.module == row->module && frame.function == row->function;
  };
  const auto begin =
      site.frames.begin() + std::min<std::ptrdiff_t>(site.callsite, std::ssize(site.frames));
  const bool further_out = begin != site.frames.end() && !is_row(*begin) &&
                           std::find_if(begin, site.frames.end(), is_row) != site.frames.end();
  const size_t first = site.callsite + (further_out ? 0 : 1);
  for (size_t i = first; i < site.frames.size() && i < first + kMostSteps; ++i) {
    const std::string place = FileAndLine(site.frames[i], false);
    way += (way.empty() ? "" : " <- ") + ShortFunction(site.frames[i]) +
           (place.empty() ? "" : " " + place);
  }
  return CutEnd(way.empty() ? "(no callers known)" : way, width);
}

// Of a call site with several stacks: which of them matter.
std::string Stacks(const Callsite& callsite, const Report& report, RateUnit unit,
                   const TextOptions& options) {
  constexpr size_t kOthers = 3;
  constexpr double kWorthALine = 0.05;
  std::string out;
  size_t shown = 0;
  for (size_t i = 1; i < callsite.sites.size() && shown < kOthers; ++i) {
    const auto found = std::find_if(report.sites.begin(), report.sites.end(),
                                    [&](const Site& site) { return site.id == callsite.sites[i]; });
    if (found == report.sites.end()) continue;
    if (found->live_bytes < kWorthALine * callsite.sum.live_bytes) continue;
    std::string figures = fmt::format("         also {} live", FormatBytes(found->live_bytes));
    if (IsGrowth(found->verdict, found->growth_high)) {
      figures += ", " + FormatRate(found->growth_bytes_per_s, unit);
    }
    figures += ": ";
    const size_t room = options.width - std::min(options.width, DisplayWidth(figures));
    out += figures + Way(*found, CallsiteOf(callsite.sum), std::max<size_t>(room, 24)) + "\n";
    ++shown;
  }
  return out;
}

std::string StacksLine(const Callsite& callsite) {
  const bool grows = callsite.sum.verdict == "leak" || callsite.sum.verdict == "growing";
  return fmt::format(
      "{}; the largest below, {} of what {}", FormatCount(static_cast<double>(callsite.stacks)),
      FormatPercent(callsite.largest_stack_share), grows ? "it grows by" : "it holds");
}

}  // namespace

// A block that start-up left behind has a rate as long as its history is short, and no growth.
bool IsGrowth(std::string_view verdict, double high) {
  if (verdict == "leak" || verdict == "growing" || verdict == "load") return true;
  return high < 0;
}

std::string ErrorOf(double stderr_bytes) {
  if (!(stderr_bytes > 0)) return {};
  return "+/- " + FormatBytes(kSigmas95 * stderr_bytes);
}

std::string ShortCallsite(const Site& site, size_t width) {
  const Frame* frame = CallsiteOf(site);
  if (frame == nullptr) return "(no stack)";
  const std::string name = ShortFunction(*frame);
  std::string place = FileAndLine(*frame, false);
  if (place.empty() && !frame->function.empty()) place = ModuleAndOffset(*frame);
  const size_t place_width = place.empty() ? 0 : DisplayWidth(place) + 2;
  // The place wins: a name cut at the front still says which function, a line number can't be
  // guessed.
  const size_t name_width = width > place_width + 12 ? width - place_width : 12;
  return place.empty() ? CutFront(name, width) : CutFront(name, name_width) + "  " + place;
}

std::string CallsiteAndCaller(const Site& site, const std::string& caller, size_t width) {
  constexpr size_t kLeast = 12;
  constexpr std::string_view kArrow = " <- ";
  if (caller.empty() || width < 2 * kLeast + kArrow.size()) return ShortCallsite(site, width);
  const size_t room = std::max(kLeast, std::min(DisplayWidth(caller), width / 2));
  std::string text = ShortCallsite(site, width - room - kArrow.size());
  return text.append(kArrow).append(CutEnd(caller, room));
}

std::string CallsiteDetails(const Callsite& callsite, const Report& report, RateUnit unit,
                            const TextOptions& options) {
  const Site& site = callsite.sum;
  std::string out = Heading(site, options);
  if (!site.evidence.empty()) out += Wrapped(Printable(site.evidence), "    ", options.width);
  if (callsite.held) out += Wrapped(HeldSentence(*callsite.held), "    ", options.width);
  const auto figure = [&](std::string_view name, const std::string& text) {
    if (text.empty()) return;
    const std::string indent(12, ' ');
    const std::string label = fmt::format("{:<7}", name);
    out += "    " + Paint(label, Ink::kDim, options.colour) + " " +
           Wrapped(text, indent, options.width).substr(indent.size());
  };
  figure("growth", GrowthLine(site, unit));
  figure("live", LiveLine(site));
  figure("age", AgeLine(site));
  if (!site.labels.empty()) {
    std::string labels;
    for (const auto& [key, value] : site.labels) {
      labels += fmt::format("{}{}={}", labels.empty() ? "" : " ", Printable(key), Printable(value));
    }
    figure("labels", labels);
  }
  if (callsite.stacks > 1) figure("stacks", StacksLine(callsite));
  figure("site", Printable(site.id));
  out += Stack(site, options);
  return callsite.stacks > 1 ? out + Stacks(callsite, report, unit, options) : out;
}

}  // namespace heapgauge
