#include "cli/diff_command.h"

#include <fmt/core.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdint>

#include "cli/load_report.h"
#include "cli/message.h"
#include "cli/output_file.h"
#include "cli/suggest.h"
#include "options/options.h"
#include "report/diff_writer.h"
#include "report/difference.h"
#include "report/printable.h"
#include "report/text_site.h"
#include "report/units.h"

namespace heapgauge::cli {
namespace {

constexpr char kDiffDescription[] =
    "Shows what grew and what shrank between two reports. A and B: a report directory (its newest "
    "report), a reports.jsonl, or a profile (heap.pb.gz).";

constexpr char kDiffFooter[] =
    "Examples:\n"
    "  heapgauge diff heapgauge.checkout.4242 heapgauge.checkout.5151\n"
    "  heapgauge diff --at 3 --at 40 heapgauge.checkout.4242\n"
    "  heapgauge diff before.pb.gz after.pb.gz --format pprof -o growth.pb.gz\n"
    "  heapgauge diff base/ new/ --fail-on leak --fail-on growth=10MiB\n\n"
    "Exit status: 0; 1 if what --fail-on names is there; 2 if A or B cannot be read or the output "
    "not be written.";

const std::vector<std::string> kDiffFormats = {"text", "json", "folded", "pprof"};

struct DiffRequest {
  std::string before;
  std::string after;
  std::vector<std::string> at;
  std::string format = "text";
  std::string output;
  std::string top_text;
  size_t top = TextOptions().max_sites;
  std::vector<std::string> fail_on;
  bool fail_on_leak = false;
  std::optional<uint64_t> most_growth;
};

// "" or what is wrong.
std::string ReadFailOn(const std::string& text, DiffRequest* request) {
  constexpr std::string_view kGrowth = "growth=";
  if (text == "leak") {
    request->fail_on_leak = true;
    return {};
  }
  uint64_t bytes = 0;
  if (text.starts_with(kGrowth) && ParseSize(text.c_str() + kGrowth.size(), &bytes)) {
    request->most_growth = bytes;
    return {};
  }
  return fmt::format("--fail-on {}: neither leak nor growth=SIZE, e.g. growth=10MiB",
                     Printable(text));
}

std::string Check(DiffRequest* request) {
  if (request->before.empty()) return "no A and B: name two reports, e.g. heapgauge diff OLD NEW";
  if (request->at.size() > 2) return "--at was given more than twice: there are two reports";
  if (request->after.empty()) {
    if (request->at.empty())
      return "no B: name a second report, or two moments of A by --at, e.g. --at 3 --at 40";
    request->after = request->before;
  }
  if (std::find(kDiffFormats.begin(), kDiffFormats.end(), request->format) == kDiffFormats.end()) {
    return fmt::format("--format {}: not text, json, folded or pprof{}", Printable(request->format),
                       DidYouMean(request->format, kDiffFormats));
  }
  for (const std::string& text : request->fail_on) {
    if (std::string wrong = ReadFailOn(text, request); !wrong.empty()) return wrong;
  }
  if (request->top_text.empty()) {
    if (request->format != "text") request->top = SIZE_MAX;
    return {};
  }
  const char* end = request->top_text.data() + request->top_text.size();
  const auto [at, failure] = std::from_chars(request->top_text.data(), end, request->top);
  if (failure != std::errc() || at != end) {
    return fmt::format("--top {}: not a number of call sites; 0 means all",
                       Printable(request->top_text));
  }
  if (request->top == 0) request->top = SIZE_MAX;
  return {};
}

std::string Render(const Difference& difference, const Report& before, const Report& after,
                   const DiffRequest& request) {
  if (request.format == "json") return DiffToJson(difference, request.top);
  if (request.format == "folded") return DiffToFolded(before, after);
  if (request.format == "pprof") return DiffToPprof(difference);
  const bool to_terminal = request.output.empty() || request.output == "-";
  TextOptions options;
  options.max_sites = request.top;
  options.colour = to_terminal && ColourWanted();
  if (to_terminal) options.width = TerminalWidth();
  return DiffToText(difference, options);
}

// What --fail-on names, as one line; "" if it is not there.  Growth counts where it is more than
// the error of two estimates.
std::string Found(const Difference& difference, const DiffRequest& request) {
  constexpr size_t kWidth = 60;
  for (const ChangedCallsite& row : difference.callsites) {
    const std::string site = ShortCallsite(row.site, kWidth);
    if (request.fail_on_leak && !row.gone && row.site.verdict == "leak")
      return fmt::format("--fail-on leak: {} leaks", site);
  }
  if (!request.most_growth) return {};
  const double most = static_cast<double>(*request.most_growth);
  for (const ChangedCallsite& row : difference.callsites) {
    if (row.growth_bytes <= most || row.Low() <= 0) continue;
    return fmt::format("--fail-on growth={}: {} grew by {}", FormatBytes(most),
                       ShortCallsite(row.site, kWidth), FormatBytes(row.growth_bytes));
  }
  const double sigmas = 1.96 * difference.growth_stderr;
  if (difference.growth_bytes > most && difference.growth_bytes > sigmas) {
    return fmt::format("--fail-on growth={}: the live heap grew by {}", FormatBytes(most),
                       FormatBytes(difference.growth_bytes));
  }
  return {};
}

}  // namespace

int DiffCommand(const Arguments& arguments) {
  DiffRequest request;
  const auto app = MakeApp("heapgauge diff", "A [B] [options]", kDiffDescription);
  app->footer(kDiffFooter);
  app->add_option("A", request.before, "the report before");
  app->add_option("B", request.after, "the report after; without it, A at another moment (--at)");
  app->add_option("--at", request.at,
                  "which report of A, and when given twice of B: its number, a time in UTC "
                  "(2026-11-22T02:14), or peak; default the newest")
      ->type_name("TIME|N|peak")
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->allow_extra_args(false);
  app->add_option("-f,--format", request.format,
                  "text (default), json (one line), folded (\"stack before after\", for a "
                  "differential flame graph) or pprof (gzip, values may be negative)")
      ->type_name(fmt::format("{}", fmt::join(kDiffFormats, "|")));
  app->add_option("--top", request.top_text,
                  "show N call sites that grew and N that shrank; 0: all (default 10 in text, all "
                  "elsewhere)")
      ->type_name("N");
  app->add_option("--fail-on", request.fail_on,
                  "exit with 1 if a call site of B is called a leak (leak), or one of them or the "
                  "live heap grew by more than SIZE (growth=SIZE); may be given several times")
      ->type_name("leak|growth=SIZE")
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->allow_extra_args(false);
  app->add_option("-o,--output", request.output,
                  "write to FILE, whole or not at all; - is standard output")
      ->type_name("FILE");
  if (const auto done = Parse(*app, arguments)) return *done;
  if (const std::string wrong = Check(&request); !wrong.empty()) return Fail(wrong);

  std::vector<std::string> notes;
  const std::string at_before = request.at.empty() ? "" : request.at[0];
  const std::string at_after = request.at.size() < 2 ? "" : request.at[1];
  const absl::StatusOr<Report> before = LoadReport(request.before, at_before, &notes);
  if (!before.ok()) return Fail(before.status());
  const absl::StatusOr<Report> after = LoadReport(request.after, at_after, &notes);
  if (!after.ok()) return Fail(after.status());
  for (const std::string& note : notes) Say(note);

  const bool to_stdout = request.output.empty() || request.output == "-";
  if (request.format == "pprof" && to_stdout && isatty(STDOUT_FILENO) == 1) {
    return Fail("a pprof profile is binary and standard output is a terminal: add -o diff.pb.gz");
  }
  const Difference difference = DifferenceOf(*before, *after);
  const absl::Status written =
      WriteOutput(request.output, Render(difference, *before, *after, request));
  if (!written.ok()) return Fail(written);
  const std::string found = Found(difference, request);
  if (found.empty()) return kExitGood;
  Say(found);
  return kExitFound;
}

}  // namespace heapgauge::cli
