// The end of the control socket that asks: the command and heapgauge-serve.
//
// Whoever listens may be hostile or hang: every wait has a limit, every answer a size.
#ifndef HEAPGAUGE_CONTROL_CONTROL_CLIENT_H_
#define HEAPGAUGE_CONTROL_CONTROL_CLIENT_H_

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <sys/types.h>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "base/descriptor.h"
#include "control/control_message.h"

namespace heapgauge {

class ControlClient final {
 public:
  // By the path of a socket.  nullopt: nobody listens there (any more), or not for us; errno.
  static std::optional<ControlClient> Connect(const std::string& path);
  // By the process: where its environment says, else where it usually lies, in its own root.
  // What is wrong is a sentence that names the process and the way out.
  static absl::StatusOr<ControlClient> Connect(pid_t pid);

  // None came: the process ended, or had no time.
  absl::StatusOr<ControlAnswer> Ask(const std::vector<std::string>& question,
                                    std::chrono::milliseconds patience);
  // In two steps, where several processes are asked at once.
  absl::Status Send(const std::vector<std::string>& question);
  absl::StatusOr<ControlAnswer> Receive(std::chrono::milliseconds patience);
  // Who listens, as this process counts; 0: a process of a namespace that is not seen from here.
  pid_t peer() const;
  // What came with the last answer; "" when nothing did.
  const std::string& attached() const { return attached_; }

 private:
  explicit ControlClient(Descriptor socket) : socket_(std::move(socket)) {}

  Descriptor socket_;
  std::string attached_;
};

// The sockets that this user may ask: paths.  Those of processes that have gone are removed where
// that is allowed.
std::vector<std::string> FindControlSockets();

}  // namespace heapgauge

#endif  // HEAPGAUGE_CONTROL_CONTROL_CLIENT_H_
