#include "analyze/lumps.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "analyze/rules.h"

namespace heapgauge {
namespace {

// Variance of the net growth of a stretch in which so many were to stay: births and deaths make it at
// most, but of those that come and go only who lives at one of its ends is seen in it.
double VarianceOf(const HistorySegment& sum, double stay, double mean_life_s) {
  const double births_per_s = sum.births / sum.seconds;
  return std::min<double>(sum.births + sum.deaths, stay + 2 * births_per_s * mean_life_s);
}

// Of so many segments together.
double LumpsOf(const SiteHistory& history, double seconds, double survivors, double births,
               double mean_life_s, bool by_births, size_t few) {
  double lumps = 0;
  double ago = 0;
  for (size_t i = history.size(); i > 0 && ago < seconds;) {
    HistorySegment sum;
    for (size_t k = 0; k < few && i > 0 && ago < seconds; ++k) {
      const HistorySegment& segment = history.segment(--i);
      ago += segment.seconds;
      sum.seconds += segment.seconds;
      sum.births += segment.births;
      sum.deaths += segment.deaths;
    }
    const double net = sum.births - sum.deaths;
    const double width = sum.seconds / seconds;
    const double explained = std::max(width, by_births ? sum.births / births : 0);
    const double variance = VarianceOf(sum, explained * survivors, mean_life_s);
    const double noise = rules::kLumpErrors * std::sqrt(variance);
    const double share = std::max(0.0, std::abs(net) - noise) / survivors;
    // What comes with a burst of traffic goes with it: the one cancels the other.
    lumps += net < 0 ? -share : std::max(0.0, share - explained);
  }
  return lumps;
}

double BirthsPerSecond(const HistorySegment& segment) {
  return segment.births / std::max(1e-9F, segment.seconds);
}

}  // namespace

double Lumps(const SiteHistory& history, double seconds, double survivors, double others,
             double mean_life_s, bool by_births) {
  const double births = history.SumSince(seconds).births;
  if (!(births > 0) || !(survivors > 0)) return 0;
  // What comes and goes within a few looks is no lump, though the noise hides less of its coming,
  // in which nothing dies, than of its going.
  const double lumps = std::min(
      LumpsOf(history, seconds, survivors, births, mean_life_s, by_births, 1),
      LumpsOf(history, seconds, survivors, births, mean_life_s, by_births, rules::kFewLooks));
  // Whoever lives and is no survivor came in some segment, too; let it have been a lump.
  return std::max(0.0, lumps - others / survivors);
}

double ClumpedGrowth(const SiteHistory& history, double seconds, double survivors,
                     double mean_life_s) {
  if (!(survivors > 1)) return 0;
  const double births = history.SumSince(seconds).births;
  double together = 0;
  double evenly = 0;
  double with_births = 0;
  double variance_of_it = 0;
  double ago = 0;
  for (size_t i = history.size(); i-- > 0 && ago < seconds;) {
    const HistorySegment& segment = history.segment(i);
    ago += segment.seconds;
    if (ago > seconds && ago - seconds > 0.5 * segment.seconds) break;
    const double width = segment.seconds / seconds;
    const double dying = births > 0 ? segment.births / births : 0;
    const double mean = survivors * std::max(width, dying);
    // Where traffic changes, so does the number of those that live for a while; and they may all go at once.
    const HistorySegment& before = history.segment(i > 0 ? i - 1 : i);
    const HistorySegment& after = history.segment(std::min(i + 1, history.size() - 1));
    const double change = (BirthsPerSecond(after) - BirthsPerSecond(before)) * mean_life_s;
    const double alive = BirthsPerSecond(segment) * mean_life_s;
    const double variance =
        VarianceOf(segment, mean, mean_life_s) + change * change + alive * alive;
    const double net = segment.births - segment.deaths;
    together += net * net - variance;
    evenly += width * width;
    with_births += dying * dying;
    variance_of_it += 2 * variance * variance + 4 * mean * mean * variance;
  }
  const double of_all = survivors * survivors;
  return together / of_all - std::max(evenly, with_births) -
         rules::kClumpErrors * std::sqrt(variance_of_it) / of_all;
}

}  // namespace heapgauge
