#include "cli/soak_options.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "cli/message.h"
#include "cli/suggest.h"
#include "options/options.h"
#include "report/printable.h"

namespace heapgauge::cli {
namespace {

constexpr char kSoakDescription[] =
    "Says whether a service leaks under a load. SERVICE runs under heapgauge and LOAD against it, "
    "again and again until the duration is over; the warm-up is left out. The result says how "
    "small a leak it would have seen, too.";

constexpr char kSoakFooter[] =
    "Examples:\n"
    "  heapgauge soak --load 'wrk -d 30 http://127.0.0.1:8080/' --duration 10m -- ./service\n"
    "  heapgauge soak --load 'ab -n 20000 http://127.0.0.1:8080/' --wait-port 8080 \\\n"
    "    --format junit -o soak.xml -- ./service --port 8080\n"
    "  heapgauge soak --load ./one_order.sh --iterations 17 -- ./service\n"
    "  heapgauge soak --load 'redis-benchmark -s /tmp/r -n 200000' --duration 2m -- \\\n"
    "    redis-server --port 0 --unixsocket /tmp/r --save ''\n\n"
    "LOAD is best one that ends by itself every half minute and says how many requests it made.\n"
    "SERVICE's and LOAD's output goes to service.log and load.log beside the reports.\n\n"
    "Exit status: 0 no leak, 1 a leak, 2 wrong usage or nothing could be said, 3 LOAD failed, 4 "
    "SERVICE died or never came up; 126 and 127 SERVICE cannot be run or found; 130 interrupted, "
    "with what was seen until then.";

const std::vector<std::string> kSoakFormats = {"text", "json", "junit", "markdown", "html"};
constexpr double kDefaultDuration = 600;
constexpr double kMostDefaultWarmUp = 300;
constexpr double kDefaultLoadLimit = 300;
constexpr double kDefaultProgress = 300;
constexpr uint64_t kMostIterations = 100'000;
constexpr uint64_t kDefaultConfirm = 256;
constexpr uint64_t kMostParallel = 256;

// What options are read into, as they were typed.
struct Texts {
  std::string duration, warm_up, iterations, confirm, parallel, wait_port, wait_line, wait_command,
      wait_limit, load_limit, stop_limit, requests, sample_interval, progress;
};

bool ReadNumber(const std::string& text, uint64_t least, uint64_t most, uint64_t* number) {
  const char* const end = text.data() + text.size();
  uint64_t value = 0;
  const auto [at, failure] = std::from_chars(text.data(), end, value);
  if (failure != std::errc() || at != end || value < least || value > most) return false;
  *number = value;
  return true;
}

bool ReadSeconds(const std::string& text, double least, double* seconds) {
  uint64_t ns = 0;
  if (!ParseDuration(text.c_str(), &ns)) return false;
  *seconds = static_cast<double>(ns) * 1e-9;
  return *seconds >= least;
}

bool IsPort(const std::string& text) {
  const size_t colon = text.rfind(':');
  uint64_t port = 0;
  return ReadNumber(colon == std::string::npos ? text : text.substr(colon + 1), 1, 65535, &port);
}

std::string WrongWait(const Texts& texts, SoakRequest* request) {
  int given = 0;
  const auto take = [&](const std::string& text, SoakWait wait) {
    if (text.empty()) return;
    ++given;
    request->wait = wait;
    request->wait_for = text;
  };
  take(texts.wait_port, SoakWait::kPort);
  take(texts.wait_line, SoakWait::kLine);
  take(texts.wait_command, SoakWait::kCommand);
  if (given > 1) return "more than one of --wait-port, --wait-line and --wait-command";
  if (request->wait == SoakWait::kPort && !IsPort(request->wait_for))
    return fmt::format("--wait-port {}: not a port from 1 to 65535, nor ADDRESS:PORT",
                       Printable(request->wait_for));
  return {};
}

// Times and counts.
std::string WrongNumber(const Texts& texts, SoakRequest* request) {
  const auto wrong = [](const char* option, const std::string& text, const char* accepted) {
    return fmt::format("{} {}: not {}", option, Printable(text), accepted);
  };
  request->duration_s = kDefaultDuration;
  if (!texts.duration.empty() && !ReadSeconds(texts.duration, 1, &request->duration_s))
    return wrong("--duration", texts.duration, "a time of at least 1s, e.g. 30s, 10m or 8h");
  request->warm_up_s = std::min(request->duration_s / 5, kMostDefaultWarmUp);
  const bool timed = texts.iterations.empty();
  if (timed && !texts.warm_up.empty() && !ReadSeconds(texts.warm_up, 0, &request->warm_up_s))
    return wrong("--warm-up", texts.warm_up, "a time, e.g. 30s or 5m");
  if (request->warm_up_s >= request->duration_s) {
    return fmt::format("--warm-up {}: nothing is left of --duration {}",
                       texts.warm_up.empty() ? "12s" : texts.warm_up,
                       texts.duration.empty() ? "10m" : texts.duration);
  }
  if (!texts.parallel.empty() && !ReadNumber(texts.parallel, 1, kMostParallel, &request->parallel))
    return wrong("--parallel", texts.parallel, "a number from 1 to 256");
  if (!texts.requests.empty() && !ReadNumber(texts.requests, 1, UINT64_MAX, &request->requests))
    return wrong("--requests", texts.requests, "a number of requests");
  if (!texts.wait_limit.empty() && !ReadSeconds(texts.wait_limit, 0.1, &request->wait_limit_s))
    return wrong("--wait-limit", texts.wait_limit, "a time of at least 100ms");
  if (!texts.stop_limit.empty() && !ReadSeconds(texts.stop_limit, 0.1, &request->stop_limit_s))
    return wrong("--stop-limit", texts.stop_limit, "a time of at least 100ms");
  request->load_limit_s = kDefaultLoadLimit;
  if (!texts.load_limit.empty() && !ReadSeconds(texts.load_limit, 0.1, &request->load_limit_s))
    return wrong("--load-limit", texts.load_limit, "a time of at least 100ms");
  request->progress_s = kDefaultProgress;
  if (!texts.progress.empty() && !ReadSeconds(texts.progress, 0, &request->progress_s))
    return wrong("--progress", texts.progress, "a time, e.g. 1m, or 0s for none");
  if (timed && !texts.confirm.empty()) return "--confirm goes with --iterations";
  if (timed) return {};
  if (!ReadNumber(texts.iterations, 2, kMostIterations, &request->asked_iterations))
    return wrong("--iterations", texts.iterations, "a number from 2 to 100000");
  if (!texts.duration.empty())
    return "--iterations counts LOADs: --duration has no meaning beside it";
  request->iterations = PrimeFrom(request->asked_iterations);
  request->cut_iterations = std::clamp<uint64_t>(request->iterations / 5, 2, 10);
  if (!texts.warm_up.empty() &&
      !ReadNumber(texts.warm_up, 1, kMostIterations, &request->cut_iterations)) {
    return wrong("--warm-up", texts.warm_up,
                 "a number of iterations from 1 to 100000, as --iterations wants it");
  }
  request->confirm_runs = kDefaultConfirm;
  if (!texts.confirm.empty() &&
      !ReadNumber(texts.confirm, 0, kMostIterations, &request->confirm_runs)) {
    return wrong("--confirm", texts.confirm, "a number of runs of LOAD from 0 to 100000");
  }
  return {};
}

// What SERVICE's library is told; what the user's environment says of it goes before.
std::string SetVariables(const Texts& texts, SoakRequest* request) {
  const bool exact = request->iterations > 0;
  std::map<std::string, std::string>& variables = request->variables;
  request->report_interval_s =
      exact ? 1 : SoakReportInterval(request->duration_s - request->warm_up_s);
  variables["HEAPGAUGE_REPORT_INTERVAL"] =
      fmt::format("{}ms", std::llround(request->report_interval_s * 1000));
  uint64_t bytes = 0;
  if (!texts.sample_interval.empty() &&
      (!ParseSize(texts.sample_interval.c_str(), &bytes) || bytes == 0)) {
    return fmt::format("--sample-interval {}: not a size from 1 to 1TiB, e.g. 64KiB",
                       Printable(texts.sample_interval));
  }
  const auto set = [&](const char* name, const std::string& value) {
    if (std::getenv(name) == nullptr) variables[name] = value;
  };
  if (exact) {
    variables["HEAPGAUGE_SAMPLE_INTERVAL"] = "1";
    variables["HEAPGAUGE_CPU_BUDGET"] = "100%";
    variables["HEAPGAUGE_CHILDREN"] = "full";  // reports of workers from their first breath on
    set("HEAPGAUGE_MEMORY_LIMIT", "1GiB");
  } else {
    if (!texts.sample_interval.empty()) {
      variables["HEAPGAUGE_SAMPLE_INTERVAL"] = texts.sample_interval;
    } else {
      set("HEAPGAUGE_SAMPLE_INTERVAL", "64KiB");
    }
    set("HEAPGAUGE_CPU_BUDGET", "5%");
  }
  // A soak knows that its load is even and its caches have filled: what grows is no fill, and the
  // report need not wait until it sees that, as it does for what is held.
  set("HEAPGAUGE_HOLDERS", "ask");
  variables["HEAPGAUGE_START"] = "on";
  return {};
}

}  // namespace

uint64_t PrimeFrom(uint64_t number) {
  const auto is_prime = [](uint64_t n) {
    for (uint64_t i = 2; i * i <= n; ++i) {
      if (n % i == 0) return false;
    }
    return n > 1;
  };
  while (!is_prime(number)) ++number;
  return number;
}

double SoakReportInterval(double judged_s) {
  constexpr double kReports = 48;
  constexpr double kLeast = 0.5;
  constexpr double kMost = 60;
  const double interval = std::clamp(judged_s / kReports, kLeast, kMost);
  return std::floor(interval * 10) / 10;
}

std::optional<SoakRequest> ParseSoak(const Arguments& arguments, int* status) {
  const auto app =
      MakeApp("heapgauge soak", "--load LOAD [options] [--] SERVICE [ARG...]", kSoakDescription);
  app->footer(kSoakFooter);
  SoakRequest request;
  Texts texts;
  const auto add = [&](const char* name, std::string& to, const char* type, const char* help) {
    app->add_option(name, to, help)->type_name(type);
  };
  add("--load", request.load, "LOAD", "a command for sh -c, run again whenever it has ended");
  add("--duration", texts.duration, "TIME",
      "how long, the warm-up included (default 10m); what runs of LOAD then is ended");
  add("--warm-up", texts.warm_up, "TIME|N",
      "what is left out at the beginning (default a fifth of the duration, at most 5m); with "
      "--iterations so many of them (default a fifth, 2 to 10)");
  add("--iterations", texts.iterations, "N",
      "exact mode in place of a duration: every allocation; LOAD is run a few times, and then N "
      "times (the next prime number), and what each run leaves behind is named");
  add("--confirm", texts.confirm, "N",
      "with --iterations: before what SERVICE still holds is called a leak, LOAD is run up to N "
      "times more, five minutes at most, for a cache or a ring may only be filling up (default "
      "256; 0: not)");
  add("--parallel", texts.parallel, "N", "so many LOADs at once (default 1)");
  add("--requests", texts.requests, "N",
      "requests in one LOAD; without it LOAD's output is asked (ab, wrk, k6, pgbench, "
      "redis-benchmark, or a line \"123 requests\")");
  add("--wait-port", texts.wait_port, "[ADDRESS:]PORT",
      "SERVICE is up when it can be connected to; default: when it listens anywhere");
  add("--wait-line", texts.wait_line, "TEXT", "SERVICE is up when it prints a line with TEXT");
  add("--wait-command", texts.wait_command, "CMD",
      "SERVICE is up when CMD, for sh -c, has exit status 0");
  add("--wait-limit", texts.wait_limit, "TIME", "how long to wait for that (default 60s)");
  add("--load-limit", texts.load_limit, "TIME",
      "with --iterations: the longest a LOAD may take (default 5m)");
  add("--stop-limit", texts.stop_limit, "TIME",
      "how long SERVICE may take to end after SIGTERM (default 10s)");
  add("--sample-interval", texts.sample_interval, "SIZE",
      "mean bytes between samples (default 64KiB); smaller ones see smaller leaks");
  add("--progress", texts.progress, "TIME",
      "where standard error is no terminal: a line so often that says how far it has come (default "
      "5m; 0s: none)");
  add("--reports", request.reports, "DIR",
      "a new directory for reports, logs and soak.json (default heapgauge-soak.NAME.PID)");
  add("--baseline", request.baseline, "DIR",
      "that directory of an earlier soak: what it leaked as fast already is no failure");
  add("-f,--format", request.format, "FORMAT", "text (default), json, junit, markdown or html");
  add("-o,--output", request.output, "FILE",
      "write the result to FILE, whole or not at all; - is standard output");

  const auto fail = [&](const std::string& text) {
    *status = Fail(text + " (see heapgauge soak --help)");
    return std::nullopt;
  };
  const Split split = SplitAtCommand(*app, arguments);
  const auto at = [&](size_t i) { return arguments.begin() + static_cast<std::ptrdiff_t>(i); };
  if (const auto done = Parse(*app, Arguments(arguments.begin(), at(split.options_end)))) {
    *status = *done;
    return std::nullopt;
  }
  request.service.assign(at(split.command_begin), arguments.end());
  if (std::find(kSoakFormats.begin(), kSoakFormats.end(), request.format) == kSoakFormats.end()) {
    return fail(fmt::format("--format {}: not text, json, junit, markdown or html{}",
                            Printable(request.format), DidYouMean(request.format, kSoakFormats)));
  }
  if (request.load.find_first_not_of(" \t\n") == std::string::npos)
    return fail("no --load: name the command that puts SERVICE to work");
  if (request.service.empty())
    return fail("no SERVICE to run: heapgauge soak --load LOAD [options] [--] SERVICE [ARG...]");
  if (const std::string wrong = WrongNumber(texts, &request); !wrong.empty()) return fail(wrong);
  if (const std::string wrong = WrongWait(texts, &request); !wrong.empty()) return fail(wrong);
  if (const std::string wrong = SetVariables(texts, &request); !wrong.empty()) return fail(wrong);
  return request;
}

}  // namespace heapgauge::cli
