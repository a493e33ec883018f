// What a system call filter has ended for a thread: bits, each for one kind of work of ours.
//
// A call that a filter kills for is the death of the host.  So each filter is judged before it
// comes (track/call_rights.h), and what would meet such a call is not done any more.
#ifndef HEAPGAUGE_CORE_API_ENDED_H_
#define HEAPGAUGE_CORE_API_ENDED_H_

#include <cstdint>

namespace heapgauge {

enum Ended : uint16_t {
  kEndsSamples = 1U << 0,     // the thread takes no samples: they need memory
  kEndsWalks = 1U << 1,       // asks for the bounds of a stack, and what can be read
  kEndsClock = 1U << 2,       // reads a clock that may be a system call, or the time stamp counter
  kEndsThreads = 1U << 3,     // starts no thread of ours
  kEndsReports = 1U << 4,     // writes no report, nor a child's line
  kEndsHelpers = 1U << 5,     // starts no helper
  kEndsExtras = 1U << 6,      // makes none of the calls that the report thread can do without
  kEndsAsking = 1U << 7,      // does not ask who it is, does not sleep or wake another thread
  kEndsWords = 1U << 8,       // says nothing as it usually does
  kEndsPlainWords = 1U << 9,  // nor by write(2) alone
  kEndsLooks = 1U << 10,      // does not ask the kernel whether there is a filter
  kEndsSpreading = 1U << 11,  // the host itself starts no thread from it: nobody inherits this
  kEndsControl = 1U << 12,    // answers nobody through the control socket
  kEndsHolders = 1U << 13,    // looks through no memory for who holds what
  kEndsCopies = 1U << 14,     // makes no copy of the process to look through that
  kEverythingEnds = 0x7FFF,
  kFiltersKnown = 1U << 15,  // the other bits are this thread's; before that they are not set
};

// What a program asks the kernel for, before it is asked.
struct FilterRequest {
  bool strict = false;            // seccomp's strict mode; no program
  bool no_counter = false;        // PR_SET_TSC: the time stamp counter kills; no program
  bool all_threads = false;       // SECCOMP_FILTER_FLAG_TSYNC
  const void* program = nullptr;  // struct sock_fprog, as the host gave it: any address
};

// The core's notes from before the filter to after it.
struct FilterTicket {
  bool noted = false;
  bool all_threads = false;
  bool was_exempt = false;
  bool was_recording = false;
  bool retired = false;  // the report thread, for its sake
  bool said = false;
  uint16_t own = 0;  // the thread's word before
  uint16_t added_for_all = 0;
  uint16_t added_inherited = 0;
  uint16_t added_for_process = 0;
  uint32_t count = 0;
  const char* lost = nullptr;  // the call for which reports end, to be said
};

}  // namespace heapgauge

#endif  // HEAPGAUGE_CORE_API_ENDED_H_
