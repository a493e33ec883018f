// What a verdict stands on: a closed set of claims, each with the figures that make it true.
//
// Values and no words: report/sentences.h writes the sentence, and reads nothing but what stands
// here.  Who makes a claim fills in the figures named beside it; the others stay as they are.
#ifndef HEAPGAUGE_ANALYZE_EVIDENCE_H_
#define HEAPGAUGE_ANALYZE_EVIDENCE_H_

#include <cstdint>
#include <optional>

#include "analyze/vocabulary.h"

namespace heapgauge {

enum class Claim : uint8_t {
  kNone,          // nothing is said
  kTooFew,        // reports: too few to say anything
  kNotFollowed,   // there are too many sites
  kNoGrowth,      // growth, which is no more than chance
  kMayGrow,       // growth, which other sites' chance may explain
  kHasGrown,      // gained_bytes, growth.window_s; lately no more
  kFellBack,      // growth.window_s; what it gained it lost again
  kStopped,       // was a leak; what came lately does not stay
  kDiesAfterAll,  // was called a leak; lifetime_p999_s
  kFades,         // was called a leak; births fade as where a cache fills
  kIsLoad,        // births, live_ratio, mean_life_s
  kRises,         // growth, births, lifetime_p99_s, freed_samples; the cause is open
  kDoubles,       // doublings of the few blocks that are alive
  kMostStay,      // a leak where hardly anything dies: survivors, births, is_doubtful
  kSomeStay,      // a leak among what dies: survivors, births, lifetime_p999_s, freed_samples
  kLost,          // a leak: nothing points to `lost` any more; births
  kAllFreed,      // a leak until the last report, and all of it was freed since
  kDiesUnseen,    // no leak: unseen_deaths of freed_samples ended past us
  kInDoubt,       // no leak: the figures contradict themselves; doubt
};

// How often objects are born, and whether that changes.
struct BirthFacts {
  enum class Trend : uint8_t {
    kUnknown,  // too few samples to tell a rate: `samples` of them in window_s
    kSteady,   // both halves of window_s have the same rate but for chance
    kRose,     // the later half has `ratio` times the rate of the earlier one: per_s is the later's
    kFell,     // the same
    kEnded,    // none for quiet_s, which is no chance; per_s is the rate before
  };
  Trend trend = Trend::kUnknown;
  double window_s = 0;
  double samples = 0;  // in window_s
  double per_s = 0;    // objects, estimated
  double error = 0;    // its relative standard error, of sampling
  double ratio = 1;
  double quiet_s = 0;
  bool operator==(const BirthFacts&) const = default;
};

struct GrowthFacts {
  double bytes_per_s = 0;
  Interval interval;    // of it
  double window_s = 0;  // for how long it has been so
  bool operator==(const GrowthFacts&) const = default;
};

// Samples that outlive the others.
struct SurvivorFacts {
  double living = 0;         // of those born from from_s to until_s ago
  double born = 0;           // in that time
  double deaths = 0;         // at ages above until_s, ever
  double from_s = 0;         // ago
  double until_s = 0;        // ago; 0: now
  bool undiminished = true;  // born as evenly as chance allows
  bool operator==(const SurvivorFacts&) const = default;
};

// What a look through memory found (lost.h).
struct LostFinding {
  uint64_t checked = 0;  // sampled objects
  uint64_t lost = 0;     // of them
  // Of the lost: from the oldest to the newest, and how old the newest was then [s].
  double span_s = 0;
  double newest_s = 0;
  bool operator==(const LostFinding&) const = default;
};

// Why the figures of a whole report are not to be trusted.
struct Doubt {
  enum class Against : uint8_t { kNothing, kAllocator, kResident, kMapped };
  Against against = Against::kNothing;  // whose figure alive_bytes exceeds, and
  double alive_bytes = 0;
  double most_bytes = 0;       // what that figure is
  uint64_t unseen_deaths = 0;  // of ended_samples
  uint64_t ended_samples = 0;
  bool operator==(const Doubt&) const = default;
};

struct Evidence {
  enum class Of : uint8_t { kItself, kOneStack, kOneFunction };  // of the site, or a part of it

  Claim claim = Claim::kNone;
  Of of = Of::kItself;
  bool is_doubtful = false;  // what fills or lives long would look the same
  uint32_t reports = 0;
  uint32_t doublings = 0;
  GrowthFacts growth;
  double gained_bytes = 0;
  double live_ratio = 1;  // mean live bytes in the later half of the window over the earlier one
  double mean_life_s = 0;
  BirthFacts births;
  SurvivorFacts survivors;
  LostFinding lost;
  std::optional<double> lifetime_p99_s;  // of the dead
  std::optional<double> lifetime_p999_s;
  uint64_t freed_samples = 0;
  uint64_t unseen_deaths = 0;
  Doubt doubt;
  bool operator==(const Evidence&) const = default;
};

// Which part of the resident set grows, and how fast.
struct RssFacts {
  RssPart part = RssPart::kNone;  // the one that grew most, if the resident set grows significantly
  double bytes_per_s = 0;         // of that part
  double rss_bytes_per_s = 0;     // of the whole
  bool by_threads = false;        // kAnonymous, and ever more threads explain it: their stacks
  uint64_t threads = 0;

  bool OutsideLiveHeap() const { return part != RssPart::kNone && part != RssPart::kLiveHeap; }
};

struct ProcessEvidence {
  // Call sites that have the process's verdict; 0: `own` is of the live heap as a whole.
  uint64_t sites = 0;
  Evidence own;  // else of the first of them
  RssFacts rss;
  bool leaks_die_unseen = false;  // what grows is freed past us: no leak is called
  double coverage = 1;            // share of the references to the allocator that lead to us
  std::optional<Doubt> doubt;     // then nothing else counts
};

}  // namespace heapgauge

#endif  // HEAPGAUGE_ANALYZE_EVIDENCE_H_
