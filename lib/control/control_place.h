// Where control sockets lie: $XDG_RUNTIME_DIR/heapgauge/PID.sock, else /tmp/heapgauge-UID/PID.sock.
#ifndef HEAPGAUGE_CONTROL_CONTROL_PLACE_H_
#define HEAPGAUGE_CONTROL_CONTROL_PLACE_H_

#include <sys/types.h>

#include <string>
#include <string_view>

namespace heapgauge {

inline constexpr char kControlSuffix[] = ".sock";

// The directory for sockets of `user`.  `runtime_directory` ($XDG_RUNTIME_DIR, may be empty) counts
// when it is absolute and really the user's: of a shell that became another user it is the old
// one's.  `root` is put before it: "/proc/PID/root" for a process in a container.
std::string ControlDirectory(std::string_view runtime_directory, uid_t user,
                             const std::string& root = "");

// "4242.sock"; "4242-2.sock" where a process of another container holds that name.
std::string ControlName(pid_t pid, int attempt = 1);
inline constexpr int kMostControlNames = 8;  // attempts 1 to 8

}  // namespace heapgauge

#endif  // HEAPGAUGE_CONTROL_CONTROL_PLACE_H_
