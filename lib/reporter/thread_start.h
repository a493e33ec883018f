// Starting the report thread from inside somebody else's malloc.
//
// A process gets the thread with its first sample, not at its start: short-lived programs then
// never have one, and stay single-threaded for libc, unshare(2) and whatever else asks.  That
// sample may have been taken anywhere, and pthread_create takes locks of the C library and the
// loader, so the thread is started only from a stack on which nobody can hold those.
#ifndef HEAPGAUGE_REPORTER_THREAD_START_H_
#define HEAPGAUGE_REPORTER_THREAD_START_H_

#include <cstddef>
#include <cstdint>

#include "trace/stack_trace.h"

namespace heapgauge {

// Looks up what MayStartThread() needs.  Once, from the constructor.
void LearnUnsafePlaces();

// Where a return address lies, as far as a start there is dangerous.
enum class Place : uint8_t { kElsewhere, kLoader, kThreadCreation, kSignalReturn };
Place PlaceOf(uintptr_t address) noexcept;

// False when the stack passes through the loader (dlopen, dlsym, TLS set-up), pthread_create or a
// signal handler. Inside a hook: takes no lock, allocates nothing.
bool MayStartThread(const StackTrace& trace) noexcept;

// For a thread that runs none of the host's code (the report writers' deepest stack was seen below
// 100 KiB); and what the host's own threads get.
inline constexpr size_t kSmallStack = size_t{1} << 20;
inline constexpr size_t kDefaultStack = 0;

// Starts `run` as a detached thread with all signals blocked but libc's for setuid(), and waits until
// it has begun, a tenth of a second at most.  False when the system has no thread left.
bool StartQuietThread(void* (*run)(void*), void* argument, size_t stack_bytes) noexcept;

// What `run` does first.
void ThreadHasBegun() noexcept;

// Why StartQuietThread() has just failed, for people.  A thread under SCHED_DEADLINE may start none
// (sched(7)), now or later; others of the host's may.
const char* WhyNoThread() noexcept;

// The calling thread is shown as "heapgauge".
void NameThread() noexcept;

// The time stamp counter may be read again by this thread, and by helpers.
void AllowCounter() noexcept;

// The calling thread gives up a real-time policy that it has from the host's thread that started
// it: making a report takes tens of milliseconds, for which nothing else of the host's would run.
// The helpers that it starts have none, either.
void LeaveRealTime() noexcept;

}  // namespace heapgauge

#endif  // HEAPGAUGE_REPORTER_THREAD_START_H_
