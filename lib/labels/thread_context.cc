#include "labels/thread_context.h"

#include <algorithm>
#include <cstring>
#include <string_view>

#include "base/readable.h"

namespace heapgauge {
namespace {

constexpr char kVariable[] = "otel_thread_ctx_v1";

// Of a record; in the machine's own order of bytes, without gaps.
constexpr size_t kValidAt = 24;
constexpr size_t kSizeAt = 26;
constexpr size_t kHeadBytes = 28;
constexpr unsigned char kValid = 1;

uint64_t WordAt(const unsigned char* at) noexcept {
  uint64_t word;
  std::memcpy(&word, at, sizeof word);
  return word;
}

// Two at a time, for a multiplication takes longer than the rest.
uint64_t Hash(uint64_t seed, const unsigned char* bytes, size_t size) noexcept {
  constexpr uint64_t kMixer = 0x9E3779B97F4A7C15U;
  constexpr uint64_t kOther = 0xC2B2AE3D27D4EB4FU;
  uint64_t a = (seed + size) * kMixer;
  uint64_t b = ~seed * kOther;
  const auto take = [&](uint64_t first, uint64_t second) {
    a = (a ^ first) * kMixer;
    b = (b ^ second) * kOther;
    a ^= a >> 32;
    b ^= b >> 29;
  };
  size_t at = 0;
  for (; size - at >= 16; at += 16) take(WordAt(bytes + at), WordAt(bytes + at + 8));
  if (size - at >= 8) {
    take(WordAt(bytes + at), 0);
    at += 8;
  }
  uint64_t rest = 0;
  for (; at < size; ++at) rest = (rest << 8) | bytes[at];
  take(rest, 1);
  a = (a ^ (b << 32) ^ (b >> 32)) * kMixer;
  return a ^ (a >> 32);
}

}  // namespace

constinit ThreadContext ThreadContext::instance_{Labels::Get()};

void ThreadContext::Find(const LoaderClock& clock) noexcept {
  // relaxed: as in Read().
  if (clock.watches() && found_at_.load(std::memory_order_relaxed) == clock.Now()) return;
  // seq_cst, all: either the one who is busy sees that it was asked, or it is no longer busy.
  asked_.fetch_add(1, std::memory_order_seq_cst);
  while (!busy_.exchange(true, std::memory_order_seq_cst)) {
    const uint32_t asked = asked_.load(std::memory_order_seq_cst);
    const uint64_t now = clock.Now();
    const ContextPlaces found = FindThreadLocal(kVariable);
    const ContextPlaces* const known = places_.load(std::memory_order_relaxed);  // relaxed: busy
    if (found.count == 0) {
      places_.store(nullptr, std::memory_order_release);  // release: as below
    } else if (known == nullptr || found != *known) {
      ContextPlaces& to = kept_[next_++ % kKept];
      to = found;
      places_.store(&to, std::memory_order_release);  // release: pairs with SetOf()
    }
    found_at_.store(now, std::memory_order_relaxed);  // relaxed: Read() says what it is for
    busy_.store(false, std::memory_order_seq_cst);
    if (asked_.load(std::memory_order_seq_cst) == asked) return;
  }
}

uint16_t ThreadContext::Read(const ThreadState& self, const ContextPlaces& places,
                             const LoaderClock& clock) noexcept {
  // A module that has come since may have got the number, and the block, of one that is gone.
  // relaxed: while another thread looks, the module that it looks for is not yet in use here.
  const bool is_new = found_at_.load(std::memory_order_relaxed) != clock.Now();
  const uintptr_t here = reinterpret_cast<uintptr_t>(__builtin_frame_address(0));
  for (size_t i = 0; i < places.count; ++i) {
    AddressRange block;
    const uintptr_t variable = AddressOf(places.places[i], &block);
    if (variable == 0) continue;
    if (HG_UNLIKELY(is_new)) {
      block = {};
      if (!places.places[i].is_static && !IsReadable(variable)) continue;
    }
    const uintptr_t record = *reinterpret_cast<const uintptr_t*>(variable);
    if (record == 0 || record % 2 != 0) continue;
    // H1.
    const auto is_there = [&](uintptr_t from, size_t bytes) {
      if (from + bytes < from) return false;
      if (from >= block.begin && from + bytes <= block.end) return true;
      if (from >= here && here >= self.stack_low && from + bytes <= self.stack_high) return true;
      return IsReadable(reinterpret_cast<const void*>(from), bytes);
    };
    if (!is_there(record, kHeadBytes)) continue;
    const auto* const bytes = reinterpret_cast<const unsigned char*>(record);
    if (bytes[kValidAt] != kValid) continue;
    uint16_t size;
    std::memcpy(&size, bytes + kSizeAt, sizeof size);
    if (size == 0) return self.labels;
    const size_t taken = std::min<size_t>(size, kMostAttributeBytes);
    const uintptr_t last = record + kHeadBytes + taken - 1;
    // Its head was found readable with the page that it is on.
    const bool same_page = (record + kHeadBytes - 1) / kReadablePage == last / kReadablePage;
    if (!same_page && !is_there(record + kHeadBytes, taken)) continue;
    return WithAttributes(self.labels, bytes + kHeadBytes, taken);
  }
  return self.labels;
}

uint16_t ThreadContext::WithAttributes(uint16_t set, const unsigned char* attributes,
                                       size_t bytes) noexcept {
  const uint64_t hash = Hash(set, attributes, bytes);
  Step& step = steps_[hash % steps_.size()];
  const uint64_t known = step.load(std::memory_order_relaxed);  // relaxed: thread_context.h
  constexpr uint64_t kSetMask = 0xFFFF;
  if (HG_LIKELY(((known ^ hash) & ~kSetMask) == 0 && known != 0)) {
    return static_cast<uint16_t>(known);
  }
  const uint16_t after = SlowWith(set, attributes, bytes);
  step.store((hash & ~kSetMask) | after, std::memory_order_relaxed);  // relaxed: as above
  return after;
}

uint16_t ThreadContext::SlowWith(uint16_t set, const unsigned char* attributes,
                                 size_t bytes) noexcept {
  struct Attribute {
    const char* value;
    unsigned char key;
    unsigned char size;
  };
  // Of one key the last one holds.
  std::array<Attribute, Labels::kMostOfSet> all{};
  size_t count = 0;
  for (size_t at = 0; bytes - at >= 2;) {
    const unsigned char key = attributes[at];
    const unsigned char size = attributes[at + 1];
    at += 2;
    if (bytes - at < size) break;
    const auto* const value = reinterpret_cast<const char*>(attributes + at);
    at += size;
    size_t i = 0;
    while (i < count && all[i].key != key) ++i;
    if (i == all.size()) continue;
    all[i] = {value, key, size};
    if (i == count) ++count;
  }
  for (size_t i = 0; i < count; ++i) {
    if (all[i].size == 0) continue;
    set = labels_.With(set, labels_.Published(all[i].key, {all[i].value, all[i].size}));
  }
  return set;
}

}  // namespace heapgauge
