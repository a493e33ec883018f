#include "graph/thread_record.h"

#include <dlfcn.h>

#include <atomic>
#include <cstring>

namespace heapgauge {
namespace {

constexpr uint32_t kWord = sizeof(uintptr_t);
constexpr uint32_t kMost = 0x900;  // that a field lies behind the record's begin

std::atomic<uint32_t> g_result{0};  // where it lies; 0: not known
std::atomic<uint32_t> g_number{0};  // the thread's

// Three words: how many bits, how many of them, where.  0: there is no such field.
uint32_t PlaceOf(const char* field, uint32_t bits) noexcept {
  const auto* const told =
      static_cast<const uint32_t*>(dlvsym(RTLD_DEFAULT, field, "GLIBC_PRIVATE"));
  if (told == nullptr || told[0] != bits || told[1] != 1 || told[2] > kMost) return 0;
  return told[2];
}

template <typename Value>
Value Take(const char* bytes, uint32_t at) noexcept {
  Value value;
  std::memcpy(&value, bytes + at, sizeof(value));
  return value;
}

}  // namespace

void LearnThreadRecord() noexcept {
  const uint32_t start = PlaceOf("_thread_db_pthread_start_routine", 8 * kWord);
  const uint32_t number = PlaceOf("_thread_db_pthread_tid", 32);
  if (start < 4 * kWord || start % kWord != 0 || number == 0 || number + 4 * kWord > start ||
      PlaceOf("_thread_db_pthread_schedparam_sched_priority", 32) != start - 8 ||
      PlaceOf("_thread_db_pthread_schedpolicy", 32) != start - 4) {
    return;
  }
  // relaxed, both: read by a thread that is started later.
  g_number.store(number, std::memory_order_relaxed);
  g_result.store(start - 8 - kWord, std::memory_order_relaxed);
}

uintptr_t ResultIn(const char* bytes, size_t count, uintptr_t record) noexcept {
  const uint32_t result = g_result.load(std::memory_order_relaxed);  // relaxed: as above
  if (result == 0 || result + kWord > count) return 0;
  // Whoever joins it makes the number negative, and what is over has 0.
  if (Take<int32_t>(bytes, g_number.load(std::memory_order_relaxed)) < 0) return 0;
  // A detached one waits for itself; in older versions its flags lie between.
  for (uint32_t at = result - 2 * kWord; at < result; at += kWord) {
    if (Take<uintptr_t>(bytes, at) == record) return 0;
  }
  return Take<uintptr_t>(bytes, result);
}

}  // namespace heapgauge
