#include "report/diff_writer.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>
#include <vector>

#include "base/basename.h"
#include "report/callsite.h"
#include "report/folded_writer.h"
#include "report/frame_text.h"
#include "report/json_text.h"
#include "report/pprof_writer.h"
#include "report/printable.h"
#include "report/text_site.h"
#include "report/text_style.h"
#include "report/units.h"

namespace heapgauge {
namespace {

constexpr double kSmallest = 0.5;  // of a byte: what is below changed nothing

std::string SideOf(const Report& report) {
  std::string text = report.exe.empty() ? "a profile" : Printable(Basename(report.exe));
  if (report.pid > 0) text += fmt::format(", pid {}", report.pid);
  if (!report.host.empty()) text += fmt::format(" on {}", Printable(report.host));
  if (report.sequence > 0) text += fmt::format(", report {}", report.sequence);
  if (!report.time.empty()) text += ", " + Printable(report.time);
  return text;
}

std::string HeadOf(const Difference& difference) {
  std::string text = "heapgauge diff\n";
  text += fmt::format("  before  {}: {}\n", FormatBytes(difference.before.totals.live_bytes),
                      SideOf(difference.before));
  text += fmt::format("  after   {}: {}\n", FormatBytes(difference.after.totals.live_bytes),
                      SideOf(difference.after));
  return text;
}

std::string SumOf(const Difference& difference, bool colour) {
  const std::string error = ErrorOf(difference.growth_stderr);
  std::string text = fmt::format("live heap {}{}", FormatSignedBytes(difference.growth_bytes),
                                 error.empty() ? "" : " " + error);
  text = Paint(text, Ink::kBold, colour);
  if (difference.same_process && difference.elapsed_s > 0) {
    const Totals& before = difference.before.totals;
    const Totals& after = difference.after.totals;
    text += fmt::format(" in {}; {} allocated and {} freed meanwhile",
                        FormatDuration(difference.elapsed_s),
                        FormatBytes(after.allocated_bytes - before.allocated_bytes),
                        FormatBytes(after.freed_bytes - before.freed_bytes));
  }
  return text + "\n";
}

bool Certain(const ChangedCallsite& row) {
  return row.growth_bytes > 0 ? row.Low() > 0 : row.High() < 0;
}

std::vector<Table::Cell> RowOf(const ChangedCallsite& row, const TextOptions& options) {
  constexpr size_t kFigures = 46;  // columns that the others take
  const bool certain = Certain(row);
  std::string note = certain ? "" : "within its error";
  if (row.fresh) note = "new";
  if (row.gone) note = "gone";
  if (!row.gone && row.site.verdict == "leak") note = note.empty() ? "LEAK" : note + ", LEAK";
  const Ink ink = !certain ? Ink::kDim : row.growth_bytes > 0 ? Ink::kYellow : Ink::kGreen;
  return {
      {FormatSignedBytes(row.growth_bytes), ink},
      {ErrorOf(row.growth_stderr), Ink::kDim},
      {FormatBytes(row.after_bytes), Ink::kPlain},
      {ShortCallsite(row.site, options.width - std::min(options.width / 2, kFigures)), Ink::kPlain},
      {note, row.site.verdict == "leak" ? Ink::kRed : Ink::kDim}};
}

// One of the two lists; "" when nothing of the kind changed.
std::string ListOf(const char* heading, std::vector<const ChangedCallsite*> rows, double all,
                   const TextOptions& options) {
  if (rows.empty()) return {};
  const size_t shown = std::min(rows.size(), options.max_sites);
  using Align = Table::Align;
  Table table({Align::kRight, Align::kLeft, Align::kRight, Align::kLeft, Align::kLeft});
  table.Add({{"change", Ink::kDim},
             {"", Ink::kDim},
             {"now", Ink::kDim},
             {"call site", Ink::kDim},
             {"", Ink::kDim}});
  double sum = 0;
  for (size_t i = 0; i < shown; ++i) {
    table.Add(RowOf(*rows[i], options));
    sum += rows[i]->growth_bytes;
  }
  const std::string count = shown == rows.size()
                                ? fmt::format("{}", shown)
                                : fmt::format("{} of {}, {} of the change", shown, rows.size(),
                                              FormatPercent(all == 0 ? 1 : sum / all));
  return fmt::format("\n{} ({})\n", heading, count) + table.Render("  ", options.colour);
}

void AddSide(const char* name, const Report& report, JsonText* json) {
  json->BeginObject(name)
      .Add("exe", report.exe)
      .Add("host", report.host)
      .Add("pid", report.pid)
      .Add("build_id", report.build_id)
      .Add("sequence", report.sequence)
      .Add("time", report.time)
      .Add("verdict", report.verdict)
      .Add("live_bytes", report.totals.live_bytes)
      .Add("live_objects", report.totals.live_objects)
      .End();
}

void AddRow(const ChangedCallsite& row, size_t rank, JsonText* json) {
  const Frame& place = CallsiteFrame(row.site.frames, row.site.callsite);
  json->BeginObject()
      .Add("rank", rank)
      .Add("id", row.site.id)
      .Add("function", place.function)
      .Add("file", place.file)
      .Add("line", place.line)
      .Add("module", place.module)
      .Add("module_offset", place.module_offset)
      .Add("verdict", row.site.verdict)
      .Add("before_bytes", row.before_bytes)
      .Add("after_bytes", row.after_bytes)
      .Add("growth_bytes", row.growth_bytes)
      .Add("growth_low", row.Low())
      .Add("growth_high", row.High())
      .Add("growth_objects", row.growth_objects)
      .Add("new", row.fresh)
      .Add("gone", row.gone)
      .End();
}

}  // namespace

std::string DiffToText(const Difference& difference, const TextOptions& options) {
  std::vector<const ChangedCallsite*> grew;
  std::vector<const ChangedCallsite*> shrank;
  double up = 0;
  double down = 0;
  for (const ChangedCallsite& row : difference.callsites) {
    if (std::fabs(row.growth_bytes) < kSmallest) continue;
    (row.growth_bytes > 0 ? grew : shrank).push_back(&row);
    (row.growth_bytes > 0 ? up : down) += row.growth_bytes;
  }
  std::reverse(shrank.begin(), shrank.end());
  std::string text = HeadOf(difference) + SumOf(difference, options.colour);
  text += ListOf("Grew", std::move(grew), up, options);
  text += ListOf("Shrank", std::move(shrank), down, options);
  if (up == 0 && down == 0) text += "\nNo call site changed.\n";
  const double listed = up - down;
  if (std::fabs(difference.unlisted_bytes) > std::fmax(kSmallest, 0.01 * listed)) {
    text += fmt::format("\nOf call sites that the reports do not list: {}\n",
                        FormatSignedBytes(difference.unlisted_bytes));
  }
  return text;
}

std::string DiffToJson(const Difference& difference, size_t top) {
  JsonText json;
  json.BeginObject().Add("schema", kDiffSchema);
  AddSide("before", difference.before, &json);
  AddSide("after", difference.after, &json);
  json.Add("elapsed_s", difference.elapsed_s)
      .Add("growth_bytes", difference.growth_bytes)
      .Add("growth_bytes_stderr", difference.growth_stderr)
      .Add("growth_objects", difference.growth_objects)
      .Add("unlisted_bytes", difference.unlisted_bytes)
      .Add("callsites_total", difference.callsites.size())
      .BeginArray("callsites");
  for (size_t i = 0; i < std::min(top, difference.callsites.size()); ++i)
    AddRow(difference.callsites[i], i + 1, &json);
  json.End().End();
  return WithControlsEscaped(json.Take()) + "\n";
}

std::string DiffToFolded(const Report& before, const Report& after) {
  std::map<std::string, std::pair<double, double>> stacks;
  for (const Site& site : before.sites) stacks[FoldedStack(site)].first += site.live_bytes;
  for (const Site& site : after.sites) stacks[FoldedStack(site)].second += site.live_bytes;
  std::string text;
  for (const auto& [stack, bytes] : stacks) {
    if (bytes.first < kSmallest && bytes.second < kSmallest) continue;
    text += fmt::format("{} {:.0f} {:.0f}\n", stack, bytes.first, bytes.second);
  }
  return text;
}

std::string DiffToPprof(const Difference& difference) {
  Report report = difference.after;
  report.sites = difference.stacks;
  report.uptime_s = std::fmax(0, difference.elapsed_s);
  report.evidence = fmt::format("difference to {}", SideOf(difference.before));
  return ToPprof(report, PprofKind::kDifference);
}

}  // namespace heapgauge
