// What the stores know of one site at the moment of a report.  The analysis sees nothing else of
// the process, so it is arithmetic on values: no clock, no thread, no file.
#ifndef HEAPGAUGE_ANALYZE_OBSERVATION_H_
#define HEAPGAUGE_ANALYZE_OBSERVATION_H_

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/age_buckets.h"

namespace heapgauge {

// Cumulative figures are since tracking began and never go down (but for freed/allocated_objects,
// which a realloc of a sampled block may correct downwards).  "Estimate": sum over samples of 1/p,
// or bytes/p, p the inclusion probability.
struct SiteObservation {
  double time_s = 0;  // monotonic, since tracking began

  // Estimates, cumulative.
  double allocated_bytes = 0;
  double freed_bytes = 0;
  double allocated_objects = 0;
  double freed_objects = 0;
  // Sampling variance of allocated_bytes and of freed_bytes: sum of bytes^2 (1-p)/p^2 [byte^2],
  // cumulative.
  double allocated_variance = 0;
  double freed_variance = 0;
  // Raw samples, cumulative.
  uint64_t allocated_samples = 0;
  uint64_t freed_samples = 0;

  // Of the living, now.
  double live_bytes = 0;
  double live_objects = 0;
  double live_variance = 0;  // [byte^2]
  uint64_t live_samples = 0;
  double age_max_s = 0;
  // Of their memory no less has been touched, whatever the program does: the start of each block of
  // ordinary size [bytes].
  double least_resident = 0;
  // Raw samples among the freed ones that were found dead: released past us, nobody knows when.
  uint64_t unseen_deaths = 0;
  // Raw samples among the living ones whose block lies in what the allocator holds as free.
  uint64_t free_samples = 0;

  std::array<uint32_t, kAgeBuckets> deaths{};  // samples that died at that age, cumulative
  std::array<uint32_t, kAgeBuckets> living{};  // samples alive at that age, now
};

// Adds what one stack or site has to what others have, ages included.
void AddObservation(SiteObservation& sum, const SiteObservation& site);

}  // namespace heapgauge

#endif  // HEAPGAUGE_ANALYZE_OBSERVATION_H_
