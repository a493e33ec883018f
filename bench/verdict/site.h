// A simulated site: populations of objects that are born, sampled and die.
//
// Only sampled objects are simulated.  Each object is sampled on its own with p = 1 - exp(-bytes /
// interval), so the sampled births of a Poisson process are a Poisson process of p times its rate:
// exact, and a thousand times faster than simulating every object.
#ifndef HEAPGAUGE_BENCH_VERDICT_SITE_H_
#define HEAPGAUGE_BENCH_VERDICT_SITE_H_

#include <cstdint>
#include <functional>
#include <limits>
#include <vector>

#include "analyze/observation.h"
#include "random.h"

namespace heapgauge::sim {

inline constexpr double kNever = std::numeric_limits<double>::infinity();

// One block at a time that is known, of a size of its own.
struct Block {
  double born_s;
  double dies_s;
  double bytes;
};

struct Population {
  std::function<double(double)> births_per_s;  // of all objects, sampled or not, at that time
  std::function<double(double, Random&)>
      dies_at;  // of an object born then; kNever: at the end only
  double bytes = 64;
  double cluster = 1;  // objects that are born and die together
  bool leaks = false;
  std::vector<Block> blocks = {};  // in the order of their births; in place of the above
};

class Site final {
 public:
  Site(uint64_t key, double interval_bytes, std::vector<Population> populations);

  // Lives on until `time_s`, with `steps` constant rates on the way.
  void AdvanceTo(double time_s, int steps, Random& random);
  SiteObservation Observe() const;
  // From now on each object belongs to one of `parts`, some of which have far more than others;
  // what leaks, where that is said, to the first alone.  Before the first AdvanceTo().
  void Split(size_t parts, bool leak_in_first, Random& random);
  size_t parts() const { return parts_.size(); }
  SiteObservation ObservePart(size_t part) const;
  uint64_t leaked_samples_of(size_t part) const { return parts_[part].leaked; }
  // Sampled objects that are alive and at least so old: those that leak, and the others.
  struct Survivors {
    uint64_t leaked = 0;
    uint64_t others = 0;
    double oldest_s = 0;  // of those that leak
    double newest_s = 0;
  };
  Survivors OlderThan(double age_s) const;
  // When the n-th sampled object was leaked; kNever before.
  double nth_leak_s(size_t n) const { return n < leaks_s_.size() ? leaks_s_[n] : kNever; }
  // At that time the process is stopped for so long: its own time (everywhere here) stands still,
  // but the clock that dates what is observed goes on, so that whatever lives then is that much
  // older.
  void Stop(double at_s, double seconds);

  uint64_t key() const { return key_; }
  uint64_t samples() const { return counters_.allocated_samples; }
  bool leaks() const { return leaks_; }
  // The truth about the leak: bytes (with the objects that were not sampled), samples, since when,
  // until when.
  double leaked_bytes() const { return leaked_bytes_; }
  uint64_t leaked_samples() const { return leaked_samples_; }
  double first_leak_s() const { return first_leak_s_; }  // kNever before
  double last_leak_s() const { return last_leak_s_; }

 private:
  struct Sample {
    double born_s;
    double dies_s;
    double bytes;
    double p;
    uint32_t part;
    bool leaks;
  };
  struct Part {
    double up_to = 0;  // of all objects, those before it included
    SiteObservation counters;
    uint64_t leaked = 0;
  };
  uint32_t AnyPart(bool leaks, Random& random) const;
  SiteObservation WithLiving(SiteObservation observation, size_t part) const;
  void Births(const Population& population, double from_s, double to_s, Random& random);
  void BirthsOf(const std::vector<Block>& blocks, double from_s, double to_s, Random& random);
  void Live(const Sample& sample, double until_s);
  void Die(const Sample& sample);
  double Age(const Sample& sample, double until_s) const;

  uint64_t key_;
  bool leaks_ = false;
  double interval_bytes_;
  std::vector<Population> populations_;
  std::vector<Sample> living_;
  std::vector<Part> parts_;
  bool leak_in_first_ = false;
  SiteObservation counters_;  // its cumulative half
  double stopped_at_s_ = kNever;
  double stopped_for_s_ = 0;
  double leaked_bytes_ = 0;
  uint64_t leaked_samples_ = 0;
  double first_leak_s_ = kNever;
  std::vector<double> leaks_s_;  // of the first ones; not sorted within a step
  double last_leak_s_ = 0;
};

}  // namespace heapgauge::sim

#endif  // HEAPGAUGE_BENCH_VERDICT_SITE_H_
