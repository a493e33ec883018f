#include "analyze/survivors.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "analyze/lumps.h"
#include "analyze/pauses.h"
#include "analyze/rules.h"
#include "analyze/statistics.h"
#include "analyze/survival.h"

namespace heapgauge {
namespace {

// Cuts the bucket that holds the oldest sample at its true age.
double HighSeconds(size_t bucket, double oldest_s) {
  const double high = AgeBucketHighSeconds(bucket);
  const double low = AgeBucketLowSeconds(bucket);
  return oldest_s > low && oldest_s < high ? oldest_s : high;
}

double MiddleSeconds(size_t bucket, double oldest_s) {
  return 0.5 * (AgeBucketLowSeconds(bucket) + HighSeconds(bucket, oldest_s));
}

// The 90 % bound by Wilson and Hilferty: good to a percent, and there are dozens of thresholds to
// compare.
double RoughPoissonUpper(double count) {
  const double n = count + 1;
  const double root = 1 - 1 / (9 * n) + 1.2816 / (3 * std::sqrt(n));
  return n * root * root * root;
}

// Log e-value of `count` against a Poisson variable of mean `expected`: the likelihood under an
// exponential prior of the mean, over that under the null; less the price of having chosen A among
// some forty.
double LogEvidence(double count, double expected) {
  if (count <= expected || expected <= 0) return 0;
  const double b = rules::kPriorSurvivors;
  const double leak = count * std::log(b) - (count + 1) * std::log1p(b);
  int sign = 0;
  const double null = count * std::log(expected) - expected - lgamma_r(count + 1, &sign);
  return leak - null - std::log(rules::kAgesTried);
}

// Sums over the samples beyond an age.
struct Beyond {
  double living = 0;
  double deaths = 0;
  double living_ages = 0;
  double death_ages = 0;
  double Exposure(double age_s) const { return living_ages - living * age_s; }
  double Residual(double age_s) const { return death_ages - deaths * age_s; }
};

Survivors FindBelow(const SiteObservation& now, const SiteHistory& history, double oldest_s,
                    bool leaves_more) {
  Survivors survivors;
  oldest_s = std::min(oldest_s, now.age_max_s);
  size_t end = kAgeBuckets;  // past the oldest of the living that may be looked at
  while (end > 0 && (now.living[end - 1] == 0 || AgeBucketLowSeconds(end - 1) >= oldest_s)) --end;
  if (end == 0 || !(oldest_s > 0)) return survivors;

  // From the oldest bucket down, so that the sums beyond A grow by one bucket at a time.
  const double births = static_cast<double>(std::max<uint64_t>(1, now.allocated_samples));
  const HistorySegment lately = history.SumSince(oldest_s);
  const double births_per_s = lately.seconds > 0 ? lately.births / lately.seconds : 0;
  Beyond beyond;
  Beyond chosen;
  double least_hazard = INFINITY;
  size_t first = kAgeBuckets;
  size_t seen_from = kAgeBuckets;
  double transient_beyond = 0;  // the next older age
  std::array<double, kAgeBuckets> passing{};
  for (size_t i = kAgeBuckets; i-- > 1;) {
    const double middle = MiddleSeconds(i, oldest_s);
    const double living = i < end ? now.living[i] : 0;
    const double deaths = now.deaths[i];
    beyond.living += living;
    beyond.deaths += deaths;
    beyond.living_ages += living * middle;
    beyond.death_ages += deaths * middle;
    const double age = AgeBucketLowSeconds(i);
    // Who passes this age and dies: how many of them live beyond it at a time?
    const double transient = beyond.Residual(age) * births_per_s / births;
    passing[i] = std::max(0.0, transient - transient_beyond);
    transient_beyond = transient;
    if (beyond.living == 0) continue;
    if (age * rules::kLeastReach <= oldest_s) {
      const double hazard = RoughPoissonUpper(beyond.deaths) / beyond.Exposure(age);
      if (hazard < least_hazard) {
        least_hazard = hazard;
        first = i;
        chosen = beyond;
      }
    }
    const bool mostly_stay = transient <= rules::kMostTransient * beyond.living;
    if (age * rules::kLeastSpread <= oldest_s && mostly_stay) seen_from = i;
  }
  if (first == kAgeBuckets) return survivors;
  // Those that died younger than any bucket are left out: a little longer, so a little more noise.
  const double mean_life_s = beyond.deaths > 0 ? beyond.death_ages / beyond.deaths : 0;

  size_t last = end - 1;  // bucket of the oldest that counts
  double left_out = 0;
  while (last > first && left_out + now.living[last] <= rules::kForerunners * chosen.living) {
    left_out += now.living[last];
    chosen.living_ages -= now.living[last] * MiddleSeconds(last, oldest_s);
    --last;
  }
  chosen.living -= left_out;
  survivors.threshold_s = AgeBucketLowSeconds(first);
  survivors.living = chosen.living;
  survivors.deaths = chosen.deaths;
  survivors.exposure_s = chosen.Exposure(survivors.threshold_s);
  survivors.span_s = HighSeconds(last, oldest_s);
  // One more death, after half of what was seen of the residual life: the record of the dead is
  // never complete.
  survivors.expected =
      (chosen.Residual(survivors.threshold_s) + 0.5 * (survivors.span_s - survivors.threshold_s)) *
      births_per_s / births;
  survivors.log_evidence = LogEvidence(survivors.living, survivors.expected);
  const double born =
      history.SumSince(survivors.span_s).births - history.SumSince(survivors.threshold_s).births;
  survivors.share = born > 0 ? std::min(1.0, survivors.living / born) : 1.0;
  if (survivors.share >= rules::kBirthsWillDo) {
    survivors.spread =
        MeasureSpread(BinsByBirth(history, std::min(survivors.span_s, history.seconds())));
    survivors.spread.most_clumped = rules::kClumpedBirths;
  } else if (seen_from < kAgeBuckets) {
    survivors.spread =
        MeasureSpread(BinsByAge(now, history, seen_from, last, survivors.span_s, passing));
  }
  // The sweeps make lumps of the history, of which the survivors know nothing.
  if (leaves_more) return survivors;
  double young = 0;
  for (size_t i = 0; i < first; ++i) young += now.living[i];
  survivors.spread.lumps = Lumps(history, survivors.span_s, survivors.living, young, mean_life_s,
                                 survivors.share < rules::kHardlyAnyDies);
  if (survivors.share < rules::kBirthsWillDo) {
    survivors.spread.growth_clumped =
        ClumpedGrowth(history, survivors.span_s, survivors.living, mean_life_s);
  }
  return survivors;
}

// Samples alive that are older than the one age and younger than the other.
double LivingBetween(const SiteObservation& now, double young_s, double old_s) {
  double living = 0;
  for (size_t i = 0; i < kAgeBuckets; ++i) {
    if (now.living[i] == 0) continue;
    const double low = AgeBucketLowSeconds(i);
    const double high = HighSeconds(i, now.age_max_s);
    const double part = std::min(high, old_s) - std::max(low, young_s);
    if (part > 0) living += now.living[i] * std::min(1.0, part / std::max(1e-9, high - low));
  }
  return living;
}

// Slowing that makes births, or the share of them that stays, so many times as large before.
double FadeOf(double ratio) {
  // Between the middles of the two stretches lies about half of the time: over all of it, twice
  // that.
  return ratio < rules::kLeastFade || ratio > rules::kLoadRatio ? 0 : 2 * std::log(ratio);
}

// What was cut off may be the steep beginning of a curve that flattens, of which the rest looks
// straight: then births just before the cut, or the share of them that stayed, were more than
// since, but no load.  A load that ended before a pause is no beginning of anything.
void FadeFromBefore(const SiteObservation& now, const SiteHistory& history, const Pause& pause,
                    Survivors& survivors) {
  const double span = survivors.span_s;
  const double since = history.SumSince(span).births;
  if (!(since > 0)) return;
  Spread& spread = survivors.spread;
  for (const double part : {rules::kBeforeCut, 2 * rules::kBeforeCut}) {
    if (pause.began_s >= span && pause.began_s <= (1 + part) * span) break;
    const double before = history.SumSince((1 + part) * span).births - since;
    const double fade = FadeOf(before / part / since);
    spread.slowing = std::max(spread.slowing, fade);
    if (fade > 0) spread.own_slowing = std::max(spread.own_slowing, spread.slowing);
    const double stayed = LivingBetween(now, span, (1 + part) * span);
    const double stay = LivingBetween(now, survivors.threshold_s, span);
    if (before < 1 || stay <= 0) continue;
    spread.share_slowing = std::max(spread.share_slowing, FadeOf(stayed / before / (stay / since)));
  }
}

// A load or a pause that what came before may be left out at.
bool HasCrowdOrGap(const Spread& spread) {
  if (spread.largest_crowd > rules::kCrowd || spread.lumps > rules::kCrowd) return true;
  return spread.largest_gap >= rules::kGapInBirths &&
         (spread.largest_gap >= rules::kLongGapInBirths || spread.empty >= rules::kEmpty);
}

// Samples alive that may be about to die.
double Younger(const SiteObservation& now, double age_s) { return LivingBetween(now, 0, age_s); }

// What is kept until so many others have come, as a cache keeps it, grows old where hardly anything comes
// any more: births fell, few came since, and what lives did not become more by as many.
bool TakeTheirPlace(const Survivors& survivors, const SiteHistory& history) {
  const HistorySegment since = history.SumSince(survivors.span_s);
  const HistorySegment newest = history.SumSince(rules::kNewestShare * survivors.span_s);
  const bool fell = newest.births < rules::kFellShare * since.births;
  return fell && survivors.spread.newest < rules::kSinceItFell &&
         since.births - since.deaths < rules::kAddedShare * survivors.living;
}

bool Fades(const Survivors& survivors) {
  return survivors.share >= rules::kHardlyAnyDies ? SlowsDown(survivors)
                                                  : ShareFalls(survivors, false);
}

}  // namespace

bool SlowsDown(const Survivors& survivors) {
  // What is left of a curve that flattens looks straighter when its beginning is cut off.
  const double chance = std::sqrt(12 / survivors.living);
  return survivors.spread.slowing > (survivors.cut
                                         ? rules::kCutSlowing + rules::kCutSlowingErrors * chance
                                         : rules::kSlowing + rules::kSlowingErrors * chance);
}

bool ShareFalls(const Survivors& survivors, bool early) {
  const double chance = early ? 0 : std::sqrt(12 / survivors.living);
  return survivors.spread.share_slowing > rules::kShareFalls + rules::kShareErrors * chance;
}

double Survivors::HazardSpan(double confidence) const {
  if (!(exposure_s > 0)) return INFINITY;
  return PoissonUpper(deaths, confidence) * span_s / exposure_s;
}

bool IsUneven(const Spread& spread) {
  return HasCrowdOrGap(spread) || spread.clumped > spread.most_clumped ||
         spread.growth_clumped > rules::kClumpedGrowth;
}

bool IsEven(const Spread& spread) {
  return spread.largest_crowd < rules::kEvenCrowd && spread.lumps < rules::kEvenCrowd &&
         spread.largest_gap < rules::kEvenGap && spread.empty < rules::kEvenEmpty;
}

Survivors FindSurvivors(const SiteObservation& now, const SiteHistory& history, double oldest_s,
                        double lately_s, bool leaves_more) {
  Survivors all = FindBelow(now, history, oldest_s, leaves_more);
  const HistorySegment lately = history.SumSince(lately_s);
  all.dying_lately = (lately.deaths - 0.5 * lately.births) /
                     std::sqrt(std::max(1.0F, lately.deaths + lately.births));
  // What was set up long ago and stays may hide a leak that began since: look again without it.
  Survivors some = all;
  Pause pause;
  if (Fades(all) || HasCrowdOrGap(all.spread)) {
    pause = FindPause(history, all.span_s, Younger(now, all.threshold_s));
  }
  const auto is_load = [&pause](const Survivors& seen) {
    return !seen.cut && pause.ended_s > 0 && Fades(seen);
  };
  for (int cut = 0; cut < rules::kMostCuts && (HasCrowdOrGap(some.spread) || is_load(some));
       ++cut) {
    const Spread& spread = some.spread;
    const double ended = !HasCrowdOrGap(spread)                 ? pause.ended_s
                         : spread.largest_crowd > rules::kCrowd ? spread.crowd_s
                                                                : spread.gap_s;
    const double younger = AgeBucketLowSeconds(AgeBucket(static_cast<uint64_t>(ended * 1e9)));
    if (!(younger > 0) || younger >= some.span_s) break;
    some = FindBelow(now, history, younger, leaves_more);
    some.cut = true;
    some.dying_lately = all.dying_lately;
    FadeFromBefore(now, history, pause, some);
    if (IsUneven(some.spread)) continue;
    some.take_places = TakeTheirPlace(some, history);
    return some;
  }
  all.take_places = TakeTheirPlace(all, history);
  return all;
}

}  // namespace heapgauge
