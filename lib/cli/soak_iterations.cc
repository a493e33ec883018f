// What each of N runs of LOAD leaves behind, in exact mode.
#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "base/basename.h"
#include "cli/soak_judge.h"
#include "report/printable.h"
#include "report/text_site.h"
#include "report/units.h"

namespace heapgauge::cli {
namespace {

constexpr size_t kLeastEach = 5;      // iterations, where each leaves another number
constexpr double kLeastShare = 0.25;  // objects an iteration
constexpr double kLeastGrown = 4096;  // bytes
constexpr double kFilled = 0.25;      // of what it left before: by the last runs, of what is full
constexpr size_t kMostFilled = 3;     // call sites that are named as such

// A call site over all processes of one program.
struct Course {
  std::vector<double> objects;  // at each mark
  std::vector<double> bytes;
  std::vector<int64_t> pids;
  size_t first = 0;                      // mark from which on all of them were known
  const SoakProcess* process = nullptr;  // that has most of it
  const Callsite* callsite = nullptr;
};

using Courses = std::map<std::pair<std::string, std::string>, Course>;

// The newest history of each process that lives.
std::vector<const SoakProcess*> Living(const std::vector<SoakProcess>& processes,
                                       const std::vector<pid_t>& alive) {
  std::map<int64_t, const SoakProcess*> newest;
  for (const SoakProcess& process : processes) {
    if (std::find(alive.begin(), alive.end(), process.pid) != alive.end())
      newest[process.pid] = &process;
  }
  std::vector<const SoakProcess*> living;
  for (const auto& [pid, process] : newest) living.push_back(process);
  return living;
}

Courses CoursesOf(const std::vector<const SoakProcess*>& living, const std::vector<double>& marks) {
  Courses courses;
  for (const SoakProcess* const one : living) {
    const SoakProcess& process = *one;
    // A worker that came later brought what its parent had: that is nothing it kept itself.
    const auto known = std::find_if(marks.begin(), marks.end(),
                                    [&](double mark) { return process.At(mark) != nullptr; });
    const auto first = static_cast<size_t>(known - marks.begin());
    for (const Callsite& callsite : process.newest.callsites) {
      Course& course = courses[{process.exe, callsite.sum.id}];
      if (course.objects.empty()) {
        course.objects.resize(marks.size());
        course.bytes.resize(marks.size());
      }
      course.pids.push_back(process.pid);
      course.first = std::max(course.first, first);
      if (course.callsite == nullptr ||
          callsite.sum.live_objects > course.callsite->sum.live_objects) {
        course.callsite = &callsite;
        course.process = &process;
      }
      for (size_t i = 0; i < marks.size(); ++i) {
        const SoakPoint* const point = process.At(marks[i]);
        if (point == nullptr) continue;
        const auto site = point->sites.find(callsite.sum.id);
        if (site == point->sites.end()) continue;
        course.objects[i] += std::round(site->second.live_objects);
        course.bytes[i] += site->second.live_bytes;
      }
    }
  }
  return courses;
}

// What a call site has kept by the runs beyond the iterations; nullptr: they do not tell.
const Course* Beyond(const Courses& further, const std::pair<std::string, std::string>& key) {
  const auto found = further.find(key);
  return found == further.end() || found->second.first > 0 ? nullptr : &found->second;
}

// A cache or a ring that was not full after the iterations, and is now.
bool HasFilled(const Course& beyond, const std::vector<SoakMore>& more, double each) {
  const size_t last = more.size();
  const double left = beyond.objects[last] - beyond.objects[last - 1];
  const uint64_t before = last < 2 ? 0 : more[last - 2].runs;
  return left < kFilled * each * static_cast<double>(more[last - 1].runs - before);
}

void NoteFilled(const std::vector<std::string>& places, uint64_t runs, SoakResult* result) {
  if (places.empty()) return;
  std::string text;
  for (size_t i = 0; i < places.size() && i < kMostFilled; ++i)
    text += (i == 0 ? "" : ", ") + places[i];
  if (places.size() > kMostFilled) text += fmt::format(" and {} more", places.size() - kMostFilled);
  result->notes.push_back(fmt::format(
      "what {} keeps grew by each iteration and no longer after {} more runs of LOAD: it fills "
      "up, as a cache or a ring does, and is no leak",
      text, runs));
}

}  // namespace

void JudgeIterations(const std::vector<SoakProcess>& processes, const std::vector<double>& marks,
                     const std::vector<SoakMore>& more, const std::vector<pid_t>& alive,
                     SoakResult* result) {
  if (marks.size() < 2) return;
  const size_t last_mark = marks.size() - 1;
  const std::vector<const SoakProcess*> living = Living(processes, alive);
  std::vector<double> further_marks = {marks.back()};
  for (const SoakMore& one : more) further_marks.push_back(one.time_s);
  const Courses further = more.empty() ? Courses() : CoursesOf(living, further_marks);
  result->more_runs = more.empty() ? 0 : more.back().runs;
  std::vector<std::string> filled;
  for (const auto& [key, course] : CoursesOf(living, marks)) {
    if (course.first >= last_mark) continue;
    const size_t count = last_mark - course.first;
    const auto n = static_cast<double>(count);
    const double kept = course.objects[last_mark] - course.objects[course.first];
    const double bytes = course.bytes[last_mark] - course.bytes[course.first];
    if (kept <= 0 && bytes <= 0) continue;
    double least = kept;
    double most = 0;
    for (size_t i = course.first + 1; i <= last_mark; ++i) {
      const double step = course.objects[i] - course.objects[i - 1];
      least = std::min(least, step);
      most = std::max(most, step);
    }
    const bool multiple = kept > 0 && std::fmod(kept, n) == 0 && count > last_mark / 2;
    const bool always = least >= 1 && count >= kLeastEach;
    SoakFinding finding = FindingOf(*course.process, *course.callsite);
    const Course* const beyond = Beyond(further, key);
    if (beyond != nullptr && kept > 0 && HasFilled(*beyond, more, kept / n)) {
      if (multiple || always) filled.push_back(finding.place);
      continue;
    }
    finding.pids = course.pids;
    finding.growth_bytes = bytes;
    finding.growth_objects = kept;
    finding.live_objects = course.objects[last_mark];
    finding.live_bytes = course.bytes[last_mark];
    finding.bytes_per_request = bytes / n;
    finding.confidence = 0;
    if (multiple || always) {
      finding.verdict = "leak";
      finding.confidence = least == most ? 0.99 : 0.95;
      if (multiple) finding.objects_each = static_cast<uint64_t>(kept / n);
      finding.evidence =
          multiple ? fmt::format("{} objects kept by {} iterations: {} {} {} each, {} in all",
                                 FormatCount(kept), count, finding.objects_each,
                                 finding.objects_each == 1 ? "object" : "objects",
                                 least == most ? "in" : "on average for", FormatBytes(bytes))
                   : fmt::format("{} objects kept by {} iterations: {} to {} in each, {} in all",
                                 FormatCount(kept), count, least, most, FormatBytes(bytes));
      if (beyond != nullptr) {
        finding.evidence += fmt::format(
            "; {} more by {} runs after those",
            FormatCount(beyond->objects.back() - beyond->objects.front()), result->more_runs);
      }
      result->leaks.push_back(std::move(finding));
      continue;
    }
    if (kept < kLeastShare * n && bytes < kLeastGrown) continue;  // a table that grew once
    finding.verdict = "growing";
    finding.evidence =
        fmt::format("{} more {} and {} more after {} iterations, not as many for each",
                    FormatCount(kept), kept == 1 ? "object" : "objects", FormatBytes(bytes), count);
    result->growing.push_back(std::move(finding));
  }
  NoteFilled(filled, result->more_runs, result);
  for (std::vector<SoakFinding>* findings : {&result->leaks, &result->growing}) {
    std::sort(findings->begin(), findings->end(), [](const SoakFinding& a, const SoakFinding& b) {
      return a.growth_bytes > b.growth_bytes;
    });
  }
  if (result->growing.size() > kMostGrowing) result->growing.resize(kMostGrowing);
  for (const SoakProcess* const one : living) {
    const SoakProcess& process = *one;
    const Report& report = process.newest;
    if (report.sampling.interval_bytes > 1) {
      result->notes.push_back(fmt::format("process {} was not exact: one sample every {} bytes",
                                          process.pid, report.sampling.interval_bytes));
    }
    if (report.callsites_total > report.callsites.size()) {
      result->notes.push_back(
          fmt::format("process {} lists {} of its {} call sites, those that grow first",
                      process.pid, report.callsites.size(), report.callsites_total));
    }
    SoakProcessLine line;
    line.pid = process.pid;
    line.program = Printable(Basename(process.exe));
    line.verdict = report.verdict;
    line.reports = process.points.size();
    const SoakPoint* const first = process.At(marks.front());
    const SoakPoint* const last = process.At(marks.back());
    for (const auto& [point, memory] :
         {std::pair{first, &result->before}, std::pair{last, &result->after}}) {
      AddMemory(point, memory);
    }
    if (last == nullptr) continue;
    line.live_bytes = last->live_bytes;
    line.growth_bytes = last->live_bytes - (first == nullptr ? 0 : first->live_bytes);
    line.rss_bytes = last->rss_bytes;
    result->processes.push_back(std::move(line));
  }
}

}  // namespace heapgauge::cli
