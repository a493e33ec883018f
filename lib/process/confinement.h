// Has the program got a system call filter that we have not seen coming?
//
// Filters that the program installs through the C library are judged before they come
// (track/filters.h).  What is left are those of before our start (a container's, a service
// manager's), which are known to let ordinary programs live, and those that a program installs by
// a system call instruction of its own.  Of the latter nothing is known but that they are there;
// then nothing is done any more.
//
// The question is put by prctl(PR_GET_SECCOMP), and only where that says nothing, because there was
// a filter from the start, by a look into /proc.  Async-signal-safe, no allocation; keeps errno.
#ifndef HEAPGAUGE_PROCESS_CONFINEMENT_H_
#define HEAPGAUGE_PROCESS_CONFINEMENT_H_

#include <cstdint>
#include <string_view>

namespace heapgauge {

// Once, at the start: what is there by now does not count.
void LearnConfinement() noexcept;

// True when the calling thread got a filter past us.  `ended` says what may be asked (Ended);
// `status`: a descriptor of its /proc/thread-self/status, or -1.
bool GotUnknownFilter(uint16_t ended, int status) noexcept;

// The same of another thread, by the text of its /proc/PID/status.
bool ShowsUnknownFilter(std::string_view status) noexcept;

// Such a descriptor, of the calling thread; -1: there is none to be had.
int OpenThreadStatus() noexcept;

// True when a container or a service manager had put a filter around the program: calls that
// ordinary programs never make are better left, for some filters kill for what they don't know.
bool BeganConfined() noexcept;

}  // namespace heapgauge

#endif  // HEAPGAUGE_PROCESS_CONFINEMENT_H_
