// Opens a directory without being led elsewhere by other users' symbolic links.
//
// The last component is never followed.  A link above it is followed only when it belongs to root
// or to the effective user, and lies in a directory in which nobody else could have put it: one
// that others may not write to, or a sticky one (/tmp), where nobody replaces what is another's.
//
// Walks component by component with openat(), each step from the descriptor of the last, so that
// nobody can change what has been checked.  No allocation, no libc but system calls: may be used by
// a thread of the host at its end.
//
// In a process that has entered another root directory since its start, a walk begins at the place
// that was kept (kept_place.h), or is refused.
#ifndef HEAPGAUGE_REPORT_SAFE_PATH_H_
#define HEAPGAUGE_REPORT_SAFE_PATH_H_

#include <cstddef>

namespace heapgauge {

// What a walk needs; too much for a small stack.
struct PathScratch {
  static constexpr size_t kBytes = 4096;  // PATH_MAX
  char rest[kBytes];                      // what is still to be walked
  char target[kBytes];                    // of a link
};

struct PathAnswer {
  bool made = false;              // the last component was missing and has been made, mode 0700
  const char* refused = nullptr;  // a clause, "is a symbolic link, ...", when it was not errno's
  bool making = false;            // errno tells of making, not of opening
};

// The directory, opened O_RDONLY and above descriptor 2; with `create`, it and its missing parents
// are made.  -1 with errno (EPERM for a refusal) and *answer.
int OpenDirectorySafely(const char* path, bool create, PathScratch* scratch,
                        PathAnswer* answer) noexcept;

// The directory that the last component lies in, which need not be there itself; O_PATH.
int OpenParentSafely(const char* path, PathScratch* scratch) noexcept;

}  // namespace heapgauge

#endif  // HEAPGAUGE_REPORT_SAFE_PATH_H_
