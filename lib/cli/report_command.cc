#include "cli/report_command.h"

#include <fmt/core.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdint>

#include "cli/child_names.h"
#include "cli/load_report.h"
#include "cli/message.h"
#include "cli/open_viewer.h"
#include "cli/output_file.h"
#include "cli/report_formats.h"
#include "cli/suggest.h"
#include "report/printable.h"
#include "report/text_writer.h"

namespace heapgauge::cli {
namespace {

constexpr char kReportDescription[] =
    "Renders a report of PATH: a report directory, the reports.jsonl in one, or a profile "
    "(heap.pb.gz).";

constexpr char kReportFooter[] =
    "Examples:\n"
    "  heapgauge report heapgauge.checkout_service.4242\n"
    "  heapgauge report heapgauge.checkout_service.4242 --top 50 | less -R\n"
    "  heapgauge report DIR --at 2026-11-22T02:14\n"
    "  heapgauge report DIR --by route\n"
    "  heapgauge report DIR --temporary\n"
    "  heapgauge report DIR --format json | jq '.sites[0].frames'\n"
    "  heapgauge report DIR --format folded | flamegraph.pl > heap.svg\n"
    "  heapgauge report DIR --format html -o report.html\n"
    "  heapgauge report DIR --open firefox\n"
    "  heapgauge report DIR --format pprof -o heap.pb.gz && go tool pprof -top heap.pb.gz\n\n"
    "Exit status: 0, or 2 if PATH cannot be read or the output not be written.";

struct ReportRequest {
  std::string path;
  std::string at;
  std::string by;
  std::string format = "text";
  std::string output;
  std::string source_root;
  std::string open;  // in which viewer
  std::string top_text;
  size_t top = SIZE_MAX;
  bool temporary = false;
};

bool Contains(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

// "" or what is wrong.
std::string CheckOpen(ReportRequest* request, bool format_given) {
  // `--open PATH`: the viewer is left out.
  if (request->path.empty() && !Contains(Viewers(), request->open)) {
    request->path = request->open;
    request->open.clear();
  }
  if (request->open.empty()) {
    request->open = format_given && request->format == "pprof" ? "perfetto" : "browser";
    if (format_given && Contains(Viewers(), request->format)) request->open = request->format;
  }
  if (!Contains(Viewers(), request->open)) {
    return fmt::format("--open {}: not {}{}", Printable(request->open), fmt::join(Viewers(), ", "),
                       DidYouMean(request->open, Viewers()));
  }
  if (!request->output.empty()) return "--open and --output: one of them alone";
  const std::string format(FormatOf(request->open));
  if (format_given && request->format != format) {
    return fmt::format("--open {} and --format {}: that viewer reads {}", request->open,
                       request->format, format);
  }
  request->format = format;
  return {};
}

// "" or what is wrong.
std::string Check(ReportRequest* request) {
  if (request->path.empty())
    return "no PATH: name a report directory, e.g. heapgauge report heapgauge.checkout.4242";
  if (!Contains(ReportFormats(), request->format)) {
    const std::vector<std::string>& formats = ReportFormats();
    return fmt::format("--format {}: not {} or {}{}", Printable(request->format),
                       fmt::join(formats.begin(), formats.end() - 1, ", "), formats.back(),
                       DidYouMean(request->format, formats));
  }
  if (!request->by.empty() && request->format != "text" && request->format != "json") {
    return fmt::format("--by {}: in text and json alone, not in {}", Printable(request->by),
                       request->format);
  }
  if (request->temporary && request->format != "text") {
    return fmt::format("--temporary: in text alone; {} has what it says",
                       request->format == "json" ? "`temporary` in the JSON" : "--format json");
  }
  if (request->temporary && !request->by.empty()) return "--temporary and --by: one of them alone";
  if (request->top_text.empty()) {
    if (request->format == "text") request->top = TextOptions().max_sites;
    return {};
  }
  const char* end = request->top_text.data() + request->top_text.size();
  const auto [at, failure] = std::from_chars(request->top_text.data(), end, request->top);
  if (failure != std::errc() || at != end) {
    return fmt::format("--top {}: not a number of call sites; 0 means all", request->top_text);
  }
  if (request->top == 0) request->top = SIZE_MAX;
  return {};
}

}  // namespace

int ReportCommand(const Arguments& arguments) {
  ReportRequest request;
  const auto app = MakeApp("heapgauge report", "PATH [options]", kReportDescription);
  app->footer(kReportFooter);
  app->add_option("PATH", request.path,
                  "a report directory, a reports.jsonl or a pipe of such lines, or a profile");
  app->add_option("--at", request.at,
                  "which report: its number, the newest of a time in UTC (2026-11-22T02:14), or "
                  "peak, the one with the highest live heap (default: the newest)")
      ->type_name("TIME|N|peak");
  app->add_option("--by", request.by,
                  "the live heap by the values of a label, e.g. peer or route, in place of call "
                  "sites (text and json)")
      ->type_name("LABEL");
  app->add_flag("--temporary", request.temporary,
                "what was allocated and freed between two reports, by call site, in place of what "
                "lives (text)");
  CLI::Option* format =
      app->add_option(
             "-f,--format", request.format,
             "text (default), json (one line), html (a page of its own, to be opened in a "
             "browser), folded (stacks for a flame graph, weighted by live bytes), pprof "
             "(gzip), sarif (call sites that leak or grow, for code scanning), speedscope, "
             "firefox (profiler.firefox.com) or dhat (valgrind's viewer)")
          ->type_name(fmt::format("{}", fmt::join(ReportFormats(), "|")));
  app->add_option("--top", request.top_text,
                  "show N call sites; 0: all (default 10 in text, all elsewhere)")
      ->type_name("N");
  CLI::Option* open =
      app->add_option("--open", request.open,
                      "show it in a viewer: browser (the page, default), speedscope, firefox or "
                      "perfetto. The file is served once, on loopback, for that viewer")
          ->type_name(fmt::format("[{}]", fmt::join(Viewers(), "|")))
          ->expected(0, 1);
  app->add_option("--source-root", request.source_root,
                  "show source files below DIR relative to it, as a repository has them")
      ->type_name("DIR");
  app->add_option("-o,--output", request.output,
                  "write to FILE, whole or not at all; - is standard output")
      ->type_name("FILE");
  if (const auto done = Parse(*app, arguments)) return *done;
  const bool opens = open->count() > 0;
  if (opens) {
    if (const std::string wrong = CheckOpen(&request, format->count() > 0); !wrong.empty())
      return Fail(wrong);
  }
  if (const std::string wrong = Check(&request); !wrong.empty()) return Fail(wrong);

  std::vector<std::string> notes;
  absl::StatusOr<Report> report = LoadReport(request.path, request.at, &notes);
  ChildrenSummary children;
  if (request.format == "text" || request.format == "json") {
    children = ReadChildren(request.path);
    NameCallsites(&children);
  }
  if (children.skipped > 0) {
    notes.push_back(fmt::format("{}/children.jsonl: {} lines skipped", Printable(request.path),
                                children.skipped));
  }
  for (const std::string& note : notes) Say(note);
  if (!report.ok() && children.count == 0) return Fail(report.status());

  const bool to_stdout = request.output.empty() || request.output == "-";
  if (!opens && IsBinary(request.format) && to_stdout && isatty(STDOUT_FILENO) == 1) {
    return Fail(fmt::format("a {} profile is binary and standard output is a terminal: add -o {}",
                            request.format, FileNameOf(request.format)));
  }
  RenderRequest render;
  render.format = request.format;
  render.source_root = request.source_root;
  render.path = request.path;
  render.by = request.by;
  render.temporary = request.temporary;
  render.text.max_sites = request.top;
  render.text.colour = to_stdout && ColourWanted();
  if (to_stdout) render.text.width = TerminalWidth();
  const bool has_report = report.ok();
  const std::string text =
      RenderReport(std::move(report).value_or(Report{}), has_report, children, render);
  if (opens) {
    const std::string wrong = OpenInViewer(request.open, text);
    return wrong.empty() ? kExitGood : Fail(wrong);
  }
  const absl::Status written = WriteOutput(request.output, text);
  return written.ok() ? kExitGood : Fail(written);
}

}  // namespace heapgauge::cli
