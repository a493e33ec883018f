#include "analyze/births.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "analyze/rules.h"

namespace heapgauge {
namespace {

struct Stretch {
  double seconds = 0;
  double samples = 0;
  double objects = 0;
  double bytes = 0;
};

// [from_s, to_s] ago.
Stretch Between(const SiteHistory& history, double from_s, double to_s) {
  const HistorySegment all = history.SumSince(from_s);
  const HistorySegment late = history.SumSince(to_s);
  return {all.seconds - late.seconds, all.births - late.births, all.objects - late.objects,
          all.allocated_bytes - late.allocated_bytes};
}

// The whole segments that lie in the last `window_s`, oldest first.
size_t FirstSegment(const SiteHistory& history, double window_s) {
  size_t first = history.size();
  double seconds = 0;
  while (first > 0 && seconds + history.segment(first - 1).seconds <= window_s * 1.001) {
    seconds += history.segment(--first).seconds;
  }
  return first;
}

// How much wilder than a Poisson process births come, at least 1.  Each half has its own rate, so
// that a change between them is not taken for wildness.
double Wildness(const SiteHistory& history, double window_s) {
  double sum = 0;
  double degrees = 0;
  const size_t first = FirstSegment(history, window_s);
  const size_t middle = FirstSegment(history, 0.5 * window_s);
  for (const auto& [from, to] : {std::pair{first, middle}, std::pair{middle, history.size()}}) {
    double births = 0;
    double seconds = 0;
    for (size_t i = from; i < to; ++i) {
      births += history.segment(i).births;
      seconds += history.segment(i).seconds;
    }
    if (to - from < 2 || !(births > 0)) continue;
    for (size_t i = from; i < to; ++i) {
      const double expected = births * history.segment(i).seconds / seconds;
      const double off = history.segment(i).births - expected;
      sum += off * off / std::max(expected, 0.5);
    }
    degrees += static_cast<double>(to - from - 1);
  }
  return degrees > 0 ? std::max(1.0, sum / degrees) : 1;
}

// The squared deviation of a sample's weight over its square: segments differ in their mean weight
// by chance as samples do.
double WeightSpread(const SiteHistory& history, double window_s) {
  const size_t first = FirstSegment(history, window_s);
  double samples = 0;
  double objects = 0;
  double segments = 0;
  for (size_t i = first; i < history.size(); ++i) {
    if (history.segment(i).births <= 0) continue;
    samples += history.segment(i).births;
    objects += history.segment(i).objects;
    ++segments;
  }
  if (segments < 2 || !(objects > 0)) return 0;
  const double mean = objects / samples;
  double sum = 0;
  for (size_t i = first; i < history.size(); ++i) {
    const HistorySegment& segment = history.segment(i);
    if (segment.births <= 0) continue;
    const double off = segment.objects / segment.births - mean;
    sum += segment.births * off * off;
  }
  return sum / (segments - 1) / (mean * mean);
}

// How long ago the last birth was, as far as segments tell.
double QuietSeconds(const SiteHistory& history) {
  double seconds = 0;
  for (size_t i = history.size(); i-- > 0 && history.segment(i).births <= 0;) {
    seconds += history.segment(i).seconds;
  }
  return seconds;
}

double RelativeError(const Stretch& stretch, double weight_spread) {
  const double weight = stretch.objects / stretch.samples;
  const double error = std::max(0.0, 1 - 1 / weight + weight_spread) / stretch.samples;
  return std::sqrt(error);
}

void SetRate(const Stretch& stretch, double weight_spread, BirthFacts& facts) {
  facts.per_s = stretch.objects / stretch.seconds;
  facts.error = RelativeError(stretch, weight_spread);
}

}  // namespace

BirthFacts MeasureBirths(const SiteHistory& history, double window_s) {
  BirthFacts facts;
  const double quiet = QuietSeconds(history);
  window_s = std::clamp(window_s, 0.0, history.seconds());
  if (Between(history, window_s, 0).samples < rules::kTellingBirths) window_s = history.seconds();
  facts.window_s = window_s;
  const Stretch whole = Between(history, window_s, 0);
  facts.samples = std::round(whole.samples);
  facts.quiet_s = quiet;
  if (whole.samples < rules::kTellingBirths || !(whole.objects > 0)) return facts;
  const double wildness = Wildness(history, window_s);
  const double spread = WeightSpread(history, window_s);

  const Stretch active = Between(history, window_s, quiet);
  const bool is_quiet = quiet > 0 && active.seconds > 0 && active.samples > 0;
  if (is_quiet && active.samples / active.seconds * quiet > rules::kQuietBirths * wildness) {
    facts.trend = BirthFacts::Trend::kEnded;
    SetRate(active, spread, facts);
    return facts;
  }

  const Stretch early = Between(history, window_s, 0.5 * window_s);
  const Stretch late = Between(history, 0.5 * window_s, 0);
  const double error =
      std::sqrt((1 / std::max(1.0, early.samples) + 1 / std::max(1.0, late.samples)) * wildness);
  const double least = std::max(rules::kChangedBirths, rules::kChangedErrors * error);
  const double least_objects =
      std::max(rules::kChangedBirths, rules::kChangedErrors * error * std::sqrt(1 + spread));
  const auto change = [](double then, double now) {
    return std::log(std::max(now, 1e-3) / std::max(then, 1e-3));
  };
  const double samples = change(early.samples, late.samples);
  const double objects = change(early.objects, late.objects);
  const double bytes = change(early.bytes, late.bytes);
  facts.trend = BirthFacts::Trend::kSteady;
  if (samples > least && objects > least_objects && bytes > least) {
    facts.trend = BirthFacts::Trend::kRose;
  } else if (late.samples > 0 && -samples > least && -objects > least_objects && -bytes > least) {
    facts.trend = BirthFacts::Trend::kFell;
  }
  if (facts.trend == BirthFacts::Trend::kSteady) {
    SetRate(whole, spread, facts);
    return facts;
  }
  facts.ratio = std::exp(objects);
  SetRate(late, spread, facts);
  return facts;
}

}  // namespace heapgauge
