#include "cli/holders_command.h"

#include <absl/strings/str_join.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

#include "base/basename.h"
#include "base/copy_cost.h"
#include "cli/load_report.h"
#include "cli/message.h"
#include "cli/output_file.h"
#include "control/control_client.h"
#include "report/callsite.h"
#include "report/frame_text.h"
#include "report/holders_writer.h"
#include "report/json_reader.h"
#include "report/printable.h"
#include "report/text_held.h"
#include "report/text_style.h"
#include "report/units.h"

namespace heapgauge::cli {
namespace {

constexpr char kHoldersDescription[] =
    "Says who holds what call sites have left behind: nobody any more (lost), or a variable, a "
    "stack, or memory of which nothing is known, with the blocks between. Of a process, its memory "
    "is looked through now, twice, while it goes on; of a report directory, the newest report "
    "tells.\n"
    "Without SITE, those that grow, or the five largest; with --exact, what has lost something, "
    "too.";
constexpr char kHoldersFooter[] =
    "A SITE is a call site's id, its number in the newest report (#1), or a part of its function's "
    "name.\n\n"
    "Examples:\n"
    "  heapgauge holders 4242\n"
    "  heapgauge holders 4242 CouponBook\n"
    "  heapgauge holders 4242 --exact\n"
    "  heapgauge holders heapgauge.checkout_service.4242 --json\n\n"
    "Exit status: 0, or 2 if the process can't be asked or a SITE is not known.";

constexpr auto kLookPatience = std::chrono::seconds(30);
constexpr auto kHoldersPatience = std::chrono::seconds(300);
constexpr size_t kLargest = 5;

struct HoldersRequest {
  std::string what;
  std::vector<std::string> sites;
  bool exact = false;
  bool json = false;
  std::string output;
};

const Frame& LineOf(const Callsite& callsite) {
  return CallsiteFrame(callsite.sum.frames, callsite.sum.callsite);
}

bool Grows(const Callsite& callsite) {
  return callsite.sum.verdict == "growing" || callsite.sum.verdict == "leak";
}

bool HasLost(const Callsite& callsite) { return callsite.held && callsite.held->lost_objects > 0; }

bool IsMeant(const Callsite& callsite, const std::string& site) {
  return callsite.sum.id == site || fmt::format("#{}", callsite.sum.rank) == site ||
         LineOf(callsite).function.find(site) != std::string::npos;
}

// None when one of them is not in the report.
absl::StatusOr<std::vector<Callsite>> Chosen(const Report& report,
                                             const std::vector<std::string>& sites) {
  std::vector<Callsite> chosen;
  for (const Callsite& callsite : report.callsites) {
    const bool meant = std::any_of(sites.begin(), sites.end(), [&](const std::string& site) {
      return IsMeant(callsite, site);
    });
    if (meant || (sites.empty() && (Grows(callsite) || HasLost(callsite))))
      chosen.push_back(callsite);
  }
  for (const std::string& site : sites) {
    if (std::any_of(chosen.begin(), chosen.end(),
                    [&](const Callsite& callsite) { return IsMeant(callsite, site); })) {
      continue;
    }
    return absl::NotFoundError(
        fmt::format("{}: no such call site in its report; heapgauge top or report lists them",
                    Printable(site)));
  }
  if (!chosen.empty() || !sites.empty()) return chosen;
  chosen = report.callsites;
  std::stable_sort(chosen.begin(), chosen.end(), [](const Callsite& a, const Callsite& b) {
    return a.sum.live_bytes > b.sum.live_bytes;
  });
  if (chosen.size() > kLargest) chosen.resize(kLargest);
  return chosen;
}

std::string ToText(const Report& report, const std::vector<Callsite>& callsites) {
  std::string text = fmt::format("{}, pid {}, {}\n", Printable(Basename(report.exe)), report.pid,
                                 Printable(report.time));
  const size_t width = TerminalWidth();
  for (const Callsite& callsite : callsites) {
    const Frame& line = LineOf(callsite);
    const std::string where = FileAndLine(line, false);
    text += fmt::format("\n#{}  {}  {} live  {}{}\n", callsite.sum.rank,
                        Printable(callsite.sum.verdict), FormatBytes(callsite.sum.live_bytes),
                        FullName(line), where.empty() ? "" : "  " + where);
    const std::string held = callsite.held ? HeldSentence(*callsite.held) : std::string();
    if (held.empty()) {
      text += callsite.held ? "    nothing was found\n" : "    not looked for\n";
      continue;
    }
    text += Wrapped(held, "    ", width);
    text += fmt::format("    {} objects that stand for {} were looked for at {}\n",
                        callsite.held->checked_objects, FormatBytes(callsite.held->checked_bytes),
                        Printable(callsite.held->time));
  }
  if (callsites.empty()) text += "\nno call site has anything alive\n";
  return text;
}

absl::StatusOr<Report> AskProcess(pid_t pid, ControlClient* client,
                                  const std::vector<std::string>& question,
                                  std::chrono::milliseconds patience,
                                  std::string* copy_us = nullptr) {
  const auto refuse = [pid](std::string_view why) {
    return absl::UnknownError(fmt::format("process {}: {}", pid, why));
  };
  const auto answer = client->Ask(question, patience);
  if (!answer.ok()) return refuse(std::string(answer.status().message()));
  if (!answer->good) return refuse(Printable(answer->Value("text")));
  std::string wrong;
  if (copy_us != nullptr) *copy_us = answer->Value("copy_us");
  std::optional<Report> report = FromJson(client->attached(), &wrong);
  if (!report) return refuse("its report can't be read: " + Printable(wrong));
  return *std::move(report);
}

// What a copy will cost, before it is made.
void SayCost(pid_t pid) {
  CopyCost cost;
  std::ifstream status(fmt::format("/proc/{}/status", pid));
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("RssAnon:"))
      cost.bytes = std::strtoull(line.c_str() + std::strlen("RssAnon:"), nullptr, 10) * 1024;
  }
  if (cost.bytes == 0) return;  // it will say itself what is wrong
  Say(fmt::format(
      "process {}: a copy of {} is looked through: its threads may stand still for some {:.1f} ms, "
      "and while the copy is there ({} at most) it may take {} more",
      pid, FormatBytes(static_cast<double>(cost.bytes)), cost.standstill_ms(),
      FormatDuration(static_cast<double>(CopyCost::kLifeSeconds)),
      FormatBytes(static_cast<double>(cost.bytes))));
}

// Asks for the ids of what is meant, then for a look for these.
absl::StatusOr<Report> LookNow(pid_t pid, const HoldersRequest& request) {
  absl::StatusOr<ControlClient> client = ControlClient::Connect(pid);
  if (!client.ok()) return client.status();
  std::vector<std::string> question = {"holders"};
  if (!request.sites.empty()) {
    const auto report = AskProcess(pid, &*client, {"look"}, kLookPatience);
    if (!report.ok()) return report;
    const auto chosen = Chosen(*report, request.sites);
    if (!chosen.ok()) {
      return absl::NotFoundError(
          fmt::format("process {}: {}", pid, std::string(chosen.status().message())));
    }
    question.push_back(absl::StrJoin(*chosen, ",", [](std::string* out, const Callsite& callsite) {
      out->append(callsite.sum.id);
    }));
  }
  if (!request.exact) return AskProcess(pid, &*client, question, kHoldersPatience);
  question.resize(2);
  question.emplace_back("exact");
  SayCost(pid);
  std::string copy_us;
  auto report = AskProcess(pid, &*client, question, kHoldersPatience, &copy_us);
  if (report.ok() && !copy_us.empty() && copy_us != "0") {
    Say(fmt::format("process {}: the copy was made in {:.1f} ms", pid,
                    std::strtod(copy_us.c_str(), nullptr) / 1000));
  }
  return report;
}

}  // namespace

int HoldersCommand(const Arguments& arguments) {
  HoldersRequest request;
  const auto app = MakeApp("heapgauge holders", "PID|DIR [SITE...] [options]", kHoldersDescription);
  app->footer(kHoldersFooter);
  app->add_option("WHAT", request.what, "a process that is tracked, or a report directory");
  app->add_option("SITE", request.sites, "the call sites that are meant")->expected(-1);
  app->add_flag("--exact", request.exact,
                "look at a copy of the process that stands still, for all that is alive there and "
                "not for samples of each call site; what that costs is said before, and a process "
                "whose threads it would stop for more than 20 ms is not copied");
  app->add_flag("--json", request.json, "schema heapgauge.holders/1");
  app->add_option("-o,--output", request.output,
                  "write to FILE, whole or not at all; - is standard output")
      ->type_name("FILE");
  if (const auto done = Parse(*app, arguments)) return *done;
  if (request.what.empty()) {
    return Fail("whose memory? heapgauge holders PID, or a report directory (see heapgauge ps)");
  }
  struct stat status;
  const std::optional<pid_t> pid = ParsePid(request.what);
  std::vector<std::string> notes;
  const bool is_process = pid && stat(request.what.c_str(), &status) != 0;
  if (request.exact && !is_process) {
    return Fail("--exact: of a process, by its number; a directory says what was found before");
  }
  const absl::StatusOr<Report> report =
      is_process ? LookNow(*pid, request) : LoadReport(request.what, "", &notes);
  if (!report.ok()) return Fail(report.status());
  for (const std::string& note : notes) Say(note);
  const auto chosen = Chosen(*report, request.sites);
  if (!chosen.ok()) return Fail(chosen.status());
  const std::string text =
      request.json ? HoldersToJson(*report, *chosen) + "\n" : ToText(*report, *chosen);
  const absl::Status written = WriteOutput(request.output, text);
  return written.ok() ? kExitGood : Fail(written);
}

}  // namespace heapgauge::cli
