#include "analyze/evidence.h"

#include <algorithm>
#include <cmath>

#include "analyze/rules.h"
#include "analyze/text.h"

namespace heapgauge {
namespace {

std::string RateWithInterval(const SlopeEstimate& slope) {
  return text::BytesPerSecond(slope.slope) + " (95 %: " + text::BytesPerSecond(slope.Low()) +
         " to " + text::BytesPerSecond(slope.High()) + ")";
}

constexpr double kSigmas95 = 1.96;
constexpr double kWorthSaying = 0.05;  // an error of less is no news

std::string Births(const SiteMeasures& measures) {
  if (!(measures.births_per_s > 0)) return "none born lately";
  std::string rate = text::PerSecond(measures.births_per_s);
  const double error = kSigmas95 * measures.births_error;
  if (error > kWorthSaying) rate += " +/- " + text::Number(std::ceil(100 * error)) + " %";
  if (BirthsAreSteady(measures)) return "births steady at " + rate;
  if (measures.births_ratio > 1)
    return "births rose " + text::Number(measures.births_ratio) + "-fold, to " + rate;
  return "births fell to " + rate;
}

std::string OfAllThatDied(const SiteMeasures& measures) {
  if (!measures.lifetime_p999_s) return "nothing born here has died yet";
  return "of all that died, 99.9 % were gone within " + text::Duration(*measures.lifetime_p999_s);
}

std::string Leak(const SiteMeasures& measures, const SiteState& state) {
  const Survivors& survivors = measures.survivors;
  const auto living = static_cast<uint64_t>(std::llround(survivors.living));
  const auto deaths = static_cast<uint64_t>(std::llround(survivors.deaths));
  const std::string span = text::Duration(survivors.span_s);
  // At the end of a process, say.
  if (living == 0) return "piled up until the last report, and all of it has been freed since";
  if (survivors.share >= 0.5) {
    const auto born = static_cast<uint64_t>(std::llround(survivors.living / survivors.share));
    return (living >= born ? "all " : text::Count(living) + " of the ") + text::Count(born) +
           " sampled objects born here in the last " + span +
           " are still alive, and they come undiminished; " + Births(measures) +
           (state.leak_confidence < rules::kHardlyBelieved
                ? "; so far a cache that fills or a long time to live would look the same"
                : "");
  }
  const auto born = static_cast<uint64_t>(std::llround(survivors.living / survivors.share));
  const std::string stayed = text::Count(living) + " of " + text::Count(born) +
                             " sampled objects born here in the last " + span + " live on past " +
                             text::Duration(survivors.threshold_s);
  const std::string fate = deaths == 0
                               ? ", and none that old ever died"
                               : ", and only " + text::Count(deaths) + " that old ever died";
  return stayed + fate + "; " + OfAllThatDied(measures) + "; " + Births(measures);
}

std::string Growing(const SiteMeasures& measures, const SiteState& state) {
  if (state.doublings > 0) {
    return "the few blocks alive here grew by half or more " +
           text::Count(uint64_t{state.doublings}) + " times, as a buffer that doubles does";
  }
  std::string sentence = "live bytes have risen by " +
                         RateWithInterval(measures.growth.bytes_per_s) + " for " +
                         text::Duration(measures.growth.window_s);
  if (!measures.lifetime_p99_s)
    return sentence + "; nothing born here has died yet, too early to call it a leak";
  return sentence + "; objects still die (99 % of the dead within " +
         text::Duration(*measures.lifetime_p99_s) + "), " + Births(measures);
}

std::string Load(const SiteMeasures& measures) {
  return "live bytes follow the traffic: " + Births(measures) + ", and objects still live " +
         text::Duration(measures.mean_life_s) + " on the average";
}

std::string LateDeaths(const SiteMeasures& measures) {
  if (!measures.lifetime_p999_s) return "at ages seen before only alive";
  return "99.9 % within " + text::Duration(*measures.lifetime_p999_s);
}

std::string Steady(const SiteMeasures& measures, const SiteState& state) {
  switch (state.ended) {
    case LeakEnd::kStopped:
      return "was a leak and stopped: of what was born lately nothing stays; what leaked before is "
             "still held";
    case LeakEnd::kDying:
      return "was called a leak, but what seemed to stay dies after all, " + LateDeaths(measures);
    case LeakEnd::kFilling:
      return "was called a leak, but births fade though the traffic does not, as where a cache "
             "fills";
    case LeakEnd::kNone:
      break;
  }
  if (measures.growth.bytes_per_s.Low() > 0) {
    return std::string(measures.still_rising ? "may be growing, too little is seen to be sure"
                                             : "has grown, and no more of late") +
           ": " + RateWithInterval(measures.growth.bytes_per_s) + " in " +
           text::Duration(measures.growth.window_s);
  }
  return "no growth beyond chance in " + text::Duration(measures.growth.window_s) + ": " +
         RateWithInterval(measures.growth.bytes_per_s);
}

}  // namespace

std::string SiteEvidence(Verdict verdict, const SiteMeasures& measures, const SiteState& state) {
  switch (verdict) {
    case Verdict::kWarming:
      return "seen in " + text::Count(measures.reports) +
             (measures.reports == 1 ? " report" : " reports") + ", too few to say";
    case Verdict::kSteady:
      return Steady(measures, state);
    case Verdict::kLoad:
      return Load(measures);
    case Verdict::kGrowing:
      return Growing(measures, state);
    case Verdict::kLeak:
      return Leak(measures, state);
  }
  return {};
}

}  // namespace heapgauge
