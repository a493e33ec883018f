// What a helper's guardian keeps of its host's rights: none.
//
// The guardian shares the host's memory.  A host that gives its rights up would otherwise leave a
// process behind that still has them and runs whatever is written into that memory.  So, as soon as
// the helper runs, the guardian drops every capability and puts itself behind a filter of system
// calls: it can read what it has open, wait, and end the helper.  (It keeps its user id: by that it
// may end the helper, and a process that changes it takes core dumps from all who share its
// memory.) And it watches the host's rights: once they change, the helper, which has the old ones,
// is ended.
//
// The rules of helper_guardian.h hold here, too: system calls on registers only, no errno.
#ifndef HEAPGAUGE_HELPER_GUARDIAN_RIGHTS_H_
#define HEAPGAUGE_HELPER_GUARDIAN_RIGHTS_H_

#include <sys/types.h>

#include <cstdint>

namespace heapgauge {

// Of the calling process, for good.  From then on every system call is refused but reading, ppoll,
// waiting, closing, the clock, the exit, and SIGKILL to `helper` and its process group.  False
// where the filter can't be had and the process has rights that another user's has not.
bool GiveUpRights(pid_t helper) noexcept;

class RightsWatch final {
 public:
  // Of the first thread of `process`, as they are now.  Opens a descriptor for good.
  void Open(pid_t process) noexcept;
  // True once its ids, groups or permitted capabilities are others.  False where /proc is missing.
  bool Changed() const noexcept;

 private:
  int status_ = -1;
  uint64_t rights_ = 0;  // a hash; 0 is unknown
};

}  // namespace heapgauge

#endif  // HEAPGAUGE_HELPER_GUARDIAN_RIGHTS_H_
