// What the two shared objects know of each other: the shim (libheapgauge.so, in every host) and the
// core (libheapgauge-core.so, loaded privately).  Two tables of function pointers and the state
// they share.
//
// Both come from one build as a rule, but an upgrade may replace the files one by one: the core
// refuses a shim whose version or sizes differ, and the shim then passes everything through.
#ifndef HEAPGAUGE_CORE_API_CORE_API_H_
#define HEAPGAUGE_CORE_API_CORE_API_H_

#include <dlfcn.h>

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "core_api/ended.h"
#include "heapgauge/heapgauge.h"
#include "sample/sampler.h"

namespace heapgauge {

inline constexpr uint32_t kCoreApiVersion = 9;
inline constexpr char kCoreEntryName[] = "heapgauge_core_entry";

// One thread's part of the tracker: a single cache line of initial-exec TLS in the shim.  All zero
// at thread start, never destroyed: allocations in TLS destructors still find it.
struct ThreadState {
  Sampler sampler;
  // Non-zero while this thread is inside the tracker: what it allocates then is not the program's.
  uint32_t depth = 0;
  // This thread is ours (the reporter): nothing it does is sampled.
  bool exempt = false;
  bool stack_known = false;  // the two bounds are set
  uint16_t ended = 0;        // Ended: what system call filters leave of our work (track/filters.h)
  uintptr_t stack_low = 0;   // bounds of this thread's stack, for the frame-pointer walk
  uintptr_t stack_high = 0;
  // The frame record (the caller's frame pointer, the return address) of the shim's function that
  // calls the core: a walk begins there and leaves the core's own frames out.
  const uintptr_t* shim_frame = nullptr;
  // core_api/label_context.h
  uint16_t labels = 0;  // the set that this thread's samples get
  uint16_t path = 0;    // the services that the request at hand has passed
  uint16_t scopes = 0;  // open ones
};
static_assert(sizeof(ThreadState) <= 64,
              "one cache line, and a small part of the static TLS surplus");

// free()'s second question, for addresses that look sampled: does any sample lie on this page?
// Counts of samples by page number, so that "no" is certain.  It is needed because an allocator
// hands a sampled block's address out again as an ordinary one, and soon, for what was released
// last comes first: without it nearly every free() of a program with a small working set ends in
// the live table.
//
// Every sample is counted but exact ones; those set Control::exact, and the filter is asked no
// more.
class SampleFilter final {
 public:
  // relaxed throughout: a count rises before its block is returned to the program and falls after
  // the block's free() has begun, and the program orders these with the MayHold() of that free().
  void Add(uintptr_t block) noexcept {
    counts_[IndexOf(block)].fetch_add(1, std::memory_order_relaxed);
  }
  void Remove(uintptr_t block) noexcept {
    counts_[IndexOf(block)].fetch_sub(1, std::memory_order_relaxed);
  }
  HG_ALWAYS_INLINE bool MayHold(uintptr_t block) const noexcept {
    return counts_[IndexOf(block)].load(std::memory_order_relaxed) != 0;
  }

 private:
  // By page and without a hash: 256 MiB of one heap fall on different counts, and neighbours share
  // cache lines.  16 bits don't overflow: 65536 samples on one count would lie 16 TiB apart.
  static constexpr size_t kCounts = size_t{1} << 16;
  static constexpr unsigned kPageBits = 12;
  static constexpr size_t IndexOf(uintptr_t block) noexcept {
    return (block >> kPageBits) % kCounts;
  }

  std::atomic<uint16_t> counts_[kCounts] = {};
};

// Written by the core, read by the hooks.  On one cache line with the pointers to the next
// allocator, so that the hooks touch no line but that and the thread's own.
struct Control {
  // free()'s question "can p be sampled?" is (p & mask) == 0, mask the low half of free_word:
  // kAlignedMask while every sampled block is recognisable by its address, 0 (look every block up)
  // while one is not.  The high half counts the reasons for 0; both change in one compare-exchange,
  // so that a reason that comes while the last one goes is not overlooked.
  //
  // Recognisable is a block at offset 0 or 16 of a 4 KiB page: aligned ones, and what glibc maps
  // for large requests. The constant is 4 KiB and not the page size: on 64 KiB pages a page for a
  // sample costs too much.
  static constexpr uint32_t kAlignedMask = 0xFEF;
  static constexpr size_t kAlignment = 4096;
  static constexpr bool Recognisable(uintptr_t block) noexcept {
    return (block & kAlignedMask) == 0;
  }

  std::atomic<uint64_t> free_word{kAlignedMask};
  std::atomic<uint64_t> interval_bytes{0};  // in force, once there is a core
  // Samples are wanted: kOff, kOn, or kShown: none is kept, but the core sees where they are taken,
  // to find a place where its thread can be started.
  static constexpr uint32_t kOff = 0;
  static constexpr uint32_t kOn = 1;
  static constexpr uint32_t kShown = 2;
  std::atomic<uint32_t> recording{kOff};
  // An exact sample may have been taken.  Never reset: exact samples may live on after the mode has
  // changed.  Its reason in free_word stays as long.
  std::atomic<bool> exact{false};
  SampleFilter* filter = nullptr;  // the shim's; nullptr: every question goes to the live table

  // Hot.  True when `block` can be a sampled one.
  // relaxed: a reason is added before the block it stands for is returned to the program, which
  // orders it before that block's free(); for other blocks either mask will do.
  HG_ALWAYS_INLINE bool MayBeSampled(uintptr_t block) const noexcept {
#if defined(__x86_64__)
    // A plain load on x86-64, and one instruction with the test, which compilers don't make of an
    // atomic.
    bool zero;
    __asm__("testl %[block], %[word]"
            : "=@ccz"(zero)
            : [word] "m"(free_word), [block] "r"(static_cast<uint32_t>(block))
            : "cc");
    return HG_UNLIKELY(zero);
#else
    return HG_UNLIKELY((block & static_cast<uint32_t>(free_word.load(std::memory_order_relaxed))) ==
                       0);
#endif
  }
  void AddReason() noexcept { ChangeReasons(uint64_t{1} << 32); }
  void RemoveReason() noexcept { ChangeReasons(~uint64_t{0} << 32); }

 private:
  void ChangeReasons(uint64_t by) noexcept {
    uint64_t word = free_word.load(std::memory_order_relaxed);  // relaxed: as above, here and below
    uint64_t changed;
    do {
      changed = (word + by) & (~uint64_t{0} << 32);
      if (changed == 0) changed = kAlignedMask;
    } while (!free_word.compare_exchange_weak(word, changed, std::memory_order_relaxed,
                                              std::memory_order_relaxed));
  }
};

// Whether the program's calls reach the hooks, found out from the loaded modules' own tables: one
// reference for each function of the allocator that a module imports.
struct Coverage {
  uint32_t references = 0;
  uint32_t covered = 0;      // of them lead to a hook
  char uncovered[512] = "";  // paths of the modules with others, separated by ", "; may be cut
};

// What the shim hands to the core.
struct ShimApi {
  uint32_t version = kCoreApiVersion;
  uint32_t bytes = sizeof(ShimApi);
  Control* control = nullptr;
  ThreadState* (*this_thread)() noexcept = nullptr;
  // The next allocator's, unhooked.
  size_t (*usable_size)(void*) = nullptr;
  const char* allocator = nullptr;     // path of the module that holds the next malloc
  const char* library_path = nullptr;  // of libheapgauge.so
  // NAME=value strings, nullptr at the end, in place of the environment; nullptr: the environment.
  const char* const* settings = nullptr;
  // The same of the machine's file (shim/machine_file.h), which the environment goes before.
  const char* const* machine_settings = nullptr;
  // The program's, as the C library knows it: a variable of that name that the core could see might
  // be the one that the C library has given up in favour of the program's copy.
  const char* const* environment = nullptr;
  // Our hooks, for what the core itself allocates: a block that libc hands out (by strdup) comes from
  // the same allocator.
  void* (*malloc)(size_t) = nullptr;
  void (*free)(void*) = nullptr;
  void* (*calloc)(size_t, size_t) = nullptr;
  void* (*realloc)(void*, size_t) = nullptr;
  void* (*memalign)(size_t, size_t) = nullptr;
  // The loader's _dl_find_object(); nullptr where it has none (glibc before 2.35).
  int (*find_object)(void* address, dl_find_object* found) = nullptr;
  // The hooks are reached by redirecting what modules refer to: what a module that comes later does
  // before it is looked after is not seen.
  bool redirects = false;
  // Both take the loader's lock, so never in a hook, and only inside a ForkGate::Passage.
  void (*cover_new_modules)(bool all) noexcept = nullptr;
  void (*measure_coverage)(Coverage* coverage) noexcept = nullptr;
};

// A sample taken out of the live table while realloc works on its block.
struct TakenSample {
  uint64_t bytes;
  uint64_t birth_ns;
  uint32_t site;
  float weight;
  bool unaligned;
  uint16_t labels;
};

// A block that realloc made larger, in the measure that there is for every block: usable bytes. The
// program's earlier size of one that is not sampled is not known.
struct UsableGrowth {
  uint64_t bytes;   // by which a block that is not sampled would have grown; 0: within its slack
  uint64_t usable;  // what such a block would have now
};

// What the core offers to the shim.  Every function keeps errno, never throws, and may be called
// from any thread.
struct CoreApi {
  uint32_t version = kCoreApiVersion;
  uint32_t bytes = sizeof(CoreApi);

  // Sampled paths: no lock, no allocation from the watched heap.
  // A sampled block was born: `interval` is what Sampler::TakeSample() returned, `caller` the
  // hook's return address.
  void (*record)(ThreadState* self, void* block, size_t bytes, uint64_t interval,
                 void* caller) = nullptr;
  // The same of a block that was not sampled until it grew.
  void (*record_growth)(ThreadState* self, void* block, size_t bytes, UsableGrowth growth,
                        uint64_t interval, void* caller) = nullptr;
  // A block that can be sampled is about to be released; true when it was.
  bool (*forget)(void* block) = nullptr;
  // realloc: takes the block's sample out; then either restores it (realloc failed), or says that
  // the block moved or changed its size (it keeps its birth), or that it was released.
  bool (*take)(void* block, TakenSample* taken) = nullptr;
  void (*restore)(void* block, const TakenSample* taken) = nullptr;
  void (*moved)(ThreadState* self, void* block, size_t bytes, const TakenSample* taken,
                UsableGrowth growth, void* caller) = nullptr;
  void (*died)(const TakenSample* taken) = nullptr;

  // Life cycle, called by the shim.
  void (*modules_came)() = nullptr;  // dlopen() is done: references may have to be redirected
  // Around a call by which the program installs a system call filter; `came`: it is there now.
  // A thread's own state, as in record().
  void (*before_filter)(ThreadState* self, const FilterRequest* request,
                        FilterTicket* ticket) = nullptr;
  void (*after_filter)(ThreadState* self, const FilterTicket* ticket, bool came) = nullptr;
  // The final report, or a short child's line; `quick`: by quick_exit().
  void (*process_exit)(bool quick) = nullptr;
  // Before a call of the program's that may lead it into another root directory.
  void (*before_root_change)() = nullptr;
  // Before root becomes `user` for good: the report directory is given to that one.  False: nothing
  // was given.  And where the change was refused.
  bool (*give_reports)(uid_t user) = nullptr;
  void (*take_reports_back)(uid_t user) = nullptr;
  // Before and after a call of the program's that changes all its threads, or wants it to have one:
  // no thread of ours is there meanwhile.  False: nothing is to be done after it.  `last`: once that
  // call has succeeded the process can start no thread.
  bool (*step_out)(bool last) = nullptr;
  void (*step_in)(ThreadState* self, void* caller, bool last) = nullptr;

  // Behind heapgauge.h.
  heapgauge_status (*start)() = nullptr;
  heapgauge_status (*stop)() = nullptr;
  heapgauge_status (*set_interval)(uint64_t bytes) = nullptr;
  heapgauge_status (*take_snapshot)(heapgauge_snapshot* out, size_t max_sites) = nullptr;
  void (*free_snapshot)(heapgauge_snapshot* snapshot) = nullptr;
  heapgauge_status (*write_report)() = nullptr;
  heapgauge_status (*find_holders)() = nullptr;
  const char* (*report_directory)() = nullptr;
  heapgauge_label_id (*label)(const char* key, const char* value) = nullptr;
  heapgauge_scope (*push_label)(ThreadState* self, heapgauge_label_id label) = nullptr;
  heapgauge_scope (*begin_call)(ThreadState* self, const char* peer) = nullptr;
  heapgauge_scope (*accept_call)(ThreadState* self, const char* baggage, int* depth) = nullptr;
  size_t (*call_baggage)(const ThreadState* self, const char* baggage, char* out,
                         size_t room) = nullptr;
};

// Exported by the core under kCoreEntryName.  Initialises the tracker and returns its table;
// nullptr when it can't work with this shim or in this process (it has said why on stderr).
using CoreEntry = const CoreApi* (*)(const ShimApi* shim);

}  // namespace heapgauge

#endif  // HEAPGAUGE_CORE_API_CORE_API_H_
