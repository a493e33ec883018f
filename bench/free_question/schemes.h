// Answers to free()'s question "is this block a sampled one?", behind one interface, each as its
// authors would write it.  All end in the same live table, so what differs is what keeps ordinary
// blocks away from it.
#ifndef HEAPGAUGE_BENCH_FREE_QUESTION_SCHEMES_H_
#define HEAPGAUGE_BENCH_FREE_QUESTION_SCHEMES_H_

#include <array>
#include <atomic>
#include <cstdint>

#include "base/page_arena.h"
#include "core_api/core_api.h"
#include "store/live_table.h"

namespace free_question {

using heapgauge::Control;
using heapgauge::LiveSample;
using heapgauge::LiveTable;
using heapgauge::PageArena;
using heapgauge::SampleFilter;

// The live table, behind a call, as it is in the tracker: in another shared object.
class Table {
 public:
  __attribute__((noinline)) void Insert(uintptr_t block) { table_.Insert(block, LiveSample{}); }
  __attribute__((noinline)) bool Take(uintptr_t block) {
    LiveSample sample;
    return table_.Take(block, &sample);
  }
  size_t bytes() const { return arena_.held_bytes(); }

 private:
  PageArena arena_{size_t{1} << 30};
  LiveTable table_{arena_};
};

// No question: every free() looks its block up.
class Lookup {
 public:
  static constexpr char kName[] = "lookup";
  void Born(uintptr_t block) { table_.Insert(block); }
  bool Died(uintptr_t block) { return table_.Take(block); }
  size_t bytes() const { return table_.bytes(); }

 private:
  Table table_;
};

// Blocks are 16 bytes apart at least: the bits below say nothing.
template <unsigned kLog2>
size_t HashOf(uintptr_t block) {
  return (block >> 4) * 0x9E3779B97F4A7C15U >> (64 - kLog2);
}

// A bit for each hashed address: one load and a test a free().  Small enough for the first-level
// cache; but two samples that share a bit are one too many: the first death clears it, and the
// second goes unseen.
template <unsigned kLog2>
class Bitset {
 public:
  void Born(uintptr_t block) {
    const size_t hash = HashOf<kLog2>(block);
    words_[hash / 64].fetch_or(uint64_t{1} << hash % 64, std::memory_order_relaxed);
    table_.Insert(block);
  }
  bool Died(uintptr_t block) {
    const size_t hash = HashOf<kLog2>(block);
    const uint64_t bit = uint64_t{1} << hash % 64;
    if ((words_[hash / 64].load(std::memory_order_relaxed) & bit) == 0) [[likely]] {
      return false;
    }
    if (!table_.Take(block)) return false;
    words_[hash / 64].fetch_and(~bit, std::memory_order_relaxed);
    return true;
  }
  size_t bytes() const { return table_.bytes() + sizeof(words_); }

 private:
  std::array<std::atomic<uint64_t>, (size_t{1} << kLog2) / 64> words_{};
  Table table_;
};

// The same without the loss: a count for each hashed address.
template <unsigned kLog2>
class HashedCounts {
 public:
  void Born(uintptr_t block) {
    counts_[HashOf<kLog2>(block)].fetch_add(1, std::memory_order_relaxed);
    table_.Insert(block);
  }
  bool Died(uintptr_t block) {
    std::atomic<uint16_t>& count = counts_[HashOf<kLog2>(block)];
    if (count.load(std::memory_order_relaxed) == 0) [[likely]] {
      return false;
    }
    if (!table_.Take(block)) return false;
    count.fetch_sub(1, std::memory_order_relaxed);
    return true;
  }
  size_t bytes() const { return table_.bytes() + sizeof(counts_); }

 private:
  std::array<std::atomic<uint16_t>, size_t{1} << kLog2> counts_{};
  Table table_;
};

// Ours: the address says so, then the filter by page, then the table.
template <bool kFiltered>
class Aligned {
 public:
  void Born(uintptr_t block) {
    filter_.Add(block);
    table_.Insert(block);
  }
  bool Died(uintptr_t block) {
    if (!control_.MayBeSampled(block)) return false;
    if (kFiltered && !filter_.MayHold(block)) return false;
    if (!table_.Take(block)) return false;
    filter_.Remove(block);
    return true;
  }
  size_t bytes() const { return table_.bytes() + (kFiltered ? sizeof(filter_) : 0); }

 private:
  Control control_;
  SampleFilter filter_;
  Table table_;
};

}  // namespace free_question

#endif  // HEAPGAUGE_BENCH_FREE_QUESTION_SCHEMES_H_
