#include "cli/top_command.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "cli/message.h"
#include "cli/output_file.h"
#include "cli/suggest.h"
#include "cli/top_screen.h"
#include "cli/top_table.h"
#include "control/control_client.h"
#include "options/options.h"
#include "report/json_reader.h"
#include "report/printable.h"

namespace heapgauge::cli {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr char kTopDescription[] =
    "Watches the call sites of a process: verdict, live bytes, growth. On a terminal it fills the "
    "screen (g growth, l live, n name, r rank: the order; q quits), else it prints a table at each "
    "look. A look is not stored: the process's own reports go on as before.";
constexpr char kTopFooter[] =
    "Examples:\n"
    "  heapgauge top 4242\n"
    "  heapgauge top 4242 --count 1 --sort growth\n\n"
    "Exit status: 0, also when the process has ended meanwhile; 2 if it can't be asked.";
constexpr char kKeys[] = "g growth  l live  n name  r rank  q quit";

constexpr auto kLookPatience = std::chrono::seconds(15);
constexpr milliseconds kLeastDelay{100};
constexpr size_t kPlainRows = 23;

const std::vector<std::string> kOrders = {"rank", "growth", "live", "name"};

struct TopRequest {
  pid_t pid = 0;
  milliseconds delay{1000};
  uint64_t count = 0;  // 0: until it ends
  bool plain = false;
  TopOrder order = TopOrder::kRank;
};

// nullopt with the exit status in *status.
std::optional<TopRequest> ReadArguments(const Arguments& arguments, int* status) {
  TopRequest request;
  std::string what;
  std::string delay = "1s";
  std::string count;
  std::string order = "rank";
  const auto app = MakeApp("heapgauge top", "PID [options]", kTopDescription);
  app->footer(kTopFooter);
  app->add_option("PID", what, "a process that is tracked");
  app->add_option("-d,--delay", delay, "time between looks, at least 100ms")->type_name("TIME");
  app->add_option("-n,--count", count, "so many looks, then end")->type_name("N");
  app->add_option("--sort", order, "rank, growth, live or name")
      ->type_name("rank|growth|live|name");
  app->add_flag("--plain", request.plain, "plain lines on a terminal, too");
  if (const auto done = Parse(*app, arguments)) {
    *status = *done;
    return std::nullopt;
  }
  const auto fail = [&](const std::string& text) {
    *status = Fail(text);
    return std::nullopt;
  };
  const std::optional<pid_t> pid = ParsePid(what);
  if (!pid) {
    return fail(what.empty() ? "no PID, e.g. heapgauge top 4242; heapgauge ps lists them"
                             : fmt::format("{}: not a process's number", Printable(what)));
  }
  request.pid = *pid;
  uint64_t ns = 0;
  if (!ParseDuration(delay.c_str(), &ns) || ns < uint64_t{100} * 1'000'000)
    return fail(fmt::format("--delay {}: not a time of at least 100ms", Printable(delay)));
  request.delay = milliseconds(ns / 1'000'000);
  const char* const end = count.data() + count.size();
  if (!count.empty()) {
    const auto [at, failure] = std::from_chars(count.data(), end, request.count);
    if (failure != std::errc() || at != end || request.count == 0)
      return fail(fmt::format("--count {}: not a number of looks", Printable(count)));
  }
  const auto found = std::find(kOrders.begin(), kOrders.end(), order);
  if (found == kOrders.end()) {
    return fail(fmt::format("--sort {}: not rank, growth, live or name{}", Printable(order),
                            DidYouMean(order, kOrders)));
  }
  request.order = static_cast<TopOrder>(found - kOrders.begin());
  return request;
}

std::optional<TopOrder> OrderOf(int key) {
  switch (key) {
    case 'r':
      return TopOrder::kRank;
    case 'g':
      return TopOrder::kGrowth;
    case 'l':
      return TopOrder::kLive;
    case 'n':
      return TopOrder::kName;
    default:
      return std::nullopt;
  }
}

class Top final {
 public:
  Top(const TopRequest& request, ControlClient client)
      : request_(request), client_(std::move(client)) {
    if (!request.plain && TopScreen::IsUsable()) screen_ = std::make_unique<TopScreen>();
  }

  int Run() {
    for (uint64_t looks = 0; !quit_ && (request_.count == 0 || looks < request_.count); ++looks) {
      if (looks > 0 && !Wait()) break;
      if (!Look()) break;
      Show();
      if (!written_.ok()) break;
    }
    screen_ = nullptr;
    if (!written_.ok()) return Fail(written_);
    if (!problem_.empty()) Say(fmt::format("process {}: {}", request_.pid, problem_));
    return seen_ || problem_.empty() ? kExitGood : kExitUsage;
  }

 private:
  bool Look() {
    next_ = Clock::now() + request_.delay;
    const auto answer = client_.Ask({"look"}, kLookPatience);
    if (!answer.ok()) {
      problem_ = std::string(answer.status().message());
      return false;
    }
    if (!answer->good) {
      problem_ = Printable(answer->Value("text"));
      return false;
    }
    std::string wrong;
    std::optional<Report> report = FromJson(client_.attached(), &wrong);
    if (!report) {
      problem_ = "its report can't be read: " + Printable(wrong);
      return false;
    }
    const bool is_new = !seen_ || report->uptime_s != report_.uptime_s;
    report_ = std::move(*report);
    if (is_new) history_.Add(report_);
    age_s_ = std::strtod(answer->Value("age_ms").c_str(), nullptr) / 1e3;
    seen_ = true;
    return true;
  }

  void Show() {
    TopStyle style{.order = request_.order, .age_s = age_s_};
    if (screen_ != nullptr) {
      style.columns = screen_->columns();
      style.rows = screen_->rows() - 1;  // the keys
      style.ascii = screen_->ascii();
      screen_->Show(TopLines(report_, history_, style), kKeys);
      return;
    }
    style.columns = TerminalWidth();
    style.rows = kPlainRows;
    std::string text = report_.time + "\n";
    for (const TopLine& line : TopLines(report_, history_, style)) text += line.text + "\n";
    written_ = WriteOutput("", text + "\n");
  }

  // Until the next look; false: quit.
  bool Wait() {
    if (screen_ == nullptr) {
      std::this_thread::sleep_until(next_);
      return true;
    }
    for (;;) {
      const auto left = std::chrono::duration_cast<milliseconds>(next_ - Clock::now());
      if (left <= milliseconds(0)) return true;
      const int key = screen_->Key(left);
      if (key == 'q' || key == 'Q') {
        quit_ = true;
        return false;
      }
      if (const auto order = OrderOf(key)) request_.order = *order;
      if (key != 0) Show();
    }
  }

  TopRequest request_;
  ControlClient client_;
  std::unique_ptr<TopScreen> screen_;
  TopHistory history_;
  Report report_;
  double age_s_ = 0;  // of report_, where the process had none newer
  Clock::time_point next_;
  bool seen_ = false;
  bool quit_ = false;
  absl::Status written_;
  std::string problem_;
};

}  // namespace

int TopCommand(const Arguments& arguments) {
  int status = kExitGood;
  const std::optional<TopRequest> request = ReadArguments(arguments, &status);
  if (!request) return status;
  absl::StatusOr<ControlClient> client = ControlClient::Connect(request->pid);
  if (!client.ok()) return Fail(client.status());
  return Top(*request, *std::move(client)).Run();
}

}  // namespace heapgauge::cli
