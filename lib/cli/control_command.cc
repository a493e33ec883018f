#include "cli/control_command.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <chrono>
#include <fstream>
#include <thread>
#include <vector>

#include "base/basename.h"
#include "cli/attach_command.h"
#include "cli/message.h"
#include "cli/output_file.h"
#include "cli/suggest.h"
#include "cli/tracked_processes.h"
#include "control/control_client.h"
#include "options/options.h"
#include "report/json_text.h"
#include "report/printable.h"
#include "report/units.h"

namespace heapgauge::cli {
namespace {

constexpr char kPsDescription[] =
    "Lists the processes that heapgauge tracks and that you may ask: yours, or all as root. Of "
    "each, "
    "the verdict of its newest report and where its reports are.";
constexpr char kPsFooter[] = "Exit status: 0, also when there are none.";

constexpr char kSnapshotDescription[] =
    "Has a process write a report now, and prints the report directory. The reports that come by "
    "themselves go on as before.";
constexpr char kSnapshotFooter[] =
    "Examples:\n"
    "  heapgauge snapshot 4242\n"
    "  heapgauge report \"$(heapgauge snapshot 4242)\"\n\n"
    "Exit status: 0, or 2 if the process can't be asked or could not write it.";

constexpr char kSetDescription[] =
    "Changes settings of a process that runs: SAMPLE_INTERVAL, REPORT_INTERVAL, CPU_BUDGET, START "
    "(on or off: take samples or not) and LOG, as the HEAPGAUGE_* variables of these names.";
constexpr char kSetFooter[] =
    "Examples:\n"
    "  heapgauge set 4242 SAMPLE_INTERVAL=64KiB REPORT_INTERVAL=10s\n"
    "  heapgauge set 4242 start=off\n\n"
    "START=on of a process that was started with HEAPGAUGE_START=off begins tracking as heapgauge "
    "attach does.\n\n"
    "Exit status: 0, or 2 if the process can't be asked or a value is not accepted; those before "
    "it "
    "hold.";

// The report thread may be in the midst of a report, and then makes another one.
constexpr auto kReportPatience = std::chrono::seconds(60);
constexpr auto kSetPatience = std::chrono::seconds(30);

std::string OrDash(const std::string& text) { return text.empty() ? "-" : Printable(text); }

std::string ToText(const std::vector<TrackedProcess>& processes) {
  std::string text =
      fmt::format("{:>8}  {:<10} {:>12} {:>10} {:>10}  {:<8} {:>7}  {}\n", "PID", "USER", "UP",
                  "RSS", "LIVE", "VERDICT", "REPORTS", "PROGRAM  (REPORTS IN)");
  for (const TrackedProcess& process : processes) {
    const std::string up = process.uptime_s ? FormatDuration(*process.uptime_s) : "-";
    const std::string rss =
        process.rss_bytes ? FormatBytes(static_cast<double>(*process.rss_bytes)) : "-";
    const bool known = process.problem.empty() && process.reports > 0;
    const std::string where = !process.problem.empty()    ? "gives no answer: " + process.problem
                              : !process.tracking         ? "tracking is off"
                              : process.directory.empty() ? "no report yet"
                                                          : Printable(process.directory);
    text += fmt::format(
        "{:>8}  {:<10} {:>12} {:>10} {:>10}  {:<8} {:>7}  {}  ({})\n", process.pid,
        OrDash(process.user), up, rss, known ? FormatBytes(process.live_bytes) : "-",
        known ? Printable(process.verdict) : "-", known ? std::to_string(process.reports) : "-",
        OrDash(std::string(Basename(process.exe))), where);
  }
  return text;
}

std::string ToJsonText(const std::vector<TrackedProcess>& processes) {
  JsonText json;
  json.BeginObject().Add("schema", "heapgauge.ps/1").BeginArray("processes");
  for (const TrackedProcess& process : processes) {
    const bool answered = process.problem.empty();
    const bool known = answered && process.reports > 0;
    json.BeginObject()
        .Add("pid", process.pid)
        .Add("exe", process.exe)
        .Add("user", process.user)
        .Add("uptime_s", process.uptime_s)
        .Add("rss_bytes", process.rss_bytes)
        .AddOrNull("problem", !answered, process.problem)
        .AddOrNull("version", answered, process.version)
        .AddOrNull("tracking", answered, process.tracking)
        .AddOrNull("sample_interval_bytes", answered, process.sample_interval_bytes)
        .AddOrNull("report_interval_s", answered, process.report_interval_s)
        .AddOrNull("reports", answered, process.reports)
        .AddOrNull("directory", answered && !process.directory.empty(), process.directory)
        .AddOrNull("verdict", known, process.verdict)
        .AddOrNull("live_bytes", known, process.live_bytes)
        .End();
  }
  json.End().End();
  return json.Take() + "\n";
}

// "sample-interval", "HEAPGAUGE_SAMPLE_INTERVAL" -> "SAMPLE_INTERVAL"
std::string SettingName(std::string name) {
  std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) {
    return c == '-' ? '_' : static_cast<char>(std::toupper(c));
  });
  if (name.starts_with(kOptionPrefix)) name.erase(0, sizeof(kOptionPrefix) - 1);
  return name;
}

std::string UnknownSetting(const std::string& name) {
  if (FindOption(name) != nullptr) return {};
  size_t count = 0;
  const OptionSpec* const specs = OptionSpecs(&count);
  std::vector<std::string> known;
  for (size_t i = 0; i < count; ++i) known.emplace_back(specs[i].suffix);
  return fmt::format("{} is not a setting of heapgauge{}", Printable(name),
                     DidYouMean(name, known));
}

// What the process answers if it agrees; its refusal is an error, too.
absl::StatusOr<ControlAnswer> Ask(pid_t pid, ControlClient* client,
                                  const std::vector<std::string>& question,
                                  std::chrono::milliseconds patience) {
  absl::StatusOr<ControlAnswer> answer = client->Ask(question, patience);
  if (answer.ok() && answer->good) return answer;
  return absl::UnknownError(fmt::format(
      "process {}: {}", pid,
      answer.ok() ? Printable(answer->Value("text")) : std::string(answer.status().message())));
}

// The socket comes with the first sample.
constexpr auto kFirstSample = std::chrono::seconds(5);

bool IsLoaded(pid_t pid) {
  std::ifstream maps(fmt::format("/proc/{}/maps", pid));
  for (std::string line; std::getline(maps, line);) {
    if (line.find("/libheapgauge.so") != std::string::npos) return true;
  }
  return false;
}

}  // namespace

int PsCommand(const Arguments& arguments) {
  std::string format = "text";
  const auto app = MakeApp("heapgauge ps", "[options]", kPsDescription);
  app->footer(kPsFooter);
  app->add_option("--format", format, "text or json")->type_name("text|json");
  if (const auto done = Parse(*app, arguments)) return *done;
  if (format != "text" && format != "json")
    return Fail(fmt::format("--format {}: neither text nor json", Printable(format)));
  const std::vector<TrackedProcess> processes = FindTrackedProcesses();
  if (processes.empty() && format == "text")
    Say("no process is tracked whose control socket you may use (heapgauge run starts one)");
  const std::string text = format == "json" ? ToJsonText(processes) : ToText(processes);
  if (processes.empty() && format == "text") return kExitGood;
  const absl::Status written = WriteOutput("", text);
  return written.ok() ? kExitGood : Fail(written);
}

int SnapshotCommand(const Arguments& arguments) {
  std::string what;
  const auto app = MakeApp("heapgauge snapshot", "PID", kSnapshotDescription);
  app->footer(kSnapshotFooter);
  app->add_option("PID", what, "a process that is tracked");
  if (const auto done = Parse(*app, arguments)) return *done;
  const std::optional<pid_t> pid = ParsePid(what);
  if (!pid) {
    return Fail(what.empty() ? "no PID, e.g. heapgauge snapshot 4242"
                             : fmt::format("{}: not a process's number", Printable(what)));
  }
  absl::StatusOr<ControlClient> client = ControlClient::Connect(*pid);
  if (!client.ok()) return Fail(client.status());
  const absl::StatusOr<ControlAnswer> answer = Ask(*pid, &*client, {"report"}, kReportPatience);
  if (!answer.ok()) return Fail(answer.status());
  Say(fmt::format("report {} of process {}: verdict {}", Printable(answer->Value("sequence")), *pid,
                  Printable(answer->Value("verdict"))));
  const std::string line = answer->Value("directory") + "\n";
  const absl::Status written = WriteOutput("", line);
  return written.ok() ? kExitGood : Fail(written);
}

int SetCommand(const Arguments& arguments) {
  std::string what;
  std::vector<std::string> settings;
  const auto app = MakeApp("heapgauge set", "PID KEY=VALUE...", kSetDescription);
  app->footer(kSetFooter);
  app->add_option("PID", what, "a process that is tracked");
  app->add_option("KEY=VALUE", settings, "what is to change")->expected(-1);
  if (const auto done = Parse(*app, arguments)) return *done;
  const std::optional<pid_t> pid = ParsePid(what);
  if (!pid) {
    return Fail(what.empty() ? "no PID, e.g. heapgauge set 4242 REPORT_INTERVAL=10s"
                             : fmt::format("{}: not a process's number", Printable(what)));
  }
  if (settings.empty()) return Fail("nothing to change: name a setting, e.g. REPORT_INTERVAL=10s");
  std::vector<std::pair<std::string, std::string>> changes;
  for (const std::string& setting : settings) {
    const size_t equals = setting.find('=');
    if (equals == std::string::npos || equals == 0)
      return Fail(fmt::format("{}: not KEY=VALUE, e.g. REPORT_INTERVAL=10s", Printable(setting)));
    changes.emplace_back(SettingName(setting.substr(0, equals)), setting.substr(equals + 1));
    if (const std::string wrong = UnknownSetting(changes.back().first); !wrong.empty())
      return Fail(wrong);
  }
  absl::StatusOr<ControlClient> client = ControlClient::Connect(*pid);
  const auto start =
      std::find(changes.begin(), changes.end(), std::pair<std::string, std::string>("START", "on"));
  if (!client.ok() && start != changes.end() && IsLoaded(*pid)) {
    // One that was told not to sample has no thread that could answer.
    if (const int status = AttachCommand({std::to_string(*pid)}); status != kExitGood)
      return status;
    changes.erase(start);
    if (changes.empty()) return kExitGood;
    const auto end = std::chrono::steady_clock::now() + kFirstSample;
    while (!client.ok() && std::chrono::steady_clock::now() < end) {
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
      client = ControlClient::Connect(*pid);
    }
  }
  if (!client.ok()) return Fail(client.status());
  for (const auto& [name, value] : changes) {
    const auto answer = Ask(*pid, &*client, {"set", name, value}, kSetPatience);
    if (!answer.ok()) return Fail(answer.status());
    Say(fmt::format("process {}: {}={}", *pid, name, Printable(value)));
  }
  return kExitGood;
}

}  // namespace heapgauge::cli
