// What there is to look through, by kind: data of modules, stacks, thread-local storage, and the
// other memory that can be written.
//
// One reading of /proc/thread-self/maps, of the loader's list and of /proc/self/task.  A root is memory
// that the program uses whether or not anything points to it:
//
//   global        data and bss of every module, less our own and less the C library's main arena,
//                 whose bins point to blocks that nobody has
//   stack         of each thread, from its stack pointer up where the kernel tells it (the thread is
//                 blocked in a call), else all of it that is resident
//   thread-local  static thread-local storage and the C library's record of the thread, found by
//                 the word that holds its own address
//   register      what a blocked thread has handed to the kernel; when the process ends, also what
//                 threads returned that nobody has joined, and the ending one's signal stack
//
// What remains is either heap, which the block map tells, or memory of which nothing is known.
// Mapped devices and the kernel's own pages are never touched.
#ifndef HEAPGAUGE_GRAPH_SURROUNDINGS_H_
#define HEAPGAUGE_GRAPH_SURROUNDINGS_H_

#include <sys/types.h>

#include <cstddef>
#include <cstdint>

#include "base/address_range.h"
#include "graph/mapped_array.h"
#include "graph/own_reader.h"

namespace heapgauge {

enum class RootKind : uint8_t { kGlobal, kStack, kThreadLocal, kRegister, kUnknown };

struct Root {
  AddressRange range;
  RootKind place = RootKind::kUnknown;
  pid_t thread = 0;    // of a stack and of thread-local storage
  uintptr_t word = 0;  // of a register: what it holds; the range is empty
};

struct Mapping {
  AddressRange range;
  bool writable = false;
  bool is_heap = false;  // [heap]
  bool named = false;    // a file, or the kernel's
  bool skipped = false;  // never touched: devices, the kernel's pages
};

struct Thread {
  pid_t id = 0;
  uintptr_t stack_pointer = 0;  // 0: it runs, or may not be asked
  uintptr_t record = 0;         // where its thread pointer leads; 0: not found
  uintptr_t words[6] = {};      // handed to the kernel
};

class Surroundings final {
 public:
  explicit Surroundings(SearchMemory& memory) noexcept
      : maps_(memory), threads_(memory), roots_(memory), out_(memory), unknown_(memory) {}

  // The process ends: `thread` is in exit(), and what it has below `frame` is no program's any more.
  // Its signal stack (0: none) is in use, whoever points to it.
  // And of threads that are over, whose stacks the C library keeps, only the record is known.
  void SetEnd(pid_t thread, uintptr_t frame, uintptr_t signal_stack) noexcept {
    ending_ = thread;
    end_frame_ = frame;
    signal_stack_ = signal_stack;
  }
  bool at_end() const noexcept { return ending_ != 0; }

  // Between Begin() and End() of the reader.  False: there is no /proc, or
  // no room.
  bool Look(OwnReader& reader, char* room, size_t room_bytes) noexcept;

  // [begin, end) is known by its blocks: it is no unknown memory.  Before MakeUnknown().
  bool KeepOut(const AddressRange& range) noexcept { return out_.Add(range); }
  // What remains.
  bool MakeUnknown() noexcept;

  const MappedArray<Mapping>& maps() const noexcept { return maps_; }
  const MappedArray<Root>& roots() const noexcept { return roots_; }
  const MappedArray<Thread>& threads() const noexcept { return threads_; }
  const MappedArray<AddressRange>& unknown() const noexcept { return unknown_; }
  // The C library's data.
  const AddressRange& c_library_data() const noexcept { return c_library_data_; }
  void Release() noexcept;

  // Of the C library's main arena, less which its data is a root; set once it is found.
  AddressRange main_arena;

 private:
  struct Modules;

  const Mapping* MappingOf(uintptr_t address) const noexcept;
  bool ReadMaps(char* room, size_t room_bytes) noexcept;
  bool ReadThreads() noexcept;
  void FindRecords(OwnReader& reader, char* room, size_t room_bytes) noexcept;
  bool AddModules() noexcept;
  bool AddThreads() noexcept;
  bool AddDeadThread(const char* bytes, uintptr_t record) noexcept;
  bool AddWord(uintptr_t word, pid_t thread) noexcept;
  bool AddRoot(uintptr_t begin, uintptr_t end, RootKind place, pid_t thread) noexcept;

  MappedArray<Mapping> maps_;
  MappedArray<Thread> threads_;
  MappedArray<Root> roots_;
  MappedArray<AddressRange> out_;
  MappedArray<AddressRange> unknown_;
  AddressRange c_library_data_;
  pid_t ending_ = 0;
  uintptr_t end_frame_ = 0;
  uintptr_t signal_stack_ = 0;
  uintptr_t thread_local_bytes_ = 0;  // of all modules
};

}  // namespace heapgauge

#endif  // HEAPGAUGE_GRAPH_SURROUNDINGS_H_
