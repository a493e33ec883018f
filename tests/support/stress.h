// How much a race test does: ThreadSanitizer makes every access ten times slower, and a scheduler
// that perturbs lets threads wait.
#ifndef HEAPGAUGE_TESTS_SUPPORT_STRESS_H_
#define HEAPGAUGE_TESTS_SUPPORT_STRESS_H_

#include <cstddef>

namespace heapgauge::test {

#if defined(HEAPGAUGE_MARKED_POINTS)
inline constexpr size_t kStress = 2;
#elif defined(__SANITIZE_THREAD__)
inline constexpr size_t kStress = 6;
#else
inline constexpr size_t kStress = 40;
#endif

}  // namespace heapgauge::test

#endif  // HEAPGAUGE_TESTS_SUPPORT_STRESS_H_
