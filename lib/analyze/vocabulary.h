// The words that the analysis and the report share.
#ifndef HEAPGAUGE_ANALYZE_VOCABULARY_H_
#define HEAPGAUGE_ANALYZE_VOCABULARY_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace heapgauge {

// In rising order of alarm, so that the worst of several is their maximum.
enum class Verdict : uint8_t { kWarming, kSteady, kLoad, kGrowing, kLeak };

// The words of the report: a site is "steady" where the process is "ok".
constexpr std::string_view SiteVerdictName(Verdict verdict) {
  constexpr std::string_view kNames[] = {"warming", "steady", "load", "growing", "leak"};
  return kNames[static_cast<size_t>(verdict)];
}
constexpr std::string_view ProcessVerdictName(Verdict verdict) {
  return verdict == Verdict::kSteady ? "ok" : SiteVerdictName(verdict);
}

// Of 95 %, wherever nothing else is said.
struct Interval {
  double low = 0;
  double high = 0;

  bool IsAbove(double value) const { return low > value; }
  bool IsBelow(double value) const { return high < value; }
  bool operator==(const Interval&) const = default;
};

// What the resident set consists of.
enum class RssPart : uint8_t {
  kNone,
  kLiveHeap,
  kAllocator,
  kFiles,
  kShared,
  kTracker,
  kAnonymous
};
inline constexpr size_t kRssParts = 7;

}  // namespace heapgauge

#endif  // HEAPGAUGE_ANALYZE_VOCABULARY_H_
