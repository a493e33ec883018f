#include "report/sentences.h"

#include <fmt/core.h>

#include <cmath>

#include "report/units.h"

namespace heapgauge {
namespace {

constexpr double kWorthSaying = 0.05;  // an error of less is no news

std::string Rate(const GrowthFacts& growth, RateUnit unit) {
  return fmt::format("{} (95 %: {} to {})", FormatRate(growth.bytes_per_s, unit),
                     FormatRate(growth.interval.low, unit), FormatRate(growth.interval.high, unit));
}

std::string BirthRate(const BirthFacts& births) {
  const std::string rate = FormatFrequency(births.per_s);
  const double error = kSigmas95 * births.error;
  return error > kWorthSaying ? fmt::format("{} +/- {:.0f} %", rate, std::ceil(100 * error)) : rate;
}

std::string Births(const BirthFacts& births) {
  switch (births.trend) {
    case BirthFacts::Trend::kUnknown:
      return fmt::format("{} births were sampled in the last {}, too few to tell a rate",
                         births.samples > 0 ? FormatCount(births.samples) : "no",
                         FormatDuration(births.window_s));
    case BirthFacts::Trend::kSteady:
      return "births steady at " + BirthRate(births);
    case BirthFacts::Trend::kRose:
      return fmt::format("births rose {}-fold, to {}", FormatFactor(births.ratio),
                         BirthRate(births));
    case BirthFacts::Trend::kFell:
      return fmt::format("births fell to {} of what they were, to {}", FormatPercent(births.ratio),
                         BirthRate(births));
    case BirthFacts::Trend::kEnded:
      return fmt::format("none was born in the last {}, after {} before",
                         FormatDuration(births.quiet_s), BirthRate(births));
  }
  return {};
}

// "in the last 40 min", "from 40 min to 30 s ago".
std::string BornWhen(const SurvivorFacts& survivors, double shortest) {
  if (survivors.until_s <= shortest * survivors.from_s) {
    return "in the last " + FormatDuration(survivors.from_s);
  }
  return fmt::format("from {} to {} ago", FormatDuration(survivors.from_s),
                     FormatDuration(survivors.until_s));
}

// `shortest`: share of the span below which its end may as well be now.
std::string StillAlive(const SurvivorFacts& survivors, double shortest = 0) {
  const std::string born = FormatCount(survivors.born);
  return fmt::format("{} sampled objects born here {} are still alive",
                     survivors.living >= survivors.born
                         ? "all " + born
                         : fmt::format("{} of {}", FormatCount(survivors.living), born),
                     BornWhen(survivors, shortest));
}

std::string MostStay(const Evidence& evidence) {
  const bool ended = evidence.births.trend == BirthFacts::Trend::kEnded;
  std::string sentence = StillAlive(evidence.survivors, 1e-3);
  if (evidence.survivors.undiminished) sentence += ", and they come undiminished";
  sentence += (ended ? "; but " : "; ") + Births(evidence.births);
  if (evidence.is_doubtful) {
    sentence += "; so far a cache that fills or a long time to live would look the same";
  }
  return sentence;
}

std::string Dead(const Evidence& evidence) {
  if (evidence.freed_samples == 0) return "nothing born here has died yet";
  if (!evidence.lifetime_p999_s) return "nobody saw at what age others died";
  return "of all that died, 99.9 % were gone within " + FormatDuration(*evidence.lifetime_p999_s);
}

std::string SomeStay(const Evidence& evidence) {
  const double deaths = evidence.survivors.deaths;
  const std::string fate = deaths == 0
                               ? "none that old ever died"
                               : fmt::format("only {} that old ever died", FormatCount(deaths));
  return fmt::format("{}, and {}; {}; {}", StillAlive(evidence.survivors), fate, Dead(evidence),
                     Births(evidence.births));
}

std::string Rises(const Evidence& evidence, RateUnit unit) {
  const std::string risen =
      fmt::format("live bytes have risen by {} for {}", Rate(evidence.growth, unit),
                  FormatDuration(evidence.growth.window_s));
  if (evidence.freed_samples == 0) {
    return risen + "; nothing born here has died yet, too early to call it a leak";
  }
  std::string dead = "some have died";
  if (evidence.lifetime_p99_s) {
    dead = "of those that died, 99 % were gone within " + FormatDuration(*evidence.lifetime_p99_s);
  }
  return fmt::format("{}; {}; {}", risen, dead, Births(evidence.births));
}

std::string OfItself(const Evidence& evidence, RateUnit unit) {
  const std::string window = FormatDuration(evidence.growth.window_s);
  switch (evidence.claim) {
    case Claim::kNone:
      return {};
    case Claim::kTooFew:
      return fmt::format("seen in {} {}, too few to say", evidence.reports,
                         evidence.reports == 1 ? "report" : "reports");
    case Claim::kNotFollowed:
      return "among too many sites to be followed so far";
    case Claim::kNoGrowth:
      return "no growth beyond chance in the last " + window;
    case Claim::kMayGrow:
      return fmt::format("may be growing, too little is seen to be sure: {} in the last {}",
                         Rate(evidence.growth, unit), window);
    case Claim::kHasGrown:
      return fmt::format("has grown by {} in the last {}, and hardly any more of late",
                         FormatBytes(evidence.gained_bytes), window);
    case Claim::kFellBack:
      return fmt::format("has not grown in the last {}: what it gained it lost again", window);
    case Claim::kStopped:
      return "was a leak and stopped: of what was born lately nothing stays; what leaked before is "
             "still held";
    case Claim::kDiesAfterAll:
      return "was called a leak, but what seemed to stay dies after all" +
             (evidence.lifetime_p999_s
                  ? ", 99.9 % of the dead within " + FormatDuration(*evidence.lifetime_p999_s)
                  : std::string());
    case Claim::kFades:
      return "was called a leak, but births fade though the traffic does not, as where a cache "
             "fills";
    case Claim::kIsLoad:
      return fmt::format(
          "live bytes follow the traffic: they rose {}-fold in the last {} and {}; objects still "
          "live {} on average",
          FormatFactor(evidence.live_ratio), window, Births(evidence.births),
          FormatDuration(evidence.mean_life_s));
    case Claim::kRises:
      return Rises(evidence, unit);
    case Claim::kDoubles:
      return fmt::format(
          "the few blocks alive here grew by half or more {} times, as a buffer that doubles does",
          evidence.doublings);
    case Claim::kMostStay:
      return MostStay(evidence);
    case Claim::kSomeStay:
      return SomeStay(evidence);
    case Claim::kLost:
      return fmt::format(
          "nothing points any more to {} of {} sampled objects born here that were looked for, so "
          "nobody can free them; {}",
          FormatCount(static_cast<double>(evidence.lost.lost)),
          FormatCount(static_cast<double>(evidence.lost.checked)), Births(evidence.births));
    case Claim::kAllFreed:
      return "piled up until the last report, and all of it has been freed since";
    case Claim::kDiesUnseen:
      return fmt::format(
          "not called a leak: {} of its {} sampled blocks that ended were freed past heapgauge, "
          "unseen",
          FormatCount(static_cast<double>(evidence.unseen_deaths)),
          FormatCount(static_cast<double>(evidence.freed_samples)));
    case Claim::kInDoubt:
      return "not called a leak: " + Sentence(evidence.doubt);
  }
  return {};
}

std::string PartName(const RssFacts& rss) {
  switch (rss.part) {
    case RssPart::kLiveHeap:
      return "live heap";
    case RssPart::kAllocator:
      return "memory the allocator keeps after the program freed it (fragmentation, caches)";
    case RssPart::kFiles:
      return "files mapped into memory, outside the heap";
    case RssPart::kShared:
      return "shared memory, outside the heap";
    case RssPart::kTracker:
      return "heapgauge's own memory, outside the heap";
    case RssPart::kAnonymous:
      if (rss.by_threads) {
        return fmt::format(
            "stacks of threads, outside the heap: there are {} threads, and ever more",
            FormatCount(static_cast<double>(rss.threads)));
      }
      return "anonymous memory outside the heap (mappings, stacks)";
    case RssPart::kNone:
      break;
  }
  return "nothing";
}

// What the figure that is exceeded says there is.
std::string Against(const Doubt& doubt) {
  const std::string most = FormatBytes(doubt.most_bytes);
  switch (doubt.against) {
    case Doubt::Against::kNothing:
      break;
    case Doubt::Against::kAllocator:
      return "the allocator has given out " + most;
    case Doubt::Against::kResident:
      return fmt::format("no more than {} is resident or swapped out", most);
    case Doubt::Against::kMapped:
      return fmt::format("no more than {} is mapped", most);
  }
  return {};
}

}  // namespace

std::string Sentence(const Evidence& evidence, RateUnit unit) {
  const std::string sentence = OfItself(evidence, unit);
  switch (evidence.of) {
    case Evidence::Of::kItself:
      break;
    case Evidence::Of::kOneStack:
      return "at one of its stacks " + sentence;
    case Evidence::Of::kOneFunction:
      return "at one of the functions that it calls " + sentence;
  }
  return sentence;
}

std::string Sentence(const ProcessEvidence& evidence, RateUnit unit) {
  if (evidence.doubt) return Sentence(*evidence.doubt);
  if (evidence.leaks_die_unseen) {
    return "no leak is called: blocks of what grows are freed past heapgauge, unseen";
  }
  std::string sentence = Sentence(evidence.own, unit);
  if (evidence.sites > 0) {
    sentence = (evidence.sites == 1
                    ? "one call site: "
                    : FormatCount(static_cast<double>(evidence.sites)) + " call sites, first: ") +
               sentence;
  }
  const RssFacts& rss = evidence.rss;
  if (rss.OutsideLiveHeap()) {
    sentence += fmt::format("; resident set grows by {}, most of it ({}) {}",
                            FormatRate(rss.rss_bytes_per_s, unit),
                            FormatRate(rss.bytes_per_s, unit), PartName(rss));
  }
  if (evidence.coverage < 1) {
    sentence += fmt::format(
        "; only {} of the references to the allocator lead to heapgauge, and frees by the others "
        "are not seen",
        FormatPercent(evidence.coverage));
  }
  return sentence;
}

std::string Sentence(const Doubt& doubt) {
  std::string sentence = "the figures are not to be trusted: ";
  const std::string against = Against(doubt);
  if (!against.empty()) {
    sentence +=
        fmt::format("a live heap of {} can't be: {}", FormatBytes(doubt.alive_bytes), against);
  }
  if (doubt.unseen_deaths > 0) {
    sentence += fmt::format("{}{} of {} sampled blocks that ended were freed past heapgauge",
                            against.empty() ? "" : ", and ",
                            FormatCount(static_cast<double>(doubt.unseen_deaths)),
                            FormatCount(static_cast<double>(doubt.ended_samples)));
  } else {
    sentence += "; blocks are freed past heapgauge";
  }
  return sentence + " (by another name, or by another allocator)";
}

}  // namespace heapgauge
