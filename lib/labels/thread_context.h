// OpenTelemetry's thread context: attributes that the program publishes for each thread, for whoever
// observes it.
//
// Each thread has a pointer to a record in the exported thread-local variable otel_thread_ctx_v1:
// trace id, span id, a mark that it is valid, and attributes as (key's number, length, value).  The
// names of the keys lie elsewhere (process/process_context.h), so a label gets a key that stands
// for the number until a report names it.  Trace and span ids make no labels: each request has its
// own.  https://github.com/open-telemetry/opentelemetry-specification/blob/main/oteps/profiles/4947-thread-ctx.md
//
// SetOf() runs inside hooks, at each sample: no lock, no allocation, nothing that faults.
//
// H1  What the program publishes is believed in nothing: not that the pointer leads somewhere, not
//     a length.  Only the thread's own stack above this function and its thread-local storage are
//     read without asking first (base/readable.h), the latter only while no module has come since
//     it was found.
// H2  A record that is not marked valid, whose attributes can't be read, or whose address is odd is
//     as none.  Attributes end where one is not whole.
#ifndef HEAPGAUGE_LABELS_THREAD_CONTEXT_H_
#define HEAPGAUGE_LABELS_THREAD_CONTEXT_H_

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/atomic.h"
#include "base/macros.h"
#include "core_api/core_api.h"
#include "labels/context_symbol.h"
#include "labels/labels.h"
#include "trace/loader_clock.h"

namespace heapgauge {

class ThreadContext final {
 public:
  // A record is advised to have at most 640 bytes.
  static constexpr size_t kMostAttributeBytes = 4096;

  static ThreadContext& Get() noexcept { return instance_; }

  explicit constexpr ThreadContext(Labels& labels) noexcept : labels_(labels) {}
  ThreadContext(const ThreadContext&) = delete;
  ThreadContext& operator=(const ThreadContext&) = delete;

  // The set that a sample of the calling thread gets: the thread's own labels, and the attributes.
  HG_ALWAYS_INLINE uint16_t SetOf(const ThreadState& self, const LoaderClock& clock) noexcept {
    // acquire: pairs with the release in Find(); the places are complete.
    const ContextPlaces* const places = places_.load(std::memory_order_acquire);
    if (HG_LIKELY(places == nullptr)) return self.labels;
    return Read(self, *places, clock);
  }

  // Looks for the variable in the modules that are loaded.  Takes the loader's lock: inside a
  // ForkGate::Passage.  Any thread.
  void Find(const LoaderClock& clock) noexcept;
  // What a record of `bytes` bytes makes of `set`: for records that are read already.
  uint16_t WithAttributes(uint16_t set, const unsigned char* attributes, size_t bytes) noexcept;

 private:
  using Step = Atomic<uint64_t>;
  static constexpr unsigned kStepBits = 10;
  static constexpr size_t kKept = 8;

  static ThreadContext instance_;

  uint16_t Read(const ThreadState& self, const ContextPlaces& places,
                const LoaderClock& clock) noexcept;
  uint16_t SlowWith(uint16_t set, const unsigned char* attributes, size_t bytes) noexcept;

  Labels& labels_;
  Atomic<const ContextPlaces*> places_{nullptr};
  Atomic<uint64_t> found_at_{0};  // of the loader's clock; 0: never
  // One that is replaced may still be read: its memory is used again only eight changes later.
  std::array<ContextPlaces, kKept> kept_{};
  size_t next_ = 0;
  Atomic<uint32_t> asked_{0};
  Atomic<bool> busy_{false};
  // Upper 48 bits: a hash of what was asked, lower 16: the set.  In one word, so that a hit is read
  // whole or not at all.
  std::array<Step, size_t{1} << kStepBits> steps_{};
};

}  // namespace heapgauge

#endif  // HEAPGAUGE_LABELS_THREAD_CONTEXT_H_
