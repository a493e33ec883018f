// Where a thread's stack begins and ends, and how much of it is left.
#ifndef HEAPGAUGE_TRACE_STACK_BOUNDS_H_
#define HEAPGAUGE_TRACE_STACK_BOUNDS_H_

#include <cstddef>
#include <cstdint>

#include "core_api/core_api.h"

namespace heapgauge {

// Notes where the C library lies.  Once, before the first sample.
void PrepareStackBounds() noexcept;

// Finds the bounds of this thread's stack, once a thread.  Leaves them unknown, until the next
// sample, when `caller` (the hook's return address) lies in the C library: asking takes a lock of
// the thread's own, which is held there already while pthread_getattr_np() allocates.
void LearnStack(ThreadState& self, uintptr_t stack_pointer, const void* caller) noexcept;

// Whether `bytes` of stack are left below `stack_pointer`.  On a stack that is not the thread's own
// the signal stack's bounds are asked for, and on any other the memory is probed: a guard page is
// found that way.  The end of a hand-made stack without one can't be.
bool StackHasRoom(const ThreadState& self, uintptr_t stack_pointer, size_t bytes) noexcept;

// Whether it is known that fewer than `bytes` of stack are left below `stack_pointer`: of the thread's
// own stack, of its signal stack, or down to the guard page of another.
bool StackIsShort(const ThreadState& self, uintptr_t stack_pointer, size_t bytes) noexcept;

}  // namespace heapgauge

#endif  // HEAPGAUGE_TRACE_STACK_BOUNDS_H_
