// What was born and died between two reports, by site: the garbage that an allocator is busy with.
//
// Of what is born, those are left that a report finds alive for the first time, and those that were
// born since the last one and live still; what is neither was temporary.  realloc is no death:
// StoredSite::moved_bytes.  A report's time lies a little behind its walk of the live table, for the
// clock that births are read from does, too.
//
// Begin(), See() of each sample of the live table, then Fill(): once a report.
// Report thread only.  May throw std::bad_alloc.
#ifndef HEAPGAUGE_REPORTER_TEMPORARY_FIGURES_H_
#define HEAPGAUGE_REPORTER_TEMPORARY_FIGURES_H_

#include <cstdint>
#include <vector>

#include "report/report.h"
#include "reporter/callsite_map.h"
#include "track/tracker.h"
#include "track/weights.h"

namespace heapgauge {

class TemporaryFigures final {
 public:
  static constexpr size_t kCallsites = 20;

  // `now_ns`: births after that are the next report's.  `is_look`: for a report that is not stored,
  // and so ends no time between two.
  void Begin(Tracker& tracker, uint64_t now_ns, bool is_look);
  void See(const LiveSample& sample) noexcept {
    if (sample.birth_ns <= since_ns_ || sample.birth_ns > now_ns_) return;
    if (sample.site >= seen_.size()) return;  // interned after we looked
    const bool is_older = sample.birth_ns <= until_ns_;
    Seen& seen = seen_[sample.site];
    (is_older ? seen.survived : seen.young).Add(sample);
  }
  void Fill(const CallsiteMap& callsites, Report& report);

  size_t memory_bytes() const { return survived_.capacity() * sizeof(Sum); }

 private:
  // Further back than the coarse clock lies, and than a block takes to be counted.
  static constexpr uint64_t kClockNs = 20'000'000;

  struct Sum {
    double objects = 0;
    double bytes = 0;
    double variance = 0;

    void Add(const LiveSample& sample) noexcept {
      objects += 1 + static_cast<double>(UnseenObjects(sample.weight)) * kObjectsUnit;
      bytes += static_cast<double>(BytesShare(sample.bytes, sample.weight)) * kBytesUnit;
      variance += VarianceShare(sample.bytes, sample.weight);
    }
    void Add(const Sum& other) noexcept {
      objects += other.objects;
      bytes += other.bytes;
      variance += other.variance;
    }
  };
  struct Seen {
    Sum allocated;
    Sum moved;
    Sum survived;  // born since the last report, and alive
    Sum young;     // since until_ns_: too early to say
  };

  std::vector<Sum> survived_;  // up to since_ns_, by index in the site table
  std::vector<Seen> seen_;     // of the report in the making
  uint64_t since_ns_ = 0;      // the last report
  uint64_t until_ns_ = 0;      // this one
  uint64_t now_ns_ = 0;
  bool has_begun_ = false;
  bool is_look_ = false;
};

}  // namespace heapgauge

#endif  // HEAPGAUGE_REPORTER_TEMPORARY_FIGURES_H_
