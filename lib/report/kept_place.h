// Where reports go once the process has entered another root directory.
//
// A path leads elsewhere then: into the new root, where whoever made it may have put anything.  So
// before such a call (chroot, unshare, setns) a directory on the way to the report directory is
// opened and kept: the report directory itself where it is there and is this process's, else the
// last one above it that exists.  From then on walks start from it (safe_path.h), and what does not
// lie below it is refused.
//
// K1  The descriptor is in the host's table, because it has to outlive the report thread, which
// ends
//     and comes back when the host changes its ids; close-on-exec, with a high number.  It is taken
//     only by a process that makes such a call.
// K2  A report thread with a table of its own has one of its own there, from its start.
// K3  The host may close it and open its own under that number: device and inode are compared
//     before each use.
// K4  Through a descriptor of a directory outside one can climb out of a root.  Where the kernel
//     lets us, the directory is kept as the root of a mount of its own, above which there is
//     nothing.
#ifndef HEAPGAUGE_REPORT_KEPT_PLACE_H_
#define HEAPGAUGE_REPORT_KEPT_PLACE_H_

namespace heapgauge {

// Before the root changes, for a report directory `path` (absolute); `whole`: it is this process's.
// Any thread.  Does nothing when a place is kept already, or the root has changed.  `detached`: try
// K4.
void KeepPlace(const char* path, bool whole, bool detached) noexcept;

// On the report thread, around its leaving the host's table of descriptors.  The host's descriptor
// to be left open, -1 if there is none; and then: this thread's own is that one, or a new one for
// `path`.
int KeptDescriptor() noexcept;
void KeepPlaceOfThread(const char* path, bool whole) noexcept;

// The place from which the rest of `path` is to be walked, a copy, and in *rest that rest.  -1 when
// there is none.
int OpenKeptPlace(const char* path, const char** rest) noexcept;

}  // namespace heapgauge

#endif  // HEAPGAUGE_REPORT_KEPT_PLACE_H_
