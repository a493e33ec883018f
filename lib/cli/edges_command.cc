#include "cli/edges_command.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <string>
#include <vector>

#include "cli/edges_formats.h"
#include "cli/message.h"
#include "cli/output_file.h"
#include "cli/service_graph.h"
#include "cli/service_reports.h"
#include "cli/suggest.h"
#include "report/printable.h"

namespace heapgauge::cli {
namespace {

constexpr char kEdgesDescription[] =
    "Shows who calls whom, by the memory that waits for the calls, and the circles in it. PATH: a "
    "report directory, a reports.jsonl, or a directory of report directories; one for each process "
    "of each service.";

constexpr char kEdgesFooter[] =
    "Examples:\n"
    "  heapgauge edges heapgauge.gateway.17 heapgauge.auth.4242 heapgauge.session.4711\n"
    "  heapgauge edges --format dot reports/ | dot -Tsvg > services.svg\n"
    "  heapgauge edges --fail-on circle reports/\n\n"
    "Exit status: 0; 1 if what --fail-on names is there; 2 if a PATH cannot be read or the output "
    "not be written.";

const std::vector<std::string> kEdgesFormats = {"text", "json", "dot"};

struct EdgesRequest {
  std::vector<std::string> paths;
  std::string format = "text";
  std::string output;
  std::string top_text;
  std::string fail_on;
  size_t top = 40;
};

// "" or what is wrong.
std::string Check(EdgesRequest* request) {
  if (request->paths.empty())
    return "no PATH: name the report directories of the services, or one that holds them";
  if (std::find(kEdgesFormats.begin(), kEdgesFormats.end(), request->format) ==
      kEdgesFormats.end()) {
    return fmt::format("--format {}: not text, json or dot{}", Printable(request->format),
                       DidYouMean(request->format, kEdgesFormats));
  }
  if (!request->fail_on.empty() && request->fail_on != "circle") {
    return fmt::format("--fail-on {}: not circle", Printable(request->fail_on));
  }
  if (request->top_text.empty()) return {};
  const char* end = request->top_text.data() + request->top_text.size();
  const auto [at, failure] = std::from_chars(request->top_text.data(), end, request->top);
  if (failure != std::errc() || at != end) {
    return fmt::format("--top {}: not a number of calls; 0 means all",
                       Printable(request->top_text));
  }
  if (request->top == 0) request->top = SIZE_MAX;
  return {};
}

std::string Render(const ServiceGraph& graph, const EdgesRequest& request) {
  if (request.format == "json") return EdgesToJson(graph);
  if (request.format == "dot") return EdgesToDot(graph);
  const bool to_terminal = request.output.empty() || request.output == "-";
  return EdgesToText(graph, request.top, to_terminal ? TerminalWidth() : 100,
                     to_terminal && ColourWanted());
}

}  // namespace

int EdgesCommand(const Arguments& arguments) {
  EdgesRequest request;
  const auto app = MakeApp("heapgauge edges", "PATH... [options]", kEdgesDescription);
  app->footer(kEdgesFooter);
  app->add_option("PATH", request.paths, "report directories, or directories that hold them");
  app->add_option("-f,--format", request.format,
                  "text (default), json (one line) or dot (a picture, for graphviz)")
      ->type_name(fmt::format("{}", fmt::join(kEdgesFormats, "|")));
  app->add_option("--fail-on", request.fail_on,
                  "exit with 1 if there is a circle, in any of the reports (circle)")
      ->type_name("circle");
  app->add_option("--top", request.top_text, "show N calls in text; 0: all (default 40)")
      ->type_name("N");
  app->add_option("-o,--output", request.output,
                  "write to FILE, whole or not at all; - is standard output")
      ->type_name("FILE");
  if (const auto done = Parse(*app, arguments)) return *done;
  if (const std::string wrong = Check(&request); !wrong.empty()) return Fail(wrong);

  std::vector<std::string> files;
  for (const std::string& path : request.paths) {
    const absl::StatusOr<std::vector<std::string>> more = ReportFilesOf(path);
    if (!more.ok()) return Fail(more.status());
    files.insert(files.end(), more->begin(), more->end());
  }
  // One that is named twice is one.
  std::sort(files.begin(), files.end());
  files.erase(std::unique(files.begin(), files.end()), files.end());
  ServiceGraph graph;
  std::vector<std::string> notes;
  size_t processes = 0;
  for (const std::string& file : files) {
    for (const std::vector<Report>& process : CallsOfFile(file, &notes)) {
      graph.AddProcess(process);
      ++processes;
    }
  }
  for (const std::string& note : notes) Say(note);
  if (processes == 0) return Fail(fmt::format("{}: no reports", Printable(files.front())));
  graph.Finish();
  const absl::Status written = WriteOutput(request.output, Render(graph, request));
  if (!written.ok()) return Fail(written);
  if (request.fail_on.empty() || graph.circles().empty()) return kExitGood;
  Say("--fail-on circle: " + CircleLine(graph.circles().front()));
  return kExitFound;
}

}  // namespace heapgauge::cli
