// A copy of this process that stands still, to be looked through at leisure: what moves from one
// place to another is seen in one of them.
//
// Made as fork() makes one, but for what the host has to do with forks: no handler of its runs, no
// signal tells it of the copy's end, and wait() does not find it.  The copy does nothing but wait
// for its end, and has no descriptors.  While it is made, other threads of the host can't change
// their mappings and stand still where they touch new pages; afterwards each page that the host
// writes to is copied, so that in the end it may take as much memory again.  Hence the bounds
// (copy_cost.h), and an end after kLifeNs in any case.
//
// Memory that is shared is not seen in the copy, and what only the registers of a running thread
// hold, neither: what is missed in the copy is to be looked for in the process itself, too.
//
// Report thread only: with all signals blocked.
#ifndef HEAPGAUGE_GRAPH_MEMORY_COPY_H_
#define HEAPGAUGE_GRAPH_MEMORY_COPY_H_

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>

#include "base/copy_cost.h"
#include "process/limits.h"

namespace heapgauge {

// "" or why no copy is to be made, for people.  Without `limit`: none is known.
std::string WhyNoCopy(const CopyCost& cost, const std::optional<MemoryLimit>& limit);

class MemoryCopy final {
 public:
  static constexpr uint64_t kLifeNs = CopyCost::kLifeSeconds * 1'000'000'000;

  MemoryCopy() noexcept = default;
  ~MemoryCopy() { End(); }
  MemoryCopy(const MemoryCopy&) = delete;
  MemoryCopy& operator=(const MemoryCopy&) = delete;

  // False: the kernel makes none, or lets nobody read it.
  bool Make() noexcept;
  void End() noexcept;

  pid_t pid() const noexcept { return pid_; }  // 0: there is none
  bool expired() const noexcept;
  uint64_t took_ns() const noexcept { return took_ns_; }  // to make it

 private:
  bool IsReadable() const noexcept;

  pid_t pid_ = 0;
  uint64_t made_ns_ = 0;
  uint64_t took_ns_ = 0;
};

}  // namespace heapgauge

#endif  // HEAPGAUGE_GRAPH_MEMORY_COPY_H_
