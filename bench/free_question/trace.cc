#include "free_question/trace.h"

#include <malloc.h>

#include <cstdlib>

#include "sample/sampler.h"
#include "workloads/workload.h"

namespace free_question {
namespace {

constexpr size_t kPage = 4096;
constexpr size_t kKeptBytes = 1024;

class Blocks {
 public:
  explicit Blocks(Placement placement) : placement_(placement) {}

  void* Sampled(size_t bytes) {
    if (placement_ == Placement::kAsItComes) return std::malloc(bytes);
    if (placement_ == Placement::kAligned || bytes > kKeptBytes)
      return std::aligned_alloc(kPage, bytes);
    if (kept_.empty()) return std::aligned_alloc(kPage, kKeptBytes);
    void* const block = kept_.back();
    kept_.pop_back();
    return block;
  }
  void Release(void* block, bool sampled, size_t bytes) {
    if (sampled && placement_ == Placement::kKept && bytes <= kKeptBytes) {
      kept_.push_back(block);
    } else {
      std::free(block);
    }
  }

 private:
  Placement placement_;
  std::vector<void*> kept_;
};

}  // namespace

std::vector<Event> MakeTrace(const TraceOptions& options, size_t* heap_bytes) {
  struct Slot {
    void* block = nullptr;
    size_t bytes = 0;
    bool sampled = false;
  };
  // Everything is reserved first: what the trace itself allocates must not come between the blocks.
  std::vector<Slot> slots(options.slots);
  std::vector<Event> events;
  events.reserve(options.requests * 2);
  Blocks blocks(options.placement);
  workload::Random random(23);
  uint64_t until_sample = 0;
  for (uint64_t i = 0; i < options.requests; ++i) {
    Slot& slot = slots[random.Below(options.slots)];
    if (slot.block != nullptr) {
      events.push_back({reinterpret_cast<uintptr_t>(slot.block), Event::kDeath});
      blocks.Release(slot.block, slot.sampled, slot.bytes);
    }
    slot.bytes = workload::UsualSize(random);
    slot.sampled = slot.bytes >= until_sample;
    if (slot.sampled) {
      until_sample = static_cast<uint64_t>(heapgauge::NegativeLog(random.Next() >> 11) *
                                           static_cast<double>(options.interval)) +
                     1;
      slot.block = blocks.Sampled(slot.bytes);
      events.push_back({reinterpret_cast<uintptr_t>(slot.block), Event::kSampledBirth});
    } else {
      until_sample -= slot.bytes;
      slot.block = std::malloc(slot.bytes);
    }
  }
  *heap_bytes = mallinfo2().arena;
  for (const Slot& slot : slots) std::free(slot.block);
  return events;
}

}  // namespace free_question
