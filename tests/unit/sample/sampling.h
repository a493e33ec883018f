// A thread that allocates, as its sampler sees it.
#ifndef HEAPGAUGE_TESTS_UNIT_SAMPLE_SAMPLING_H_
#define HEAPGAUGE_TESTS_UNIT_SAMPLE_SAMPLING_H_

#include <cmath>
#include <cstdint>

#include "sample/sampler.h"

namespace heapgauge::test {

// What the hooks do with a request: the interval it was sampled by, 0 if it was not.
inline uint64_t Request(Sampler& sampler, size_t bytes, uint64_t interval_now) {
  return sampler.Crosses(bytes) ? sampler.TakeSample(bytes, interval_now) : 0;
}

// Written out here and not taken from track/weights.h: the law that the sampler has to keep.
inline double Probability(uint64_t bytes, uint64_t interval) {
  if (interval == Sampler::kExact) return 1;
  return -std::expm1(-static_cast<double>(bytes) / static_cast<double>(interval));
}

}  // namespace heapgauge::test

#endif  // HEAPGAUGE_TESTS_UNIT_SAMPLE_SAMPLING_H_
