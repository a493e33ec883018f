#include "cli/report_command.h"

#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdint>

#include "cli/child_names.h"
#include "cli/load_report.h"
#include "cli/message.h"
#include "cli/output_file.h"
#include "cli/suggest.h"
#include "report/folded_writer.h"
#include "report/json_writer.h"
#include "report/label_writer.h"
#include "report/pprof_writer.h"
#include "report/printable.h"
#include "report/text_writer.h"

namespace heapgauge::cli {
namespace {

constexpr char kDescription[] =
    "Renders a report of PATH: a report directory, the reports.jsonl in one, or a profile "
    "(heap.pb.gz).";

constexpr char kFooter[] =
    "Examples:\n"
    "  heapgauge report heapgauge.checkout_service.4242\n"
    "  heapgauge report heapgauge.checkout_service.4242 --top 50 | less -R\n"
    "  heapgauge report DIR --at 2026-11-22T02:14\n"
    "  heapgauge report DIR --by route\n"
    "  heapgauge report DIR --format json | jq '.sites[0].frames'\n"
    "  heapgauge report DIR --format folded | flamegraph.pl > heap.svg\n"
    "  heapgauge report DIR --format pprof -o heap.pb.gz && go tool pprof -top heap.pb.gz\n\n"
    "Exit status: 0, or 2 if PATH cannot be read or the output not be written.";

const std::vector<std::string> kFormats = {"text", "json", "folded", "pprof"};

struct ReportRequest {
  std::string path;
  std::string at;
  std::string by;
  std::string format = "text";
  std::string output;
  std::string top_text;
  size_t top = SIZE_MAX;
};

// "" or what is wrong.
std::string Check(ReportRequest* request) {
  if (request->path.empty())
    return "no PATH: name a report directory, e.g. heapgauge report heapgauge.checkout.4242";
  if (request->format == "html" || request->format == "sarif") {
    return fmt::format("--format {}: not in this version, which has text, json, folded and pprof",
                       request->format);
  }
  if (std::find(kFormats.begin(), kFormats.end(), request->format) == kFormats.end()) {
    return fmt::format("--format {}: not text, json, folded or pprof{}", request->format,
                       DidYouMean(request->format, kFormats));
  }
  if (!request->by.empty() && request->format != "text" && request->format != "json") {
    return fmt::format("--by {}: in text and json alone, not in {}", Printable(request->by),
                       request->format);
  }
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

// A directory in which only children have reported has no report of its own.
std::string Render(Report report, bool has_report, const ChildrenSummary& children,
                   const ReportRequest& request) {
  if (request.format == "json" && has_report && !request.by.empty()) {
    return ToJsonByLabel(report, request.by) + "\n";
  }
  if (request.format == "json") {
    std::string text = ToJson(report, request.top);
    if (children.count == 0) return text + "\n";
    if (!has_report) text = fmt::format("{{\"schema\":\"{}\"}}", kReportSchema);
    text.pop_back();
    return fmt::format("{},\"children\":{}}}\n", text, ChildrenJson(children));
  }
  if (!has_report) return ChildrenText(children).substr(1);  // without the empty line before it
  if (request.format == "text") {
    const bool to_terminal = request.output.empty() || request.output == "-";
    TextOptions options;
    options.max_sites = request.top;
    options.colour = to_terminal && ColourWanted();
    if (to_terminal) options.width = TerminalWidth();
    if (!request.by.empty()) return ToTextByLabel(report, request.by, options);
    return ToText(report, options) + ChildrenText(children);
  }
  if (report.sites.size() > request.top) report.sites.resize(request.top);
  return request.format == "folded" ? ToFolded(report) : ToPprof(report);
}

}  // namespace

int ReportCommand(const Arguments& arguments) {
  ReportRequest request;
  const auto app = MakeApp("heapgauge report", "PATH [options]", kDescription);
  app->footer(kFooter);
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
  app->add_option("-f,--format", request.format,
                  "text (default), json (one line), folded (stacks for a flame graph, weighted by "
                  "live bytes) or pprof "
                  "(gzip)")
      ->type_name("FORMAT");
  app->add_option("--top", request.top_text,
                  "show N call sites; 0: all (default 10 in text, all elsewhere)")
      ->type_name("N");
  app->add_option("-o,--output", request.output,
                  "write to FILE, whole or not at all; - is standard output")
      ->type_name("FILE");
  if (const auto done = Parse(*app, arguments)) return *done;
  if (const std::string wrong = Check(&request); !wrong.empty()) return Fail(wrong);

  std::vector<std::string> notes;
  std::string error;
  std::optional<Report> report = LoadReport(request.path, request.at, &notes, &error);
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
  if (!report && children.count == 0) return Fail(error);

  const bool to_stdout = request.output.empty() || request.output == "-";
  if (request.format == "pprof" && to_stdout && isatty(STDOUT_FILENO) == 1) {
    return Fail("a pprof profile is binary and standard output is a terminal: add -o heap.pb.gz");
  }
  const bool has_report = report.has_value();
  const std::string text =
      Render(std::move(report).value_or(Report{}), has_report, children, request);
  if (!WriteOutput(request.output, text, &error)) return Fail(error);
  return kExitGood;
}

}  // namespace heapgauge::cli
