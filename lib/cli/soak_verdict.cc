#include "cli/soak_verdict.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "cli/soak_holders.h"
#include "cli/soak_judge.h"
#include "cli/soak_power.h"
#include "report/units.h"

namespace heapgauge::cli {
namespace {

constexpr double kIdleCpu = 0.01;  // of a core: a SERVICE that nobody asks anything
constexpr double kSilentReports = 5;
constexpr double kSilent = 3;  // s
constexpr size_t kLeastMarks = 3;

// Of the judged part, from what LOADs said, or the LOADs themselves.
void CountRequests(const SoakRequest& request, const SoakCourse& course, double judged_s,
                   SoakResult* result) {
  if (course.loaded_s <= 0 || judged_s <= 0) return;
  if (request.requests > 0) {
    result->requests =
        static_cast<double>(request.requests * course.load_runs) * judged_s / course.loaded_s;
    if (course.load_runs == 0) result->requests.reset();
  } else if (course.requests > 0 && course.requests_s > 0) {
    result->requests = course.requests / course.requests_s * judged_s;
  } else if (course.load_runs > 0) {
    result->requests = static_cast<double>(course.load_runs) * judged_s / course.loaded_s;
    result->requests_are_loads = true;
  }
}

void Set(SoakResult* result, int status, const char* verdict, std::string sentence) {
  result->status = status;
  result->verdict = verdict;
  result->sentence = std::move(sentence);
}

// What has happened leaves nothing to be judged.
bool WentWrong(const SoakCourse& course, SoakResult* result) {
  result->output = course.output;
  switch (course.end) {
    case SoakEnd::kGood:
      return false;
    case SoakEnd::kNotUp:
      Set(result, kSoakServiceDied, "service not up", course.sentence);
      result->advice = "--wait-limit gives it more time.";
      break;
    case SoakEnd::kServiceDied:
      Set(result, kSoakServiceDied, "service died", course.sentence);
      break;
    case SoakEnd::kLoadFailed:
      Set(result, kSoakLoadFailed, "load failed", course.sentence);
      break;
    case SoakEnd::kLoadHangs:
      Set(result, kSoakLoadFailed, "load failed", course.sentence);
      break;
    case SoakEnd::kInterrupted:
      Set(result, kSoakInterrupted, "interrupted", course.sentence);
      break;
  }
  if (!result->leaks.empty())
    result->advice +=
        fmt::format("{}Until then {} call {} leaked.", result->advice.empty() ? "" : " ",
                    result->leaks.size(), result->leaks.size() == 1 ? "site" : "sites");
  return true;
}

// A process that lives and has not been heard of for some reports.
const SoakProcess* Silent(const SoakCourse& course, const std::vector<SoakProcess>& processes,
                          const SoakWindow& window) {
  const double since = window.to_s - std::max(kSilentReports * window.report_interval_s, kSilent);
  for (const pid_t pid : course.alive) {
    const SoakProcess* last = nullptr;
    for (const SoakProcess& process : processes) {
      if (process.pid == pid) last = &process;
    }
    if (last != nullptr && !last->points.empty() && last->points.back().time_s < since) return last;
  }
  return nullptr;
}

bool NoReports(const SoakCourse& course, const std::vector<SoakProcess>& processes,
               const SoakWindow& window, SoakResult* result) {
  const bool any = std::any_of(processes.begin(), processes.end(), [&](const SoakProcess& process) {
    return !process.points.empty() && process.points.back().time_s > window.from_s;
  });
  const SoakProcess* const silent = Silent(course, processes, window);
  if (any && silent == nullptr) return false;
  Set(result, kSoakUnknown, "nothing to judge",
      processes.empty() ? "No process of SERVICE wrote a report."
      : !any
          ? "No process of SERVICE wrote a report after the warm-up."
          : fmt::format("Process {} of SERVICE lives, and its reports stopped {} before "
                        "the end.",
                        silent->pid, FormatDuration(window.to_s - silent->points.back().time_s)));
  result->advice = fmt::format(
      "{}Was there room on the disk, and may SERVICE write below the directory named here? "
      "service.log has what heapgauge said.",
      processes.empty() ? "A program that allocates next to nothing writes none (--sample-interval "
                          "1KiB takes more samples). "
                        : "");
  return true;
}

void Judge(const SoakRequest& request, const SoakCourse& course,
           const std::vector<SoakProcess>& processes, const SoakWindow& window,
           SoakResult* result) {
  const size_t fresh =
      static_cast<size_t>(std::count_if(result->leaks.begin(), result->leaks.end(),
                                        [](const SoakFinding& leak) { return !leak.known; }));
  if (fresh > 0) {
    Set(result, kSoakLeak, "leak",
        fmt::format("{} keeps piling up{}.", result->leaks.front().place,
                    fresh > 1 ? fmt::format(", and {} more", fresh - 1) : ""));
    return;
  }
  if (NoReports(course, processes, window, result)) return;
  if (request.iterations > 0) {
    if (course.marks.size() < kLeastMarks) {
      Set(result, kSoakUnknown, "too short to say", "Too few iterations came to their end.");
      result->advice = "--iterations 7 or more.";
      return;
    }
    Set(result, kSoakNoLeak, "no leak",
        fmt::format("Nothing is left behind by each of {} iterations.", request.iterations));
    return;
  }
  const bool distrusted = std::any_of(
      processes.begin(), processes.end(),
      [](const SoakProcess& process) { return !process.newest.sampling.distrust.empty(); });
  if (distrusted) {
    Set(result, kSoakUnknown, "no verdict",
        "The figures of SERVICE contradict themselves, so that nothing can be said of them.");
    return;
  }
  double first = 0;
  double last = 0;
  double tracker = 0;  // its CPU time is none of SERVICE's
  for (const SoakProcess& process : processes) {
    if (const SoakPoint* const point = process.At(window.from_s)) {
      first += point->allocated_bytes;
      tracker -= point->cpu_s;
    }
    if (process.points.empty()) continue;
    last += process.points.back().allocated_bytes;
    tracker += process.points.back().cpu_s;
  }
  const double judged = window.to_s - window.from_s;
  if (last <= first && course.service_cpu_s - tracker < kIdleCpu * judged) {
    Set(result, kSoakLoadFailed, "load failed",
        "LOAD hangs, or does not reach SERVICE: SERVICE allocated nothing after the warm-up and "
        "used "
        "no processor time.");
    result->power.reset();  // a leak that a request leaves could not have shown
    return;
  }
  if (!result->power && result->reports_due >= kLeastSoakReports &&
      result->reports < result->reports_due) {
    Set(result, kSoakUnknown, "too short to say",
        fmt::format("Of {:.0f} reports that were due only {:.0f} came: too few to tell a leak from "
                    "what fills up.",
                    result->reports_due, result->reports));
    result->advice =
        "SERVICE had hardly any processor time for them: a machine that has less to do, or a "
        "longer "
        "--duration.";
    return;
  }
  if (!result->power) {
    const double share =
        judged > 0 ? request.duration_s / (request.duration_s - request.warm_up_s) : 1;
    const double least = std::ceil(
        std::max(kLeastSoakSeconds, kLeastSoakReports * request.report_interval_s) * share * 1.2);
    Set(result, kSoakUnknown, "too short to say",
        fmt::format("{} after the warm-up are too few to tell a leak from what fills up.",
                    FormatDuration(judged)));
    result->advice = fmt::format(
        "--duration {}s would do for the first, and longer sees smaller leaks; --iterations 17 "
        "tells in a few runs of LOAD.",
        std::max(least, 15.0));
    return;
  }
  std::string sentence = "Nothing keeps piling up.";
  if (!result->leaks.empty()) sentence = "What leaks did so in the baseline, as fast.";
  if (!result->growing.empty()) {
    sentence += fmt::format(" {} call {} and the cause is open: a longer soak tells.",
                            result->growing.size(),
                            result->growing.size() == 1 ? "site grows" : "sites grow");
  }
  Set(result, kSoakNoLeak, "no leak", sentence);
}

}  // namespace

void ConcludeSoak(const SoakRequest& request, const SoakCourse& course,
                  const std::vector<SoakProcess>& processes, const SoakBaseline* baseline,
                  const std::function<void()>& ask_more, SoakResult* result) {
  double judged = std::max(0.0, course.to_s - course.from_s);
  SoakWindow window{course.from_s, course.to_s, request.report_interval_s, std::nullopt};
  // It ended in the warm-up: all of it, then, is what was seen so far.
  const bool in_warm_up =
      request.iterations == 0 && course.end != SoakEnd::kGood && judged == 0 && course.loaded_s > 0;
  if (in_warm_up) {
    window.from_s = course.to_s - course.loaded_s;
    judged = course.loaded_s;
  }
  result->duration_s = course.loaded_s;
  result->warm_up_s = std::max(0.0, course.loaded_s - judged);
  result->judged_s = judged;
  result->load_runs = course.load_runs;
  result->notes = course.notes;
  result->iterations = request.iterations;
  result->cut_iterations = request.cut_iterations;
  if (request.iterations > 0) {
    JudgeIterations(processes, course.marks, course.more, course.alive, result);
  } else {
    CountRequests(request, course, judged, result);
    window.requests = result->requests;
    JudgeSoak(processes, window, result);
    if (!result->requests && course.loaded_s > 0 && course.end == SoakEnd::kGood) {
      result->notes.push_back(
          "no LOAD came to its end, so that nothing can be said of a request: let it end by "
          "itself, "
          "every half minute");
    }
  }
  result->in_warm_up = in_warm_up;
  if (in_warm_up) {
    result->power.reset();
    result->before = {};
  }
  ask_more();
  TakeLostForLeaks(result);
  if (baseline != nullptr) CompareWithBaseline(*baseline, result);
  // New ones first.
  std::stable_partition(result->leaks.begin(), result->leaks.end(),
                        [](const SoakFinding& leak) { return !leak.known; });
  if (!WentWrong(course, result)) Judge(request, course, processes, window, result);
}

}  // namespace heapgauge::cli
