#include "page/history.h"

#include <algorithm>
#include <utility>

#include "report/callsite.h"
#include "report/time_left.h"

namespace heapgauge {
namespace {

std::vector<const Site*> LargestStacks(const Report& report) {
  std::vector<const Site*> stacks;
  for (const Site& site : report.sites) stacks.push_back(&site);
  if (stacks.size() > History::kMostStacks) {
    const auto middle = stacks.begin() + History::kMostStacks;
    std::nth_element(stacks.begin(), middle, stacks.end(),
                     [](const Site* a, const Site* b) { return a->live_bytes > b->live_bytes; });
    stacks.erase(middle, stacks.end());
  }
  return stacks;
}

}  // namespace

void History::Add(const Report& report) {
  if (!points_.empty() && report.sequence <= points_.back().sequence) *this = {};
  HistoryPoint point;
  point.sequence = report.sequence;
  point.time = report.time;
  point.uptime_s = report.uptime_s;
  point.live_bytes = report.totals.live_bytes;
  point.live_bytes_stderr = report.totals.live_bytes_stderr;
  point.growth_bytes_per_s = report.totals.growth_bytes_per_s;
  point.rss_bytes = report.process.rss_bytes;
  point.retained_bytes = report.process.allocator_retained_bytes;
  point.limit_bytes = report.process.limit_bytes;
  if (const auto left = TimeLeft(report)) point.seconds_to_limit = left->seconds_to_limit;
  point.verdict = report.verdict;
  for (const Callsite& callsite : CallsitesOf(report)) {
    if (point.callsites.size() == kMostCallsites) break;
    const Site& sum = callsite.sum;
    point.callsites.push_back(
        {sum.id, sum.live_bytes, sum.live_bytes_stderr, sum.growth_bytes_per_s, sum.verdict});
    if (sum.frames.empty()) continue;
    const Frame& frame = CallsiteFrame(sum.frames, sum.callsite);
    names_[sum.id] = {frame.function, frame.file.value_or(""), frame.line.value_or(0)};
  }
  points_.push_back(std::move(point));
  Thin();
  if (reports_++ % stride_ == 0) AddMoment(report);
}

void History::AddMoment(const Report& report) {
  if (moments_.size() == kMostMoments) {
    stride_ *= 2;
    std::map<std::string, Site> kept;
    for (size_t i = 0; i < moments_.size(); i += 2) {
      for (const auto& [id, live] : moments_[i].live_bytes) {
        if (const auto stack = stacks_.find(id); stack != stacks_.end())
          kept.insert(stacks_.extract(stack));
      }
      if (i > 0) moments_[i / 2] = std::move(moments_[i]);
    }
    moments_.resize((moments_.size() + 1) / 2);
    stacks_ = std::move(kept);
    if ((reports_ - 1) % stride_ != 0) return;
  }
  HistoryMoment moment{report.sequence, report.time, {}};
  for (const Site* site : LargestStacks(report)) {
    moment.live_bytes[site->id] += site->live_bytes;
    stacks_[site->id] = *site;
  }
  if (stacks_.size() > kMostKept) {
    std::erase_if(stacks_,
                  [&](const auto& stack) { return !moment.live_bytes.contains(stack.first); });
  }
  moments_.push_back(std::move(moment));
}

// Of a long history every second point of the older half goes: what is recent stays dense.
void History::Thin() {
  if (points_.size() <= kMostPoints) return;
  std::deque<HistoryPoint> kept;
  for (size_t i = 0; i < points_.size(); ++i) {
    if (i >= kMostPoints / 2 || i % 2 == 0) kept.push_back(std::move(points_[i]));
  }
  points_ = std::move(kept);
}

}  // namespace heapgauge
