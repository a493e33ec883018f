#include "helper/program_path.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <memory>
#include <utility>

namespace heapgauge {
namespace {

// Written once, before there is a second thread of ours.
std::string& InstalledFile() {
  static std::string file;
  return file;
}

std::string OwnFile() {
  const std::unique_ptr<char, decltype(&free)> path(realpath("/proc/self/exe", nullptr), &free);
  return path ? path.get() : std::string();
}

}  // namespace

void SetInstalledFile(std::string path) { InstalledFile() = std::move(path); }

std::string FindProgramFrom(const std::string& directory, const std::string& name) {
  for (const char* up : {"/..", "/../.."}) {
    const std::string candidate = directory + up + "/libexec/heapgauge/" + name;
    const std::unique_ptr<char, decltype(&free)> path(realpath(candidate.c_str(), nullptr), &free);
    struct stat status;
    if (path && stat(path.get(), &status) == 0 && S_ISREG(status.st_mode) &&
        faccessat(AT_FDCWD, path.get(), X_OK, AT_EACCESS) == 0) {
      return path.get();
    }
  }
  return {};
}

std::string FindProgram(const std::string& name) {
  const std::string file = InstalledFile().empty() ? OwnFile() : InstalledFile();
  const size_t slash = file.rfind('/');
  return slash == std::string::npos ? std::string() : FindProgramFrom(file.substr(0, slash), name);
}

}  // namespace heapgauge
