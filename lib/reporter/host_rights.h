// The report thread gives up what its host gives up.
//
// Ids and capabilities belong to a thread.  libc's setuid() and its like change every thread; the
// bare system calls, capset() and libcap change the one that makes them.  A report thread that then
// kept the old ones would be a way back to them for whoever controls the process's memory.  So it
// looks at the process's first thread, and follows.
//
// Only what can't be had back counts: real, effective and saved ids of which the first thread has
// none any more, its groups, its permitted and bounding capabilities, new privileges by exec.  A
// server that acts for a client for a moment (seteuid, setfsuid) is left alone, and so is one whose
// other threads give something up.
#ifndef HEAPGAUGE_REPORTER_HOST_RIGHTS_H_
#define HEAPGAUGE_REPORTER_HOST_RIGHTS_H_

#include <sys/types.h>

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace heapgauge {

struct Rights {
  std::array<uid_t, 4> users{};  // real, effective, saved, of files
  std::array<gid_t, 4> groups{};
  std::vector<gid_t> more_groups;
  uint64_t inheritable = 0;
  uint64_t permitted = 0;
  uint64_t effective = 0;
  uint64_t bounding = 0;
  bool no_new_privileges = false;
  bool ended = false;  // a first thread that has left: nothing changes its rights any more

  // From the text of /proc/PID/status; false when something is missing.
  bool Parse(std::string_view status);
};

// Has `mine` what `host` has given up?
bool HasMoreThan(const Rights& mine, const Rights& host);

// On the report thread.  Where it can't follow, no helper is started any more.
void FollowHostRights() noexcept;

}  // namespace heapgauge

#endif  // HEAPGAUGE_REPORTER_HOST_RIGHTS_H_
