// libunwind for x86-64, where nothing that it reads has to be believed.
//
// It walks in an address space of our making: every word of a table and of a stack comes through us
// and is given only where it can be read, modules are found without the loader's lock, and a step
// may read a bounded number of words.  What it does with the words is its own, so a caller makes
// sure of each step first (careful_unwinder.cc).
//
// Loaded for HEAPGAUGE_UNWIND=dwarf alone.  Its steps take locks of its own.
#ifndef HEAPGAUGE_TRACE_LIBUNWIND_WALK_H_
#define HEAPGAUGE_TRACE_LIBUNWIND_WALK_H_

#include <libunwind.h>

#include <cstddef>
#include <cstdint>

#include "trace/frame_expression.h"

namespace heapgauge {

class LibunwindWalk final {
 public:
  // Before the first sample.  False, and a line says so, where there is none.
  static bool Load() noexcept;
  static bool loaded() noexcept;

  // `from` is that of a frame which lives longer than this.
  explicit LibunwindWalk(const FrameRegisters& from) noexcept;
  LibunwindWalk(const LibunwindWalk&) = delete;
  LibunwindWalk& operator=(const LibunwindWalk&) = delete;

  // To the caller.  False at the end, and where libunwind does not know better.
  bool Step(uint64_t* address, uint64_t* stack_pointer) noexcept;

 private:
  struct Accessors;

  // Several times what a step through the longest list of a distribution takes.
  static constexpr size_t kMostReads = 256 * 1024;

  bool Read(uint64_t at, uint64_t* word) noexcept {
    return reads_++ < kMostReads && words_.Read(at, word);
  }

  const FrameRegisters& from_;
  StackWords words_;
  size_t reads_ = 0;
  bool usable_ = false;
  unw_cursor_t cursor_;
};

}  // namespace heapgauge

#endif  // HEAPGAUGE_TRACE_LIBUNWIND_WALK_H_
