// A table of descriptors of the report thread's own.
//
// What a thread opens is the whole process's: a host that counts on the lowest free number gets
// another one, a child that is forked while a report is written keeps our file open for good, and a
// host that closes every number it does not know (daemons do) makes us write a report into the file
// that it opens next.  So the report thread leaves the host's table and starts an empty one.
// Nothing of the host's stays open in it: a pipe whose end we kept would never end.
//
// Needs close_range(2) with CLOSE_RANGE_UNSHARE (Linux 5.9); on older kernels, or where a filter
// forbids it, the thread stays in the host's table, and descriptors are close-on-exec and above 2.
#ifndef HEAPGAUGE_REPORTER_PRIVATE_DESCRIPTORS_H_
#define HEAPGAUGE_REPORTER_PRIVATE_DESCRIPTORS_H_

namespace heapgauge {

// Once, at the start of the report thread.  From then on RawLog() from that thread goes to whatever
// the host has as descriptor 2 at that moment.
void LeaveHostDescriptors() noexcept;

// On the report thread, after that: has it a table of its own?
bool DescriptorsArePrivate() noexcept;

}  // namespace heapgauge

#endif  // HEAPGAUGE_REPORTER_PRIVATE_DESCRIPTORS_H_
