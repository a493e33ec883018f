#include "analyze/spread.h"

#include <algorithm>
#include <cmath>

#include "analyze/rules.h"
#include "analyze/survival.h"

namespace heapgauge {
namespace {

// The mean place of what is counted, 0 = now and 1 = the beginning, on the axis that `width` spans:
// time, or the traffic of the process.
template <typename Weight, typename Width>
double MeanPlace(std::span<const SpreadBin> bins, Weight weight, Width width) {
  double length = 0;
  double sum = 0;
  double places = 0;
  for (const SpreadBin& bin : bins) {
    sum += weight(bin);
    places += weight(bin) * (length + 0.5 * width(bin));
    length += width(bin);
  }
  return sum > 0 && length > 0 ? places / sum / length : 0.5;
}

// Laplace's test for a trend in a Poisson process looks at the mean time of its events.  A rate
// that falls as exp(-x t / length) moves it by x / 12 of the length, as long as x is small.
template <typename Width>
double Slowing(std::span<const SpreadBin> bins, double bytes, Width width) {
  const auto by_count = [](const SpreadBin& bin) { return bin.count - bin.passing; };
  const auto by_bytes = [](const SpreadBin& bin) { return bin.bytes; };
  const double slowing = 12 * (MeanPlace(bins, by_count, width) - 0.5);
  // By bytes, too: when the sample interval grows, samples get fewer and each of them heavier.
  if (!(bytes > 0)) return slowing;
  return std::min(slowing, 12 * (MeanPlace(bins, by_bytes, width) - 0.5));
}

// Births of the last `seconds`, the oldest of which came in the middle of a segment.  Where births
// rose there, it was with the oldest that they did: they came as they do in the segment after it.
double BirthsSince(const SiteHistory& history, double seconds) {
  double births = 0;
  for (size_t i = history.size(); i-- > 0 && seconds > 0;) {
    const HistorySegment& segment = history.segment(i);
    double share = std::min(1.0, seconds / segment.seconds);
    if (share < 1 && i + 1 < history.size() && segment.births > 0) {
      const HistorySegment& after = history.segment(i + 1);
      const double risen = seconds * after.births / after.seconds / segment.births;
      share = std::min(1.0, std::max(share, risen));
    }
    births += share * segment.births;
    seconds -= segment.seconds;
  }
  return births;
}

// A site's traffic: those of its births that die, for what is kept must not explain itself.
double Dying(const SpreadBin& bin) { return std::max(0.0, bin.activity - bin.count); }

// Of two of them, the chance that they came in one bin, less the same of what comes evenly, in time
// or in `dying` births, and twice what chance does to it.
double Clumped(std::span<const SpreadBin> bins, double length, double total, double dying) {
  if (!(total > 1)) return 0;
  double together = 0;
  double evenly = 0;
  double with_traffic = 0;
  for (const SpreadBin& bin : bins) {
    const double width = (bin.to_s - bin.from_s) / length;
    together += bin.count * std::max(0.0, bin.count - 1) / (total * (total - 1));
    evenly += width * width;
    if (dying > 0) with_traffic += std::pow(Dying(bin) / dying, 2);
  }
  evenly = std::max(evenly, with_traffic);
  return together - evenly - rules::kClumpErrors * std::sqrt(2 * evenly) / total;
}

}  // namespace

Spread MeasureSpread(std::span<const SpreadBin> bins) {
  Spread spread;
  if (bins.empty()) return spread;
  const double length = bins.back().to_s - bins.front().from_s;
  double total = 0;
  double staying = 0;
  double activity = 0;
  double others = 0;
  double bytes = 0;
  for (const SpreadBin& bin : bins) {
    total += bin.count;
    staying += bin.count - bin.passing;
    activity += bin.activity;
    others += bin.others;
    bytes += bin.bytes;
  }
  if (!(total > 0) || !(length > 0)) return spread;

  // Where most die, what stays comes as births do: a burst of them is a crowd of survivors, and no load.
  double dying = 0;
  if (total < rules::kHardlyAnyDies * activity) {
    for (const SpreadBin& bin : bins) dying += Dying(bin);
  }
  const double newest_until = bins.front().from_s + rules::kNewestShare * length;
  double gap = 0;
  double gap_ended = 0;
  double seen = 0;
  double expected = 0;
  double newest_activity = 0;
  spread.largest_gap = 0;
  spread.empty = 0;
  for (size_t i = 0; i < bins.size(); ++i) {
    const SpreadBin& bin = bins[i];
    const double width = (bin.to_s - bin.from_s) / length;
    if (bin.count > 0) gap = 0;
    if (bin.count == 0 && gap == 0) gap_ended = bin.from_s;
    if (bin.count == 0) gap += width;
    if (gap > spread.largest_gap) {
      spread.largest_gap = gap;
      spread.gap_s = gap_ended;
    }
    spread.empty += width * ((bin.count > 0 ? 0 : 1) - std::exp(-total * width));
    const double explained = dying > 0 ? std::max(width, Dying(bin) / dying) : width;
    if (bin.count / total - explained > spread.largest_crowd) {
      spread.largest_crowd = bin.count / total - explained;
      spread.crowd_s = bin.from_s;
    }
    const double newest_part =
        std::clamp((newest_until - bin.from_s) / (bin.to_s - bin.from_s), 0.0, 1.0);
    spread.newest += (bin.count - bin.passing) * newest_part;
    newest_activity += bin.activity * newest_part;
    seen += bin.count - bin.passing;
    expected += staying * (activity > 0 ? std::min(width, bin.activity / activity) : width);
    if (seen <= rules::kOddOnes * expected) spread.overdue = expected;
  }
  const double newest_share = activity > 0
                                  ? std::min(rules::kNewestShare, newest_activity / activity)
                                  : rules::kNewestShare;
  spread.clumped = Clumped(bins, length, total, dying);
  spread.newest_expected = staying * newest_share;
  spread.slowing = Slowing(bins, bytes, [](const SpreadBin& bin) { return bin.to_s - bin.from_s; });
  spread.own_slowing = spread.share_slowing = spread.slowing;
  if (activity > 0) {
    const double share = Slowing(bins, bytes, [](const SpreadBin& bin) { return bin.activity; });
    spread.share_slowing = std::min(spread.slowing, share);
  }
  if (others > 0) {
    const double own = Slowing(bins, bytes, [](const SpreadBin& bin) { return bin.others; });
    spread.own_slowing = std::min(spread.slowing, own);
  }
  return spread;
}

std::vector<SpreadBin> BinsByAge(const SiteObservation& now, const SiteHistory& history,
                                 size_t first, size_t last, double oldest_s,
                                 std::span<const double> passing) {
  std::vector<SpreadBin> bins;
  HistorySegment before = history.SumSince(AgeBucketLowSeconds(first));
  for (size_t i = first; i <= last; ++i) {
    SpreadBin bin;
    bin.from_s = AgeBucketLowSeconds(i);
    bin.to_s = std::clamp(AgeBucketHighSeconds(i), bin.from_s * 1.001,
                          std::max(oldest_s, bin.from_s * 1.001));
    bin.count = now.living[i];
    bin.passing = std::min(bin.count, passing[i]);
    const HistorySegment since = history.SumSince(bin.to_s);
    const double births = i == last ? BirthsSince(history, bin.to_s) : since.births;
    bin.activity = births - before.births;
    bin.others =
        std::max<double>(0, since.traffic - before.traffic - (since.births - before.births));
    before = since;
    bins.push_back(bin);
  }
  return bins;
}

std::vector<SpreadBin> BinsByBirth(const SiteHistory& history, double seconds) {
  std::vector<SpreadBin> bins;
  double ago = 0;
  for (size_t i = history.size(); i-- > 0 && ago < seconds;) {
    const HistorySegment& segment = history.segment(i);
    const double part = std::min(1.0, (seconds - ago) / segment.seconds);
    SpreadBin bin;
    bin.from_s = ago;
    bin.to_s = ago = ago + part * segment.seconds;
    bin.count = part * segment.births;
    bin.bytes = part * segment.allocated_bytes;
    bin.activity = part * segment.traffic;
    bin.others = std::max(0.0F, segment.traffic - segment.births) * part;
    bins.push_back(bin);
  }
  return bins;
}

}  // namespace heapgauge
