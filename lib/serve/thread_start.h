// Starting the report thread from inside somebody else's malloc.
//
// A process gets the thread with its first sample, not at its start: short-lived programs then
// never have one, and stay single-threaded for libc, unshare(2) and whatever else asks.  That
// sample may have been taken anywhere, and pthread_create takes locks of the C library and the
// loader, so the thread is started only from a stack on which nobody can hold those.
#ifndef HEAPGAUGE_SERVE_THREAD_START_H_
#define HEAPGAUGE_SERVE_THREAD_START_H_

#include "trace/stack_trace.h"

namespace heapgauge {

// Looks up what MayStartThread() needs.  Once, from the constructor.
void LearnUnsafePlaces();

// False when the stack passes through the loader (dlopen, dlsym, TLS set-up), pthread_create or a
// signal handler. Inside a hook: takes no lock, allocates nothing.
bool MayStartThread(const StackTrace& trace) noexcept;

// Starts `run` as a detached thread: small stack, all signals blocked, low priority, named
// "heapgauge".  False when the system has no thread left.
bool StartQuietThread(void* (*run)(void*), void* argument) noexcept;

}  // namespace heapgauge

#endif  // HEAPGAUGE_SERVE_THREAD_START_H_
