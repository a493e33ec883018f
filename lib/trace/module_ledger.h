// Which module an address belonged to when a stack was taken.
//
// A program that loads and unloads plugins puts one where another was: the same return address is
// then another function's.  So every module that is seen on a stack gets a record here that stays
// when the module goes, and a stack with frames in a module that lies where another one was says
// so: its records' numbers are part of what the stack is (site_table.h).
//
// Sampled paths ask only after the loader has loaded something (loader_clock.h), or while a module
// lies where another was.  They take no lock: _dl_find_object() says which module an address is in,
// and a module that is on the stack stays as long as it is.
//
// Cost: two loads a sample where no address ever changed hands; a record is some 150 bytes and its
// module's name, at most kMost of them for the life of the process.
//
// M1  A record is complete before it can be reached, and never changes but for `seen_at`.
// M2  Records that are no successors do not overlap each other.
// M3  Two records differ in place, name or content: a module that comes back gets its old one.
// M4  What a stack names (successors) wins over what it does not (the others); a stack names every
//     successor that it has frames in.
#ifndef HEAPGAUGE_TRACE_MODULE_LEDGER_H_
#define HEAPGAUGE_TRACE_MODULE_LEDGER_H_

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/atomic.h"
#include "base/content_hash.h"
#include "base/macros.h"
#include "base/page_arena.h"
#include "elf/build_id.h"
#include "trace/loader_clock.h"
#include "trace/stack_trace.h"

struct dl_phdr_info;

namespace heapgauge {

// What tells a module from every other.
struct ModuleFacts {
  uintptr_t begin = 0;  // of all its segments
  uintptr_t end = 0;
  uintptr_t bias = 0;     // run-time address - address in the ELF file
  const char* name = "";  // as the loader has it: "" is the program itself
  uint64_t content = 0;   // without a build-id: a hash of its head and its tables
  FileHead head;          // where there is no build-id
  size_t build_id_size = 0;
  std::array<uint8_t, kMaxBuildIdBytes> build_id{};
};

struct ModuleRecord {
  ModuleFacts facts;
  uint32_t number = 0;                  // from 1
  bool successor = false;               // it lies where another one was
  const ModuleRecord* next = nullptr;   // M1: of one bucket
  mutable Atomic<uint64_t> seen_at{0};  // when it was last found in its place

  bool Covers(uintptr_t address) const noexcept {
    return facts.begin <= address && address < facts.end;
  }
};

class ModuleLedger final {
 public:
  static constexpr uint32_t kMost = 4096;
  static constexpr uintptr_t kUnknown =
      ~uintptr_t{0};  // in place of a number: no record was to be had
  static constexpr size_t kMostNamed = kOwnFramesMost;  // of one stack

  constexpr explicit ModuleLedger(PageArena& arena) noexcept : arena_(&arena) {}
  ModuleLedger(const ModuleLedger&) = delete;
  ModuleLedger& operator=(const ModuleLedger&) = delete;

  // Once.  Takes the loader's lock; without memory every module is as if it never moved.
  void Initialize() noexcept;

  const LoaderClock& clock() const noexcept { return clock_; }

  // Sampled path: writes the numbers of the successors that the trace has frames in behind its
  // frames (there is room for kMostNamed) and returns how many.  `now`: the clock, before the
  // stack was walked.
  HG_ALWAYS_INLINE size_t NameSuccessors(StackTrace& trace, uint64_t now) noexcept {
    // acquire: pairs with the release in TakeStock(); the successors that it found are counted.
    if (HG_LIKELY(stock_at_.load(std::memory_order_acquire) == now &&
                  successors_.load(std::memory_order_relaxed) == 0)) {
      return 0;
    }
    return FindSuccessors(trace, now);
  }

  // Takes in all modules that are loaded.  Takes the loader's lock: inside a ForkGate::Passage, and
  // not on sampled paths.
  void TakeStock() noexcept;

  // The record of a stack's address: `named` are the numbers that came with the stack. nullptr:
  // outside of every module that is known.
  const ModuleRecord* HolderOf(uintptr_t address, const uintptr_t* named,
                               size_t named_count) const noexcept;
  // The module is not known, and neither is anything that is known to lie there: kUnknown was
  // named.
  static bool IsUnknown(const uintptr_t* named, size_t named_count) noexcept {
    return named_count != 0 && named[named_count - 1] == kUnknown;
  }

  // M1.  Numbers from 1 to size().
  uint32_t size() const noexcept;
  const ModuleRecord* At(uint32_t number) const noexcept;

  // The record of this module: the one there is, or a new one; nullptr when there is no room.
  const ModuleRecord* Enter(const ModuleFacts& facts) noexcept;

 private:
  static constexpr size_t kBuckets = 256;

  struct Stock {
    ModuleLedger* ledger;
    uint64_t now;
  };
  static int TakeIn(dl_phdr_info* info, size_t size, void* stock) noexcept;
  static size_t BucketOf(uintptr_t begin) noexcept {
    return (begin * 0x9E3779B97F4A7C15U) >> 56;  // 8 bits: kBuckets
  }
  size_t FindSuccessors(StackTrace& trace, uint64_t now) noexcept;
  // Sets whether the address lies in a module at all.
  const ModuleRecord* FindRecord(uintptr_t address, uint64_t now, bool* in_module) noexcept;
  ModuleRecord* Make(const ModuleFacts& facts) noexcept;

  PageArena* arena_;
  LoaderClock clock_;
  Atomic<uint64_t> stock_at_{0};  // all modules that were loaded then are known
  Atomic<uint32_t> successors_{0};
  Atomic<uint32_t> size_{0};
  Atomic<Atomic<ModuleRecord*>*> records_{nullptr};  // by number - 1
  std::array<Atomic<const ModuleRecord*>, kBuckets> buckets_{};
};

}  // namespace heapgauge

#endif  // HEAPGAUGE_TRACE_MODULE_LEDGER_H_
