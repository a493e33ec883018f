// Samples whose fields all follow from one number, so that a mixture of two is recognised.
#ifndef HEAPGAUGE_TESTS_UNIT_STORE_SAMPLES_H_
#define HEAPGAUGE_TESTS_UNIT_STORE_SAMPLES_H_

#include <cstdint>

#include "store/live_table.h"

namespace heapgauge::test {

inline LiveSample SampleOf(uint64_t number) {
  LiveSample sample;
  sample.bytes = number % (uint64_t{1} << 47) + 1;
  sample.birth_ns = number * 3 + 1;
  sample.site = static_cast<uint32_t>(number * 5) & 0xFFFFF;
  sample.labels = static_cast<uint16_t>(number * 11);
  sample.weight = static_cast<float>(number % 1000 + 1);
  sample.unaligned = number % 7 == 0;
  return sample;
}

inline bool Equal(const LiveSample& a, const LiveSample& b) {
  return a.bytes == b.bytes && a.birth_ns == b.birth_ns && a.site == b.site &&
         a.labels == b.labels && a.weight == b.weight && a.unaligned == b.unaligned;
}

// True when all fields come from the same number; birth_ns tells which.
inline bool IsWhole(const LiveSample& sample) {
  return sample.birth_ns % 3 == 1 && Equal(sample, SampleOf((sample.birth_ns - 1) / 3));
}

}  // namespace heapgauge::test

#endif  // HEAPGAUGE_TESTS_UNIT_STORE_SAMPLES_H_
