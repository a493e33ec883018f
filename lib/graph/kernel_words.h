// Pointers that the program has given to the kernel, which hands them out again: what a descriptor is
// watched for by epoll (epoll_event::data), and what a timer sends (sigevent::sigev_value).  Who keeps
// a connection nowhere else has not lost it.
//
// /proc/TID/fdinfo and /proc/self/timers tell them.  Of a set of descriptors the kernel holds the lock
// while it writes the list, and whoever waits for the set's events waits for that: 0.9 us each.  So
// they are asked last, of what nothing else holds, and not at all where there are too many.
#ifndef HEAPGAUGE_GRAPH_KERNEL_WORDS_H_
#define HEAPGAUGE_GRAPH_KERNEL_WORDS_H_

#include <sys/types.h>

#include <cstddef>
#include <cstdint>

#include "graph/mapped_array.h"

namespace heapgauge {

// What a set can be asked for within a millisecond.
inline constexpr int kMostWatched = 1000;

// False: they could not be asked for all of it, or the program has more than `most_descriptors`.
// `thread`: one that has the program's (a report thread may have a table of its own).  `room` for
// what is read: a page at least.
bool ReadKernelWords(pid_t thread, int most_descriptors, MappedArray<uint64_t>& words, char* room,
                     size_t room_bytes) noexcept;

// The number behind "data:" of a line of fdinfo, or behind the slash of "signal: 10/..." of timers; false:
// the line has none.
bool KernelWordOf(const char* line, uint64_t* word) noexcept;

}  // namespace heapgauge

#endif  // HEAPGAUGE_GRAPH_KERNEL_WORDS_H_
