// What a client may ask of the process itself, through its control socket: a report now, a setting.
#ifndef HEAPGAUGE_SERVE_COMMANDS_H_
#define HEAPGAUGE_SERVE_COMMANDS_H_

#include <absl/status/statusor.h>
#include <sys/types.h>

#include <chrono>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace heapgauge::serve {

struct CommandResult {
  int status = 200;
  std::string text;
};

// Any thread; one after the other.
class Commands final {
 public:
  // `pid`: 0 where a directory is served, and nobody can be asked.
  explicit Commands(pid_t pid) : pid_(pid) {}

  CommandResult Snapshot();
  // `body`: lines of KEY=VALUE, or a JSON object of strings; those before a bad one hold.
  CommandResult Configure(const std::string& body);

 private:
  CommandResult Ask(const std::vector<std::string>& question, std::chrono::milliseconds patience);

  const pid_t pid_;
  std::mutex mutex_;
};

using NamedSettings = std::vector<std::pair<std::string, std::string>>;

// The settings of a body: at least one.
absl::StatusOr<NamedSettings> ParseSettings(const std::string& body);

// A page of another site may make a browser send a POST; it can't keep that from saying whence it
// comes.
bool ComesFromElsewhere(const std::string& origin, const std::string& host);

}  // namespace heapgauge::serve

#endif  // HEAPGAUGE_SERVE_COMMANDS_H_
