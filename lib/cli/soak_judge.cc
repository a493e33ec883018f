#include "cli/soak_judge.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>

#include "base/basename.h"
#include "cli/soak_pace.h"
#include "cli/soak_power.h"
#include "report/frame_text.h"
#include "report/printable.h"
#include "report/text_site.h"
#include "report/units.h"

namespace heapgauge::cli {
namespace {

constexpr double kHour = 3600;
constexpr double kSigmas = 1.96;
constexpr size_t kPlaceWidth = 72;
constexpr size_t kStackLines = 8;
constexpr double kPaceConfidence = 0.7;
constexpr double kLeastGrowth = 3;         // samples' worth
constexpr double kLate = 3;                // s: a report that is no later is still of its moment
constexpr double kMissed = 2;              // reports that a soak may lack at its ends
constexpr double kWorthMentioning = 0.01;  // of the heap in an hour

double Growth(const SoakProcess& process, const SoakWindow& window, const std::string& id) {
  const auto at = [&](const SoakPoint* point) {
    if (point == nullptr) return 0.0;
    const auto found = point->sites.find(id);
    return found == point->sites.end() ? 0.0 : found->second.live_bytes;
  };
  return at(process.At(window.to_s)) - at(process.At(window.from_s));
}

double GrowthObjects(const SoakProcess& process, const SoakWindow& window, const std::string& id) {
  const auto at = [&](const SoakPoint* point) {
    if (point == nullptr) return 0.0;
    const auto found = point->sites.find(id);
    return found == point->sites.end() ? 0.0 : found->second.live_objects;
  };
  return at(process.At(window.to_s)) - at(process.At(window.from_s));
}

// Has it lived, and reported, in the judged part?
bool IsJudged(const SoakProcess& process, const SoakWindow& window) {
  return !process.points.empty() && process.points.back().time_s > window.from_s;
}

void Finish(const SoakWindow& window, SoakFinding* finding) {
  const double seconds = window.to_s - window.from_s;
  if (seconds > 0) finding->bytes_per_h = finding->growth_bytes * kHour / seconds;
  if (window.requests && *window.requests > 0)
    finding->bytes_per_request = finding->growth_bytes / *window.requests;
}

void Merge(SoakFinding&& finding, std::vector<SoakFinding>* findings) {
  for (SoakFinding& known : *findings) {
    if (known.id != finding.id || known.program != finding.program) continue;
    known.pids.insert(known.pids.end(), finding.pids.begin(), finding.pids.end());
    known.live_bytes += finding.live_bytes;
    known.live_objects += finding.live_objects;
    known.growth_bytes += finding.growth_bytes;
    known.growth_objects += finding.growth_objects;
    if (finding.confidence > known.confidence) {
      known.confidence = finding.confidence;
      known.evidence = finding.evidence;
      known.stack = finding.stack;
    }
    return;
  }
  findings->push_back(std::move(finding));
}

bool LivesAt(const SoakProcess& process, double time_s, double report_interval_s) {
  return !process.points.empty() && process.points.front().time_s <= time_s &&
         process.points.back().time_s >= time_s - std::max(3 * report_interval_s, kLate) &&
         (!process.newest.final || process.points.back().time_s >= time_s - report_interval_s);
}

}  // namespace

void AddMemory(const SoakPoint* point, SoakMemory* memory) {
  if (point == nullptr) return;
  memory->rss_bytes += point->rss_bytes;
  memory->live_bytes += point->live_bytes;
  memory->rounding_bytes += point->rounding_bytes;
  memory->retained_bytes += point->retained_bytes;
  ++memory->processes;
}

SoakFinding FindingOf(const SoakProcess& process, const Callsite& callsite) {
  const Site& sum = callsite.sum;
  SoakFinding finding;
  finding.verdict = sum.verdict;
  finding.id = sum.id;
  finding.place = ShortCallsite(sum, kPlaceWidth);
  finding.evidence = Printable(sum.evidence);
  finding.program = Printable(Basename(process.exe));
  finding.pids = {process.pid};
  finding.confidence = sum.confidence;
  finding.live_bytes = sum.live_bytes;
  finding.live_objects = sum.live_objects;
  if (sum.callsite < sum.frames.size()) {
    const Frame& frame = sum.frames[sum.callsite];
    finding.function = Printable(frame.function);
    if (frame.file) finding.file = Printable(*frame.file);
    if (frame.line) finding.line = *frame.line;
    finding.module = Printable(frame.module);
  }
  for (size_t i = sum.callsite; i < sum.frames.size() && finding.stack.size() < kStackLines; ++i) {
    const Frame& frame = sum.frames[i];
    std::string text = ShortFunction(frame);
    if (frame.file) text += "  " + FileAndLine(frame, false);
    finding.stack.push_back((i == sum.callsite ? "=> " : "   ") + CutEnd(Printable(text), 100));
  }
  return finding;
}

void JudgeSoak(const std::vector<SoakProcess>& processes, const SoakWindow& window,
               SoakResult* result) {
  std::map<std::string, std::vector<const SoakProcess*>> programs;
  double interval_bytes = 0;
  double distrusted = 0;
  for (const SoakProcess& process : processes) {
    if (!IsJudged(process, window)) continue;
    programs[process.exe].push_back(&process);
    const SoakPoint& last = process.points.back();
    interval_bytes = std::max(interval_bytes, last.interval_bytes);
    if (!process.newest.sampling.distrust.empty()) {
      distrusted += 1;
      result->notes.push_back(fmt::format("process {}: no verdict: {}", process.pid,
                                          Printable(process.newest.sampling.distrust)));
    }
    if (process.newest.sampling.dropped > 0) {
      result->notes.push_back(fmt::format(
          "process {}: {} samples found no room (HEAPGAUGE_MEMORY_LIMIT): its figures are too low",
          process.pid, process.newest.sampling.dropped));
    }
    for (const Callsite& callsite : process.newest.callsites) {
      const std::string& verdict = callsite.sum.verdict;
      if (verdict != "leak" && verdict != "growing") continue;
      SoakFinding finding = FindingOf(process, callsite);
      finding.growth_bytes = Growth(process, window, callsite.sum.id);
      finding.growth_objects = GrowthObjects(process, window, callsite.sum.id);
      // What only the warm-up left is none of the judged part's.
      const double each = callsite.sum.live_bytes / std::max(1.0, callsite.sum.live_objects);
      if (finding.growth_bytes < kLeastGrowth * std::max(last.interval_bytes, each)) continue;
      const double an_hour =
          finding.growth_bytes * kHour / std::max(1.0, window.to_s - window.from_s);
      if (verdict == "growing") {
        if (std::optional<std::string> pace = KeepsPace(process, window, callsite.sum.id)) {
          finding.verdict = "leak";
          finding.confidence = kPaceConfidence;
          finding.evidence = std::move(*pace);
        }
      }
      if (finding.verdict == "leak") {
        Merge(std::move(finding), &result->leaks);
      } else if (an_hour > kWorthMentioning * last.live_bytes &&
                 finding.growth_bytes > kSigmas * callsite.sum.live_bytes_stderr) {
        Merge(std::move(finding), &result->growing);
      }
    }
  }
  for (const auto& [exe, members] : programs) {
    if (members.size() > 1) JudgeTogether(members, window, result);
  }
  for (std::vector<SoakFinding>* findings : {&result->leaks, &result->growing}) {
    for (SoakFinding& finding : *findings) Finish(window, &finding);
    std::sort(findings->begin(), findings->end(), [](const SoakFinding& a, const SoakFinding& b) {
      return a.growth_bytes > b.growth_bytes;
    });
  }
  // One that leaks in one process and grows in others is one finding.
  std::erase_if(result->growing, [&](const SoakFinding& growing) {
    return std::any_of(result->leaks.begin(), result->leaks.end(), [&](const SoakFinding& leak) {
      return leak.id == growing.id && leak.program == growing.program;
    });
  });
  if (result->growing.size() > kMostGrowing) result->growing.resize(kMostGrowing);
  for (const SoakProcess& process : processes) {
    if (process.points.empty()) continue;
    const SoakPoint* const base = process.At(window.from_s);
    const SoakPoint& last = process.points.back();
    const bool alive = LivesAt(process, window.to_s, window.report_interval_s);
    if (LivesAt(process, window.from_s, window.report_interval_s)) AddMemory(base, &result->before);
    if (alive) AddMemory(&last, &result->after);
    if (!IsJudged(process, window)) continue;
    SoakProcessLine line;
    line.pid = process.pid;
    line.program = Printable(Basename(process.exe));
    line.verdict = process.newest.verdict;
    line.reports = static_cast<uint64_t>(
        std::count_if(process.points.begin(), process.points.end(),
                      [&](const SoakPoint& point) { return point.time_s > window.from_s; }));
    line.live_bytes = last.live_bytes;
    line.growth_bytes = last.live_bytes - (base == nullptr ? 0 : base->live_bytes);
    line.rss_bytes = last.rss_bytes;
    line.ended = !alive;
    result->processes.push_back(std::move(line));
  }
  const double judged = window.to_s - window.from_s;
  result->reports_due = judged / window.report_interval_s;
  result->reports = result->reports_due;
  double most = 0;
  for (const SoakProcessLine& line : result->processes)
    most = std::max(most, static_cast<double>(line.reports));
  // On a machine that has too much to do they come late, and tell less.
  if (!result->processes.empty() && most + kMissed < result->reports_due) result->reports = most;
  if (interval_bytes > 0 && distrusted == 0 && result->reports > 0)
    result->power = PowerOf(judged, judged / result->reports, interval_bytes, window.requests);
}

// ---- Together

namespace {

// Of the judged part.
constexpr size_t kPieces = 8;
constexpr double kLeastSamples = 24;
constexpr double kLeastErrors = 4;
constexpr double kLeastHalf = 0.6;   // the second half has so much of the first one's growth
constexpr double kLeastPiece = 0.2;  // each quarter, of the mean
constexpr double kMostBirths = 1.2;  // more births in the second half explain more of the living
constexpr double kTogetherConfidence = 0.7;

}  // namespace

void JudgeTogether(const std::vector<const SoakProcess*>& processes, const SoakWindow& window,
                   SoakResult* result) {
  const double length = window.to_s - window.from_s;
  if (length < kLeastSoakReports * window.report_interval_s || length < kLeastSoakSeconds) return;
  struct Sum {
    double live[kPieces + 1] = {};
    double allocated[kPieces + 1] = {};
    double objects[2] = {};
    double variance = 0;
    double interval_bytes = 1;
    size_t processes = 0;
    bool known = false;  // one of them calls it, or says that it is load
    const SoakProcess* largest = nullptr;
    const Callsite* callsite = nullptr;
  };
  std::map<std::string, Sum> sums;
  for (const SoakProcess* const process : processes) {
    for (const Callsite& callsite : process->newest.callsites) {
      Sum& sum = sums[callsite.sum.id];
      ++sum.processes;
      sum.known = sum.known || callsite.sum.verdict == "leak" || callsite.sum.verdict == "load";
      if (sum.callsite == nullptr || callsite.sum.live_bytes > sum.callsite->sum.live_bytes) {
        sum.callsite = &callsite;
        sum.largest = process;
      }
    }
    for (size_t k = 0; k <= kPieces; ++k) {
      const double time =
          window.from_s + length * static_cast<double>(k) / static_cast<double>(kPieces);
      const SoakPoint* const point = process->At(time);
      if (point == nullptr) continue;
      // What ended has nothing any more.
      const bool alive = process->points.back().time_s >= time - 3 * window.report_interval_s;
      for (const auto& [id, site] : point->sites) {
        Sum& sum = sums[id];
        sum.allocated[k] += site.allocated_bytes;
        if (!alive) continue;
        sum.live[k] += site.live_bytes;
        sum.interval_bytes = std::max(sum.interval_bytes, point->interval_bytes);
        if (k == 0) sum.objects[0] += site.live_objects;
        if (k == kPieces) {
          sum.objects[1] += site.live_objects;
          sum.variance += site.live_stderr * site.live_stderr;
        }
      }
    }
  }
  for (const auto& [id, sum] : sums) {
    if (sum.processes < 2 || sum.known || sum.callsite == nullptr) continue;
    const double growth = sum.live[kPieces] - sum.live[0];
    const double first = sum.live[kPieces / 2] - sum.live[0];
    const double second = growth - first;
    const double samples = std::min(growth / sum.interval_bytes, sum.objects[1] - sum.objects[0]);
    if (growth <= 0 || samples < kLeastSamples) continue;
    // What lived at both ends has no error of its own.
    const double error =
        std::sqrt(std::max(growth * sum.interval_bytes, 1.0) +
                  sum.variance * std::min(1.0, growth / std::max(sum.live[kPieces], 1.0)));
    if (growth < kLeastErrors * error * 0.5 || second < kLeastHalf * first) continue;
    bool even = true;
    for (size_t k = 2; k <= kPieces; k += 2)
      even = even && sum.live[k] - sum.live[k - 2] > kLeastPiece * growth / 4;
    const double births_first = sum.allocated[kPieces / 2] - sum.allocated[0];
    const double births_second = sum.allocated[kPieces] - sum.allocated[kPieces / 2];
    if (!even || births_second > kMostBirths * births_first) continue;
    SoakFinding finding = FindingOf(*sum.largest, *sum.callsite);
    finding.verdict = "leak";
    finding.together = true;
    finding.confidence = kTogetherConfidence;
    finding.pids.clear();
    finding.live_bytes = sum.live[kPieces];
    finding.live_objects = sum.objects[1];
    finding.growth_bytes = growth;
    finding.growth_objects = sum.objects[1] - sum.objects[0];
    for (const SoakProcess* const process : processes) {
      if (Growth(*process, window, id) > 0) finding.pids.push_back(process->pid);
    }
    finding.evidence = fmt::format(
        "{} processes together keep {} more of it in the first half of the judged part and {} more "
        "in "
        "the second; it is not allocated more often than before",
        finding.pids.size(), FormatBytes(first), FormatBytes(second));
    std::erase_if(result->growing, [&](const SoakFinding& growing) {
      return growing.id == id && growing.program == finding.program;
    });
    result->leaks.push_back(std::move(finding));
  }
}

}  // namespace heapgauge::cli
