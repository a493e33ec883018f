// One line that the report thread could not write, for a thread of the host's to write.
//
// The report thread has no standard error of its own: for a line it takes a copy of the host's,
// and that takes a free descriptor.  Under a limit of none there is none to be had, just when
// there is something to say.  The host's threads have descriptor 2 where it always was.
#ifndef HEAPGAUGE_REPORTER_HELD_LINE_H_
#define HEAPGAUGE_REPORTER_HELD_LINE_H_

#include <cstddef>
#include <cstdint>

namespace heapgauge {

// On the report thread.  While a line is held, others are dropped: they have the same reason.
void HoldLine(const char* line, size_t bytes) noexcept;

bool LineIsHeld() noexcept;

// On a thread of the host's, for which `ended` has come to an end (Ended): writes the line, if
// there is one and words are left to it.  Async-signal-safe.
void SayHeldLine(uint16_t ended) noexcept;

}  // namespace heapgauge

#endif  // HEAPGAUGE_REPORTER_HELD_LINE_H_
