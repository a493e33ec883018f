// What does the next allocator keep of what the program has freed?  Its own statistics say so:
//
//   glibc     free chunks of all arenas, their tops included (glibc_heap.h; never mallinfo2(),
//   which
//             doesn't survive a damaged heap)
//   jemalloc  stats.resident + muzzy pages - stats.allocated + what lies in thread caches
//   tcmalloc  the free bytes of page heap, central, transfer and thread caches (gperftools)
//   mimalloc  what it has committed, less the live heap as we estimate it: it counts no live bytes
//   others    0, not known
//
// Wanted is what is resident and not live.  So jemalloc's stats.retained and tcmalloc's unmapped
// bytes are left out (address space without memory), and no figure exceeds the anonymous memory
// that is resident, for free pages may never have been touched, or given back by malloc_trim().
#ifndef HEAPGAUGE_PROCESS_ALLOCATOR_STATS_H_
#define HEAPGAUGE_PROCESS_ALLOCATOR_STATS_H_

#include <cstddef>
#include <cstdint>
#include <optional>

#include "process/glibc_heap.h"

namespace heapgauge {

class AllocatorStats final {
 public:
  enum class Kind : uint8_t { kUnknown, kGlibc, kJemalloc, kTcmalloc, kMimalloc };

  // For glibc: following its lists takes no more than a thousandth of the time, and a reading that
  // took long is not made again for a minute.  Meanwhile what all arenas have from the system and
  // what lives in them tell.
  static constexpr uint64_t kLongNs = 100'000'000;
  static constexpr uint64_t kPauseNs = 60'000'000'000;
  static constexpr uint64_t kShare = 1000;
  // Larger blocks have a mapping of their own, as long as the program does not set that otherwise.
  static constexpr uint64_t kLargestInArena = 128 << 10;

  explicit AllocatorStats(uint64_t long_ns = kLongNs) noexcept : long_ns_(long_ns) {}

  // `module`: the path of the one that holds malloc; only functions of that very module are taken,
  // for a program may hold another allocator that it doesn't use.  Takes the loader's lock, which
  // a host may hold while it waits for a report: where the library starts, not for a report.
  void Find(const char* module) noexcept;

  Kind kind() const { return kind_; }

  struct Known {
    uint64_t anonymous_bytes = 0;  // resident ones, without ours
    uint64_t live_bytes = 0;       // as the allocator counts them, TakenFor()
    // The same of blocks of at most kLargestInArena; nullopt: all of it.
    std::optional<uint64_t> in_arenas_bytes = {};
  };
  // What the allocator takes for a block of that many bytes: with its header, rounded up.
  uint64_t TakenFor(uint64_t bytes) const noexcept;

  // Report thread.  Takes the allocator's locks for microseconds (jemalloc, tcmalloc); none of
  // glibc's.
  uint64_t Retained(const Known& known) noexcept;

  // What the allocator says it has given out and not got back; nullopt: it does not say.  Report
  // thread.
  std::optional<uint64_t> InUse() const noexcept;

  // glibc's free chunks, as Retained() last read them; of other allocators there are none.
  const FreeRanges& free_ranges() const noexcept { return glibc_.free_ranges(); }

  // From now on the last answer stands: whoever waits for the report may have been interrupted
  // inside the allocator, with its lock held.  glibc's needs no lock, and is read on.
  void KeepOff() noexcept { kept_off_ = true; }

 private:
  uint64_t Ask(const Known& known) noexcept;
  uint64_t AskGlibc(const Known& known) noexcept;
  uint64_t AskJemalloc() const noexcept;
  uint64_t AskTcmalloc() const noexcept;

  uint64_t long_ns_;
  Kind kind_ = Kind::kUnknown;
  int (*mallctl_)(const char*, void*, size_t*, void*, size_t) = nullptr;
  int (*numeric_property_)(const char*, size_t*) = nullptr;
  void (*process_info_)(size_t*, size_t*, size_t*, size_t*, size_t*, size_t*, size_t*,
                        size_t*) = nullptr;
  GlibcHeap glibc_;
  bool kept_off_ = false;
  uint64_t last_ = 0;
  // Of glibc's last answer: when the next one may be asked for, and what the answer was, with what
  // the arenas had from the system and what lived in them at that time.
  uint64_t next_ns_ = 0;
  uint64_t answer_ = 0;
  uint64_t answer_system_ = 0;
  uint64_t answer_live_ = 0;
};

}  // namespace heapgauge

#endif  // HEAPGAUGE_PROCESS_ALLOCATOR_STATS_H_
