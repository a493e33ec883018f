#include <catch2/catch.hpp>
#include <cmath>
#include <string>
#include <string_view>
#include <vector>

#include "cli/soak_holders.h"
#include "cli/soak_judge.h"
#include "cli/soak_load.h"
#include "cli/soak_options.h"
#include "cli/soak_power.h"
#include "cli/soak_progress.h"
#include "cli/soak_verdict.h"
#include "cli/soak_writers.h"

namespace heapgauge::cli {
namespace {

constexpr double kInterval = 65536;

// A process that reports once a second from 1 to 100, with one call site whose live bytes and bytes
// allocated so far are given by time.
template <typename Live, typename Allocated>
SoakProcess Worker(int64_t pid, Live live, Allocated allocated, const char* verdict = "warming") {
  SoakProcess process;
  process.pid = pid;
  process.exe = "/usr/sbin/worker";
  for (int second = 1; second <= 100; ++second) {
    SoakPoint point;
    point.time_s = second;
    point.interval_bytes = kInterval;
    const double bytes = live(second);
    point.sites["id"] = {bytes, std::sqrt(bytes * kInterval), bytes / 1024, allocated(second)};
    process.points.push_back(point);
  }
  Callsite callsite;
  callsite.sum.id = "id";
  callsite.sum.verdict = verdict;
  Frame frame;
  frame.function = "Keep";
  callsite.sum.frames = {frame};
  process.newest.callsites = {callsite};
  process.newest.verdict = "ok";
  return process;
}

SoakResult Judged(const std::vector<SoakProcess>& processes) {
  SoakResult result;
  JudgeSoak(processes, {20, 100, 1, std::nullopt}, &result);
  return result;
}

TEST_CASE("the iterations of a soak are a prime number", "[cli][soak]") {
  for (const auto& [asked, prime] :
       {std::pair{2, 2}, {4, 5}, {17, 17}, {18, 19}, {100, 101}, {7917, 7919}}) {
    CHECK(PrimeFrom(static_cast<uint64_t>(asked)) == static_cast<uint64_t>(prime));
  }
}

TEST_CASE("a soak of any length has the reports that a verdict takes", "[cli][soak]") {
  for (double judged = 12; judged < 10 * 86400; judged *= 1.3)
    CHECK(SamplesToSee(judged / SoakReportInterval(judged)).has_value());
}

TEST_CASE("what load generators say of their requests is understood", "[cli][soak]") {
  CHECK(RequestsIn("Complete requests:      2500") == 2500);
  CHECK(RequestsIn("  123456 requests in 10.02s, 15.30MB read") == 123456);
  CHECK(RequestsIn("     http_reqs......................: 1,234   20.5/s") == 1234);
  CHECK(RequestsIn("number of transactions actually processed: 720/720") == 720);
  CHECK(RequestsIn("  100000 requests completed in 1.20 seconds") == 100000);
  CHECK(RequestsIn("checkout_load: 5990 of 6000 requests in 20.0 s (299.5/s), 0 errors") == 5990);
  for (const char* other :
       {"", "requests", "Completed 250 requests", "Finished 2500 requests", "no requests",
        "12 requests/s", "http_req_duration: 3ms", "Requests/sec:  299.1", " requests 12",
        "99999999999999999999999999 requests", "SET: 74349.44 requests per second, p50=0.287 msec",
        "  throughput summary: 5000 requests per second", "12.5 requests"}) {
    INFO(other);
    CHECK(!RequestsIn(other));
  }
}

TEST_CASE("a narrow terminal has whole figures of a soak's progress", "[cli][soak]") {
  constexpr double kMebibyte = 1024 * 1024;
  const SoakMoment moment = {"judging",       754,      119 * kMebibyte, 92.25 * kMebibyte,
                             3.5 * kMebibyte, "growing"};
  CHECK(SoakProgressLine(moment, 100) ==
        "soak: judging, 12 min 34 s left | RSS 119 MiB | live 92.2 MiB, +3.50 MiB/s | growing");
  CHECK(SoakProgressLine(moment, 72) ==
        "soak: judging, 12 min 34 s left | live 92.2 MiB, +3.50 MiB/s | growing");
  CHECK(SoakProgressLine(moment, 60) == "soak: judging, 12 min 34 s left | growing");
  for (size_t width = 0; width < 100; ++width)
    CHECK(SoakProgressLine(moment, width).size() <= width);
  SoakMoment first = {"waiting for SERVICE", 60, 3 * kMebibyte, 0, 0, ""};
  CHECK(SoakProgressLine(first, 79) == "soak: waiting for SERVICE, 1 min left | RSS 3.00 MiB");
}

TEST_CASE("where a service's resident memory went adds up", "[cli][soak]") {
  SoakPoint point;
  point.rss_bytes = 100;
  point.live_bytes = 60;
  point.rounding_bytes = 20;
  point.retained_bytes = 5;
  SoakResult result;
  AddMemory(&point, &result.before);
  point.live_bytes = 90;  // of it some was never touched
  AddMemory(&point, &result.after);
  const std::vector<SoakMemoryRow> rows = SoakMemoryRows(result);
  const auto row = [&](std::string_view name) {
    for (const SoakMemoryRow& one : rows) {
      if (one.name == name) return one;
    }
    return SoakMemoryRow{"", -1, -1};
  };
  CHECK(row("headers, rounding").before == 20);
  CHECK(row("stacks, code, mappings").before == 15);
  CHECK(row("stacks, code, mappings").after == 0);
  CHECK(row("of it not resident").before == 0);
  CHECK(row("of it not resident").after == 15);
  const std::string text = SoakToText(result, 80, false);
  CHECK(text.find("headers, rounding") != std::string::npos);
  CHECK(text.find("of it not resident") != std::string::npos);
}

TEST_CASE("a soak that ends in its warm-up tells what was seen until then", "[cli][soak]") {
  const std::vector<SoakProcess> processes = {Worker(
      1, [](double s) { return s * 1e6; }, [](double s) { return s * 1e7; }, "leak")};
  SoakRequest request;
  request.duration_s = 1000;
  request.report_interval_s = 1;
  SoakCourse course;
  course.end = SoakEnd::kInterrupted;
  course.loaded_s = 80;
  course.from_s = 200;  // it would have been
  course.to_s = 100;
  SoakResult result;
  ConcludeSoak(
      request, course, processes, nullptr, [] {}, &result);
  CHECK(result.status == kSoakInterrupted);
  REQUIRE(result.leaks.size() == 1);
  CHECK(result.leaks[0].growth_bytes == Approx(80e6));
  CHECK(!result.power);
  const std::string text = SoakToText(result, 100, false);
  CHECK(text.find("Until then 1 call site leaked.") != std::string::npos);
  CHECK(text.find("the warm-up was not over") != std::string::npos);
}

TEST_CASE("what grows and is lost leaks", "[cli][soak]") {
  SoakResult result;
  for (const double lost_low : {0.0, 0.9, 0.3}) {
    SoakFinding finding;
    finding.verdict = "growing";
    finding.place = "Lose";
    finding.lost_low = lost_low;
    result.growing.push_back(finding);
  }
  TakeLostForLeaks(&result);
  REQUIRE(result.leaks.size() == 1);
  CHECK(result.leaks[0].verdict == "leak");
  CHECK(result.leaks[0].confidence == 0.9);
  REQUIRE(result.growing.size() == 2);
  CHECK(result.growing[1].lost_low == 0.3);
}

TEST_CASE("a longer soak, more requests and a smaller interval see smaller leaks", "[cli][soak]") {
  const auto power = [](double judged, double interval, double requests) {
    return PowerOf(judged, judged / 48, interval, requests);
  };
  CHECK(power(3600, kInterval, 1000)->bytes_per_h > power(7200, kInterval, 1000)->bytes_per_h);
  CHECK(power(3600, kInterval, 1000)->bytes_per_h > power(3600, kInterval / 2, 1000)->bytes_per_h);
  CHECK(*power(3600, kInterval, 1000)->bytes_per_request >
        *power(3600, kInterval, 2000)->bytes_per_request);
  CHECK(!PowerOf(3600, 600, kInterval, 1000));  // six reports
  CHECK(!PowerOf(5, 0.1, kInterval, 1000));     // five seconds
  const double bound = power(3600, kInterval, 1)->bytes_per_h;
  CHECK(SecondsToSee(bound, kInterval) == Approx(3600));
  double before = 1e9;
  for (double reports = 20; reports < 200; reports += 1.7) {
    const double samples = SamplesToSee(reports).value_or(0);
    CHECK(samples > 8);
    CHECK(samples <= before);
    before = samples;
  }
}

// The same, with other call sites that allocate `others(t)` in all.
template <typename Live, typename Others>
SoakProcess Growing(Live live, Others others) {
  SoakProcess process = Worker(1, live, live, "growing");
  process.newest.callsites[0].sum.live_bytes = live(100);
  process.newest.callsites[0].sum.live_objects = live(100) / 1024;
  for (SoakPoint& point : process.points)
    point.allocated_bytes = live(point.time_s) + others(point.time_s);
  return process;
}

TEST_CASE("a leak keeps pace with a load that slows down, and a cache does not", "[cli][soak]") {
  // Requests so far, of a load that falls from 1000 a second to a tenth of it.
  const auto slowing = [](double t) { return 1000 * 43 * (1 - std::exp(-t / 43)); };
  const auto work = [&](double t) { return 30e3 * slowing(t); };
  const auto leak = Growing([&](double t) { return 400 * slowing(t); }, work);
  const SoakResult found = Judged({leak});
  REQUIRE(found.leaks.size() == 1);
  CHECK(found.growing.empty());
  CHECK(found.leaks[0].evidence.find("keeps pace") != std::string::npos);
  for (const double keys : {3000.0, 8000.0, 15000.0}) {
    INFO("a cache of " << keys << " keys");
    const auto cache =
        Growing([&](double t) { return 2000 * keys * (1 - std::exp(-slowing(t) / keys)); }, work);
    CHECK(Judged({cache}).leaks.empty());
  }
  // Filled by the start, beside work that slows down all the same.
  CHECK(Judged({Growing([&](double t) { return 20e6 * std::min(1.0, t / 60); }, work)})
            .leaks.empty());
  // A load that does not slow down is the library's to judge.
  CHECK(Judged({Growing([&](double t) { return 4e5 * t; }, [](double t) { return 3e7 * t; })})
            .leaks.empty());
  // Nothing else is allocated: there is nothing to keep pace with.
  CHECK(Judged({Growing([&](double t) { return 400 * slowing(t); }, [](double) { return 0.0; })})
            .leaks.empty());
  // Too few samples.
  CHECK(Judged({Growing([&](double t) { return 60 * slowing(t); }, work)}).leaks.empty());
}

TEST_CASE("a leak too small in each worker is seen in their sum", "[cli][soak]") {
  const auto allocated = [](double t) { return t * 1e6; };
  std::vector<SoakProcess> leaking;
  std::vector<SoakProcess> filling;
  std::vector<SoakProcess> lumps;
  std::vector<SoakProcess> steady;
  for (int pid = 1; pid <= 8; ++pid) {
    leaking.push_back(Worker(
        pid, [](double t) { return t * 12e3; }, allocated));
    filling.push_back(Worker(
        pid, [](double t) { return 12e5 * (1 - std::exp(-t / 30)); }, allocated));
    lumps.push_back(Worker(
        pid, [](double t) { return t < 70 ? 1e5 : 12e5; }, allocated));
    steady.push_back(Worker(
        pid, [](double) { return 12e5; }, allocated));
  }
  const SoakResult result = Judged(leaking);
  REQUIRE(result.leaks.size() == 1);
  CHECK(result.leaks[0].together);
  CHECK(result.leaks[0].pids.size() == 8);
  CHECK(result.leaks[0].growth_bytes == Approx(8 * 80 * 12e3));
  CHECK(Judged(filling).leaks.empty());
  CHECK(Judged(lumps).leaks.empty());
  CHECK(Judged(steady).leaks.empty());
  // One alone has too little for that, and says so itself when it has enough.
  CHECK(Judged({leaking[0]}).leaks.empty());
}

TEST_CASE("workers that keep more because more is asked of them do not leak", "[cli][soak]") {
  std::vector<SoakProcess> processes;
  for (int pid = 1; pid <= 8; ++pid) {
    processes.push_back(Worker(
        pid, [](double t) { return t * 12e3; }, [](double t) { return t * t * 1e4; }));
  }
  CHECK(Judged(processes).leaks.empty());
}

TEST_CASE("a leak that stopped with the warm-up is none of the judged part", "[cli][soak]") {
  const auto allocated = [](double t) { return t * 1e6; };
  const auto stops = [](double t) { return std::min(t, 19.0) * 1e6; };
  const auto goes_on = [](double t) { return t * 1e6; };
  CHECK(Judged({Worker(1, stops, allocated, "leak")}).leaks.empty());
  const SoakResult result = Judged({Worker(1, goes_on, allocated, "leak")});
  REQUIRE(result.leaks.size() == 1);
  CHECK(result.leaks[0].growth_bytes == Approx(80e6));
  CHECK(result.leaks[0].bytes_per_h == Approx(80e6 * 45));
}

// `further`: what there is after each 16 runs of LOAD more.
SoakResult Iterated(const std::vector<double>& objects, const std::vector<pid_t>& alive = {1},
                    const std::vector<double>& further = {}) {
  SoakProcess process = Worker(
      1, [](double) { return 0.0; }, [](double) { return 0.0; });
  process.points.clear();
  std::vector<double> marks;
  std::vector<SoakMore> more;
  const auto add = [&](double count) {
    SoakPoint point;
    point.time_s = static_cast<double>(process.points.size());
    point.interval_bytes = 1;
    point.sites["id"] = {count * 32, 0, count, 0};
    process.points.push_back(point);
    return point.time_s + 0.5;
  };
  for (const double count : objects) marks.push_back(add(count));
  for (const double count : further) more.push_back({add(count), 16 * (more.size() + 1)});
  process.newest.sampling.interval_bytes = 1;
  SoakResult result;
  JudgeIterations({process}, marks, more, alive, &result);
  return result;
}

TEST_CASE("what each iteration leaves is named with its number", "[cli][soak]") {
  const SoakResult one = Iterated({5, 6, 7, 8, 9, 10, 11, 12});
  REQUIRE(one.leaks.size() == 1);
  CHECK(one.leaks[0].objects_each == 1);
  CHECK(one.leaks[0].growth_objects == 7);
  CHECK(one.leaks[0].evidence.find("7 objects kept by 7 iterations") == 0);
  CHECK(Iterated({0, 3, 6, 9, 12, 15, 18, 21}).leaks.at(0).objects_each == 3);
  // Each leaves some, not always as many.
  CHECK(Iterated({0, 3, 4, 9, 12, 15, 18, 20}).leaks.size() == 1);
}

TEST_CASE("what some iterations leave is no leak", "[cli][soak]") {
  CHECK(Iterated({5, 5, 5, 5, 5, 5, 5, 5}).leaks.empty());
  CHECK(Iterated({5, 6, 5, 6, 5, 6, 5, 6}).leaks.empty());
  CHECK(Iterated({0, 2, 3, 4, 4, 4, 4, 4}).leaks.empty());
  CHECK(Iterated({0, 2, 3, 4, 4, 4, 4, 4}).growing.size() == 1);
  CHECK(Iterated({9, 8, 7, 6, 5, 4, 3, 2}).leaks.empty());
  // Of a process that has ended nothing is left.
  CHECK(Iterated({5, 6, 7, 8, 9, 10, 11, 12}, {2}).leaks.empty());
}

TEST_CASE("what fills up and then grows no more is no leak, and is noted", "[cli][soak]") {
  const SoakResult ring = Iterated({5, 6, 7, 8, 9, 10, 11, 12}, {1}, {28, 44, 50, 50});
  CHECK(ring.leaks.empty());
  CHECK(ring.growing.empty());
  CHECK(ring.more_runs == 64);
  REQUIRE(ring.notes.size() == 1);
  INFO(ring.notes[0]);
  CHECK(ring.notes[0].find("keeps grew by each iteration and no longer after 64 more runs") !=
        std::string::npos);
  // Three of the last 16 runs filled it.
  CHECK(Iterated({5, 6, 7, 8, 9, 10, 11, 12}, {1}, {28, 31}).leaks.empty());
  // It goes on, or slows down only.
  const SoakResult leak = Iterated({5, 6, 7, 8, 9, 10, 11, 12}, {1}, {28, 44, 60, 76});
  REQUIRE(leak.leaks.size() == 1);
  CHECK(leak.leaks[0].growth_objects == 7);
  CHECK(leak.leaks[0].evidence.find("; 64 more by 64 runs after those") != std::string::npos);
  CHECK(Iterated({5, 6, 7, 8, 9, 10, 11, 12}, {1}, {28, 36}).leaks.size() == 1);
  // Not as many by each, and full as well.
  CHECK(Iterated({0, 2, 3, 4, 4, 4, 4, 4}, {1}, {4}).growing.empty());
}

TEST_CASE("names in a soak's result can break none of its formats", "[cli][soak]") {
  SoakResult result;
  result.service = "a <b> & \"c\" ]]> | `d`";
  result.status = kSoakLeak;
  result.verdict = "leak";
  SoakFinding finding;
  finding.verdict = "leak";
  finding.place = "operator<< <T&&> | `x` \x1b[2J";
  finding.evidence = "\x01\x02 <script>";
  finding.program = "</pre><script>";
  result.leaks = {finding};
  for (const std::string& text : {SoakToJunit(result), SoakToHtml(result)}) {
    CHECK(text.find("<script>") == std::string::npos);
    CHECK(text.find("<T&&>") == std::string::npos);
    CHECK(text.find('\x1b') == std::string::npos);
    CHECK(text.find('\x01') == std::string::npos);
  }
  CHECK(SoakToMarkdown(result).find("&> | `x` | +") == std::string::npos);
  CHECK(SoakToMarkdown(result).find("summary>operator<<") == std::string::npos);
}

}  // namespace
}  // namespace heapgauge::cli
