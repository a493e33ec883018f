// Has the program confined itself since it began?
//
// A seccomp filter that a program installs (sshd before a login, a browser's renderer) knows what
// that program calls; a clone() or a mkdir() of ours may mean its death.  So in a thread that has
// got a filter since our start we do nothing any more: no thread is started, no report is made.
// The filters of a container or a service manager were there at the start and don't count.
//
// The question is put through openat() of /proc, which filters let pass or refuse, as a rule, and
// seldom kill for; where it is refused no report could be made either, so that is a yes.
// Async-signal-safe, no allocation; keeps errno.
#ifndef HEAPGAUGE_PROCESS_CONFINEMENT_H_
#define HEAPGAUGE_PROCESS_CONFINEMENT_H_

namespace heapgauge {

// Once, at the start: what is there by now does not count.
void LearnConfinement() noexcept;

// True when the calling thread got a seccomp filter since then, or may not ask.
bool IsConfined() noexcept;

// True when a container or a service manager had put a filter around the program: calls that
// ordinary programs never make are better left, for some filters kill for what they don't know.
bool BeganConfined() noexcept;

}  // namespace heapgauge

#endif  // HEAPGAUGE_PROCESS_CONFINEMENT_H_
