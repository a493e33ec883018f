// Keeps libunwind out of the host's table of descriptors.
#ifndef HEAPGAUGE_TRACE_LIBUNWIND_PIPE_H_
#define HEAPGAUGE_TRACE_LIBUNWIND_PIPE_H_

namespace heapgauge {

// libunwind tests whether an address can be read by writing the byte there into a pipe of its own.
// Both ends would be the host's descriptors for good, 0 and 1 in a host that runs with those
// closed; and a host that closes what it does not know and opens a file gets these bytes into its
// file.
//
// The report thread has a table of its own, where the same numbers are its files: libunwind would
// write these bytes there, too, or close them, for it walks the stacks of an allocator that the
// host is linked with (tcmalloc samples).  So this is done whenever a host has libunwind.
//
// Libunwind's calls that make, use and close the pipe are led to functions of ours, by its own
// table of imports: no other module's calls change.  A pipe that it has made before is no more
// used.  False when no libunwind is loaded, or its table is not as expected (another version): then
// its pipe is there.
bool ReplaceLibunwindPipe() noexcept;

}  // namespace heapgauge

#endif  // HEAPGAUGE_TRACE_LIBUNWIND_PIPE_H_
