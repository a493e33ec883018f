#include "cli/report_formats.h"

#include <fmt/core.h>

#include <algorithm>

#include "page/history.h"
#include "page/page.h"
#include "report/dhat_writer.h"
#include "report/firefox_writer.h"
#include "report/folded_writer.h"
#include "report/json_writer.h"
#include "report/label_writer.h"
#include "report/pprof_reader.h"
#include "report/pprof_writer.h"
#include "report/report_file.h"
#include "report/sarif_writer.h"
#include "report/speedscope_writer.h"
#include "report/temporary_writer.h"

namespace heapgauge::cli {
namespace {

struct Format {
  std::string_view name;
  std::string_view file;
  std::string_view media_type;
};

constexpr Format kReportFormats[] = {
    {"text", "report.txt", "text/plain"},
    {"json", "report.json", "application/json"},
    {"folded", "heap.folded", "text/plain"},
    {"pprof", "heap.pb.gz", "application/octet-stream"},
    {"html", "report.html", "text/html; charset=utf-8"},
    {"sarif", "heap.sarif", "application/json"},
    {"speedscope", "heap.speedscope.json", "application/json"},
    {"firefox", "heap.firefox.json", "application/json"},
    {"dhat", "dhat.out.json", "application/json"},
};

const Format& Find(std::string_view name) {
  const auto found = std::find_if(std::begin(kReportFormats), std::end(kReportFormats),
                                  [name](const Format& format) { return format.name == name; });
  return found != std::end(kReportFormats) ? *found : kReportFormats[0];
}

// All reports up to the one that is shown.
template <typename Use>
void ForEachUpTo(const Report& last, const std::string& path, Use use) {
  std::vector<std::string> notes;  // said when the report was chosen
  std::string error;
  if (IsPprofFile(path)) return;
  ForEachReport(
      path,
      [&](Report&& report) {
        if (report.sequence <= last.sequence || report.pid != last.pid) use(report);
        return true;
      },
      &notes, &error);
}

std::string ToHtml(const Report& report, const std::string& path) {
  History history;
  ForEachUpTo(report, path, [&](const Report& next) { history.Add(next); });
  if (history.Points().empty()) history.Add(report);
  return MakePage(report, history, false).html;
}

std::string ToFirefoxWithTrack(const Report& report, const std::string& path) {
  std::vector<TrackPoint> track;
  ForEachUpTo(report, path, [&](const Report& next) {
    if (!track.empty() && next.uptime_s <= track.back().uptime_s) track.clear();
    track.push_back(
        {next.uptime_s, next.totals.live_bytes, static_cast<double>(next.process.rss_bytes)});
  });
  return ToFirefox(report, track);
}

void MakeRelative(const std::string& root, FrameList* frames) {
  for (Frame& frame : frames->Edit()) {
    if (frame.file) frame.file = RelativeTo(root, *frame.file);
  }
}

}  // namespace

const std::vector<std::string>& ReportFormats() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all;
    for (const Format& format : kReportFormats) all.emplace_back(format.name);
    return all;
  }();
  return names;
}

bool ShowsHistory(std::string_view format) { return format == "html" || format == "firefox"; }

bool IsBinary(std::string_view format) { return format == "pprof"; }

std::string_view FileNameOf(std::string_view format) { return Find(format).file; }

std::string_view MediaTypeOf(std::string_view format) { return Find(format).media_type; }

std::string RenderReport(Report report, bool has_report, const ChildrenSummary& children,
                         const RenderRequest& request) {
  const std::string& format = request.format;
  // SARIF has a name for the root and takes it away itself.
  if (!request.source_root.empty() && format != "sarif") {
    for (Site& site : report.sites) MakeRelative(request.source_root, &site.frames);
    for (Callsite& callsite : report.callsites)
      MakeRelative(request.source_root, &callsite.sum.frames);
  }
  const size_t top = request.text.max_sites;
  if (has_report && !request.by.empty()) {
    return format == "json" ? ToJsonByLabel(report, request.by) + "\n"
                            : ToTextByLabel(report, request.by, request.text);
  }
  if (has_report && request.temporary) return ToTextTemporary(report, request.text);
  if (format == "json") {
    std::string text = ToJson(report, top);
    if (children.count == 0) return text + "\n";
    if (!has_report) text = fmt::format("{{\"schema\":\"{}\"}}", kReportSchema);
    text.pop_back();
    return fmt::format("{},\"children\":{}}}\n", text, ChildrenJson(children));
  }
  if (!has_report) return ChildrenText(children).substr(1);  // without the empty line before it
  if (format == "text") return ToText(report, request.text) + ChildrenText(children);
  if (report.sites.size() > top) report.sites.resize(top);
  if (report.callsites.size() > top) report.callsites.resize(top);
  if (format == "folded") return ToFolded(report);
  if (format == "html") return ToHtml(report, request.path);
  if (format == "sarif") return ReportToSarif(report, request.source_root);
  if (format == "speedscope") return ToSpeedscope(report);
  if (format == "firefox") return ToFirefoxWithTrack(report, request.path);
  if (format == "dhat") return ToDhat(report);
  return ToPprof(report);
}

}  // namespace heapgauge::cli
