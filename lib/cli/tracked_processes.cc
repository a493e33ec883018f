#include "cli/tracked_processes.h"

#include <pwd.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "base/clock.h"
#include "base/proc_stat.h"
#include "control/control_client.h"

namespace heapgauge::cli {
namespace {

constexpr auto kPatience = std::chrono::milliseconds(2000);

std::string Proc(pid_t pid, const char* rest) { return "/proc/" + std::to_string(pid) + rest; }

std::optional<double> UptimeOf(pid_t pid) {
  std::ifstream file(Proc(pid, "/stat"), std::ios::binary);
  const std::string stat((std::istreambuf_iterator<char>(file)), {});
  const char* const field = StatField(stat.c_str(), kStartTimeField);
  if (*field == '\0') return std::nullopt;
  const double started_s = static_cast<double>(std::strtoull(field, nullptr, 10)) /
                           static_cast<double>(sysconf(_SC_CLK_TCK));
  return std::max(0.0, static_cast<double>(ClockNs(CLOCK_BOOTTIME)) * 1e-9 - started_s);
}

std::optional<uint64_t> RssOf(pid_t pid) {
  std::ifstream file(Proc(pid, "/statm"));
  uint64_t size = 0;
  uint64_t resident = 0;
  if (!(file >> size >> resident)) return std::nullopt;
  return resident * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
}

std::string UserOf(pid_t pid) {
  struct stat status {};
  if (stat(Proc(pid, "").c_str(), &status) != 0) return {};
  const passwd* const user = getpwuid(status.st_uid);
  return user != nullptr ? user->pw_name : std::to_string(status.st_uid);
}

template <typename Number>
Number NumberIn(const std::string& text) {
  Number number{};
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

void TakeAnswer(const ControlAnswer& answer, TrackedProcess* process) {
  process->exe = answer.Value("exe");
  process->version = answer.Value("version");
  process->tracking = answer.Value("tracking") == "on";
  process->sample_interval_bytes = NumberIn<uint64_t>(answer.Value("sample_interval"));
  process->report_interval_s = NumberIn<double>(answer.Value("report_interval_ns")) * 1e-9;
  process->reports = NumberIn<uint64_t>(answer.Value("sequence"));
  process->directory = answer.Value("directory");
  process->verdict = answer.Value("verdict");
  process->live_bytes = NumberIn<double>(answer.Value("live_bytes"));
}

}  // namespace

std::vector<TrackedProcess> FindTrackedProcesses() {
  struct Asked {
    ControlClient client;
    TrackedProcess process;
  };
  std::vector<Asked> asked;
  for (const std::string& path : FindControlSockets()) {
    std::optional<ControlClient> client = ControlClient::Connect(path);
    if (!client || client->peer() == 0) continue;
    Asked one{std::move(*client), {}};
    TrackedProcess& process = one.process;
    process.pid = one.client.peer();
    process.user = UserOf(process.pid);
    process.uptime_s = UptimeOf(process.pid);
    process.rss_bytes = RssOf(process.pid);
    std::error_code ignored;
    process.exe = std::filesystem::read_symlink(Proc(process.pid, "/exe"), ignored).string();
    if (const absl::Status sent = one.client.Send({"hello"}); !sent.ok())
      process.problem = std::string(sent.message());
    asked.push_back(std::move(one));
  }
  const auto until = std::chrono::steady_clock::now() + kPatience;
  std::vector<TrackedProcess> processes;
  for (Asked& one : asked) {
    if (one.process.problem.empty()) {
      const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
          until - std::chrono::steady_clock::now());
      const auto answer = one.client.Receive(std::max(left, std::chrono::milliseconds(0)));
      if (answer.ok() && answer->good) {
        TakeAnswer(*answer, &one.process);
      } else {
        one.process.problem =
            answer.ok() ? answer->Value("text") : std::string(answer.status().message());
      }
    }
    processes.push_back(std::move(one.process));
  }
  std::sort(processes.begin(), processes.end(),
            [](const TrackedProcess& a, const TrackedProcess& b) { return a.pid < b.pid; });
  return processes;
}

}  // namespace heapgauge::cli
