// What LeakSanitizer's API (lsan_api.cc) and the core know of each other: the library exports this
// structure, and the core, where it finds it, fills in what it can do.
#ifndef HEAPGAUGE_LSAN_LSAN_HOOKS_H_
#define HEAPGAUGE_LSAN_LSAN_HOOKS_H_

#include <cstdint>

namespace heapgauge {

inline constexpr char kLsanHooksName[] = "heapgauge_lsan_hooks";
// What is born with this label is never told as lost, nor what hangs on it.
inline constexpr char kLsanLabelKey[] = "lsan";
inline constexpr char kLsanLabelValue[] = "ignored";

struct LsanHooks {
  static constexpr uint32_t kVersion = 1;
  uint32_t version = kVersion;
  // Looks for what is lost now: how many objects; -1 where that can't be done.  `last`: what is found
  // is the process's answer, and none is looked for at its end.
  int64_t (*check)(bool last) = nullptr;
};

}  // namespace heapgauge

#endif  // HEAPGAUGE_LSAN_LSAN_HOOKS_H_
