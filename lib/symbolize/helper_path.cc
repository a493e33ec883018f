#include "symbolize/helper_path.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <memory>

#include "symbolize/module_map.h"

namespace heapgauge::symbolize {

std::string FindHelperFrom(const std::string& directory) {
  for (const char* relative : {"/../bin/heapgauge", "/../../bin/heapgauge", "/heapgauge"}) {
    const std::string candidate = directory + relative;
    const std::unique_ptr<char, decltype(&free)> path(realpath(candidate.c_str(), nullptr), &free);
    struct stat status;
    if (path && stat(path.get(), &status) == 0 && S_ISREG(status.st_mode) &&
        faccessat(AT_FDCWD, path.get(), X_OK, AT_EACCESS) == 0) {
      return path.get();
    }
  }
  return {};
}

std::string FindHelper() {
  // Not dladdr(): for code linked into an executable it repeats argv[0], which may be anything.
  const ModuleMap modules;
  const std::string here = modules.Locate(reinterpret_cast<uintptr_t>(&FindHelper)).module;
  const size_t slash = here.rfind('/');
  return slash == std::string::npos ? std::string() : FindHelperFrom(here.substr(0, slash));
}

}  // namespace heapgauge::symbolize
