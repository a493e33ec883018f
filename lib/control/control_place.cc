#include "control/control_place.h"

#include <sys/stat.h>

namespace heapgauge {
namespace {

bool BelongsTo(const std::string& directory, uid_t user) {
  struct stat status {};
  return stat(directory.c_str(), &status) == 0 && S_ISDIR(status.st_mode) && status.st_uid == user;
}

}  // namespace

std::string ControlDirectory(std::string_view runtime_directory, uid_t user,
                             const std::string& root) {
  if (runtime_directory.starts_with('/')) {
    std::string directory = root + std::string(runtime_directory);
    if (BelongsTo(directory, user)) return directory + "/heapgauge";
  }
  return root + "/tmp/heapgauge-" + std::to_string(user);
}

std::string ControlName(pid_t pid, int attempt) {
  std::string name = std::to_string(pid);
  if (attempt > 1) name += "-" + std::to_string(attempt);
  return name + kControlSuffix;
}

}  // namespace heapgauge
