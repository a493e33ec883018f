// The threads of this process, and where those stand that wait in the kernel.
//
// /proc/self/task/TID/syscall gives the stack pointer and what was handed to the kernel of every
// thread that is blocked, without ptrace and without stopping anybody; of a thread that runs it
// says "running".
#ifndef HEAPGAUGE_GRAPH_THREAD_LIST_H_
#define HEAPGAUGE_GRAPH_THREAD_LIST_H_

#include "graph/surroundings.h"

namespace heapgauge {

// False: there is no /proc, or no room.
bool ListThreads(MappedArray<Thread>& threads) noexcept;

// One of /proc/TID/syscall; leaves `thread` as it was where it tells nothing.
void ReadSyscallLine(const char* text, Thread* thread) noexcept;

// An address in the stack that the kernel made for the first thread.
uintptr_t FirstStackAddress() noexcept;
// Where the first thread's own part of it begins, downwards; above lie its arguments.
uintptr_t FirstStackEnd() noexcept;
// It has left by pthread_exit(), and is there for the kernel alone.
bool FirstThreadIsOver() noexcept;

}  // namespace heapgauge

#endif  // HEAPGAUGE_GRAPH_THREAD_LIST_H_
