#include "fake_site.h"

#include <algorithm>

namespace heapgauge {
namespace {

size_t BucketOf(double age_s) { return AgeBucket(static_cast<uint64_t>(age_s * 1e9)); }

}  // namespace

FakeSite& FakeSite::Born(double at_s, double life_s) {
  samples_.push_back({at_s, at_s + life_s});
  return *this;
}

FakeSite& FakeSite::Stream(double from_s, double to_s, double per_s, double life_s) {
  const auto count = static_cast<size_t>((to_s - from_s) * per_s + 0.5);
  for (size_t i = 0; i < count; ++i) {
    Born(from_s + (static_cast<double>(i) + 0.5) / per_s, life_s);
  }
  return *this;
}

SiteObservation FakeSite::At(double time_s, double suspended_s, double suspended_at_s) const {
  const double variance = bytes_ * bytes_ * (1 - p_) / (p_ * p_);
  const auto suspension = [&](double from_s, double to_s) {
    return from_s < suspended_at_s && to_s > suspended_at_s ? suspended_s : 0;
  };
  SiteObservation now;
  now.time_s = time_s + (time_s > suspended_at_s ? suspended_s : 0);
  for (const Sample& sample : samples_) {
    if (sample.born_s > time_s) continue;
    ++now.allocated_samples;
    now.allocated_objects += 1 / p_;
    now.allocated_bytes += bytes_ / p_;
    now.allocated_variance += variance;
    const double until = std::min(sample.dies_s, time_s);
    const double age = until - sample.born_s + suspension(sample.born_s, until);
    if (sample.dies_s <= time_s) {
      ++now.freed_samples;
      now.freed_objects += 1 / p_;
      now.freed_bytes += bytes_ / p_;
      now.freed_variance += variance;
      ++now.deaths[BucketOf(age)];
      continue;
    }
    ++now.live_samples;
    now.live_objects += 1 / p_;
    now.live_bytes += bytes_ / p_;
    now.live_variance += variance;
    now.age_max_s = std::max(now.age_max_s, age);
    ++now.living[BucketOf(age)];
  }
  return now;
}

SiteHistory FakeSite::HistoryOf(size_t reports, double report_s) const {
  SiteHistory history;
  history.BeginAt(0);
  for (size_t i = 1; i <= reports; ++i) {
    history.Add(At(static_cast<double>(i) * report_s));
    history.AddTraffic(1);
  }
  return history;
}

SiteObservation ReallocatedBlock(size_t reports, double report_s) {
  SiteObservation now;
  now.time_s = static_cast<double>(reports) * report_s;
  for (size_t i = 1; i <= reports; ++i) {
    ++now.allocated_samples;
    now.allocated_objects += 1;
    now.allocated_bytes += 1000 * static_cast<double>(i);
    if (i == reports) break;
    ++now.freed_samples;
    now.freed_objects += 1;
    now.freed_bytes += 1000 * static_cast<double>(i);
    ++now.deaths[BucketOf(report_s)];
  }
  now.live_samples = 1;
  now.live_objects = 1;
  now.live_bytes = 1000 * static_cast<double>(reports);
  now.age_max_s = 0.5 * report_s;
  ++now.living[BucketOf(now.age_max_s)];
  return now;
}

}  // namespace heapgauge
