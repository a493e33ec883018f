// Whose is a report directory?
//
// A directory belongs to one process.  While that process makes reports its report thread holds an
// exclusive flock(2) on the directory; it ends with the process, however that ends.  What the last
// line of reports.jsonl says settles the rest: who wrote it, and whether that was in our time.
//
// O1  Two processes whose names for their directories are the same never write into one, if both
//     live at some moment: neither at the same time, nor one after the other.
// O2  Where the name has no %p, a process that begins when the last owner is gone goes on in its
//     directory.  With %p it does not: the number has come round, or it is that of another
//     namespace.
// O3  What exec makes of a process is still that process.
//
// No allocation; any thread.
#ifndef HEAPGAUGE_REPORT_DIRECTORY_OWNER_H_
#define HEAPGAUGE_REPORT_DIRECTORY_OWNER_H_

#include <sys/types.h>
#include <time.h>

#include <cstddef>

namespace heapgauge {

// One process among all that ever ran on this machine since it booted: its namespace of pids, its
// pid in there, and when it began.  "" where /proc does not tell.
struct ProcessInstance {
  static constexpr size_t kBytes = 64;
  char text[kBytes] = "";
};
ProcessInstance InstanceOf(pid_t pid) noexcept;

// The clock that files are stamped by.
timespec FileClock() noexcept;

struct Claimant {
  pid_t pid = 0;
  ProcessInstance instance;
  timespec began{};          // by FileClock(); 0: not known
  bool name_has_pid = true;  // O2
};

// What reports.jsonl in `directory` says of its owner: may `claimant` write there?  (The lock is
// the caller's business.)
bool MayOwn(int directory, const Claimant& claimant) noexcept;

// Before there is a line: `heapgauge run` makes the directory for a process that has not begun, and
// leaves its name in a file there.  The first report takes that away again.
bool NameOwner(int directory, const ProcessInstance& owner) noexcept;
void ForgetOwner(int directory) noexcept;
// That file names `owner`.
bool IsNamedOwner(int directory, const ProcessInstance& owner) noexcept;

enum class DirectoryLock { kHeld, kAnothers, kUnknown /* this file system has no locks */ };
DirectoryLock LockDirectory(int directory) noexcept;

// Where there are no locks (NFS has none for directories): whoever makes reports.jsonl is the
// owner. False when another process has just made it.
bool IsFirst(int directory, const Claimant& claimant) noexcept;

// The newest line's writer; 0: there is none.
pid_t LastWriter(int directory) noexcept;

// The end of the last whole line of a file of `size` bytes.
off_t EndOfLastLine(int fd, off_t size) noexcept;

}  // namespace heapgauge

#endif  // HEAPGAUGE_REPORT_DIRECTORY_OWNER_H_
