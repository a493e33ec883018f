#include "analyze/history.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace heapgauge {
namespace {

void Accumulate(HistorySegment& sum, const HistorySegment& more) {
  sum.seconds += more.seconds;
  sum.live_bytes += more.live_bytes;
  sum.allocated_bytes += more.allocated_bytes;
  sum.live_variance += more.live_variance;
  sum.births += more.births;
  sum.deaths += more.deaths;
  sum.objects += more.objects;
  sum.traffic += more.traffic;
}

void Scale(HistorySegment& segment, float factor) {
  segment.seconds *= factor;
  segment.live_bytes *= factor;
  segment.allocated_bytes *= factor;
  segment.live_variance *= factor;
  segment.births *= factor;
  segment.deaths *= factor;
  segment.objects *= factor;
  segment.traffic *= factor;
}

// Counters of a site never go down, but a reader of a damaged report may hand in anything.
float Rise(uint64_t now, uint64_t before) {
  return now > before ? static_cast<float>(now - before) : 0.0F;
}

}  // namespace

void SiteHistory::Add(const SiteObservation& now, double least_seconds) {
  Add(now, now.time_s, least_seconds);
}

void SiteHistory::Add(const SiteObservation& now, double clock_s, double least_seconds) {
  closed_ = false;
  if (reports_ == 0 && !begun_) {
    first_s_ = last_s_ = clock_s;
  } else {
    open_.live_bytes += static_cast<float>(now.live_bytes - live_bytes_);
    open_.allocated_bytes +=
        static_cast<float>(std::max(0.0, now.allocated_bytes - allocated_bytes_));
    open_.objects += static_cast<float>(std::max(0.0, now.allocated_objects - allocated_objects_));
    open_.live_variance += static_cast<float>(now.live_variance - live_variance_);
    open_.births += Rise(now.allocated_samples, births_);
    open_.deaths += Rise(now.freed_samples, deaths_);
    const double passed = clock_s - last_s_;
    if (passed > 0 && passed >= least_seconds) {
      open_.seconds = static_cast<float>(passed);
      last_growth_bytes_ = open_.live_bytes;
      Append(open_);
      open_ = HistorySegment{};
      last_s_ = clock_s;
      closed_ = true;
    }
  }
  ++reports_;
  live_bytes_ = now.live_bytes;
  live_variance_ = now.live_variance;
  allocated_bytes_ = now.allocated_bytes;
  allocated_objects_ = now.allocated_objects;
  births_ = now.allocated_samples;
  deaths_ = now.freed_samples;
}

void SiteHistory::BeginAt(double clock_s) {
  SiteObservation nothing;
  Add(nothing, clock_s, 0);
  reports_ = 0;
  begun_ = true;
}

void SiteHistory::AddTraffic(double samples) {
  (closed_ ? segments_[size_ - 1] : open_).traffic += static_cast<float>(samples);
}

double SiteHistory::BoundarySeconds(size_t k) const {
  double at = last_s_;
  for (size_t i = size_; i > k; --i) at -= segments_[i - 1].seconds;
  return at;
}

std::vector<TrendPoint> SiteHistory::LiveBytes(size_t k) const {
  std::vector<TrendPoint> points(size_ - std::min<size_t>(k, size_) + 1);
  // Backwards from now, so that the newest points carry the least rounding.
  points.back() = {last_s_, live_bytes_ - open_.live_bytes};
  for (size_t i = points.size() - 1; i-- > 0;) {
    const HistorySegment& segment = segments_[size_ - (points.size() - 1 - i)];
    points[i] = {points[i + 1].time_s - segment.seconds, points[i + 1].value - segment.live_bytes};
  }
  return points;
}

HistorySegment SiteHistory::Sum(size_t k) const {
  HistorySegment sum;
  for (size_t i = k; i < size_; ++i) Accumulate(sum, segments_[i]);
  return sum;
}

HistorySegment SiteHistory::SumSince(double seconds) const {
  HistorySegment sum;
  for (size_t i = size_; i-- > 0 && seconds > 0;) {
    HistorySegment part = segments_[i];
    if (part.seconds > seconds) Scale(part, static_cast<float>(seconds / part.seconds));
    seconds -= segments_[i].seconds;
    Accumulate(sum, part);
  }
  return sum;
}

void SiteHistory::Append(const HistorySegment& segment) {
  if (size_ == kSegments) MergeShortestForItsAge();
  segments_[size_++] = segment;
}

void SiteHistory::MergeShortestForItsAge() {
  size_t best = 0;
  float least = std::numeric_limits<float>::max();
  float age = 0;  // of the young end of the pair
  for (size_t i = size_; i-- > 1;) {
    if (i + kFine < size_) {
      const float share = (segments_[i - 1].seconds + segments_[i].seconds) / age;
      if (share < least) {
        least = share;
        best = i - 1;
      }
    }
    age += segments_[i].seconds;
  }
  Accumulate(segments_[best], segments_[best + 1]);
  std::copy(segments_.begin() + static_cast<std::ptrdiff_t>(best) + 2,
            segments_.begin() + static_cast<std::ptrdiff_t>(size_),
            segments_.begin() + static_cast<std::ptrdiff_t>(best) + 1);
  --size_;
}

}  // namespace heapgauge
