#include "cli/preload.h"

#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <functional>

#include "heapgauge/heapgauge.h"
#include "helper/preload_list.h"
#include "report/output_directory.h"

namespace heapgauge::cli {
namespace {

constexpr char kLibrary[] = "libheapgauge.so";
// Where the name without version belongs to those who build against it.
constexpr char kVersioned[] = "libheapgauge.so.0";
static_assert(HEAPGAUGE_VERSION_MAJOR == 0, "that is the library's soname");

bool Splits(std::string_view path) {
  return path.find_first_of(kPreloadSplitters) != std::string_view::npos;
}

std::string RealPath(const std::string& path) {
  std::array<char, PATH_MAX> resolved{};
  return realpath(path.c_str(), resolved.data()) != nullptr ? resolved.data() : "";
}

// The directory the control socket uses too.
std::string PrivateDirectory() {
  const char* runtime = secure_getenv("XDG_RUNTIME_DIR");
  if (runtime != nullptr && runtime[0] == '/' && !Splits(runtime) && access(runtime, W_OK) == 0) {
    return fmt::format("{}/heapgauge", runtime);
  }
  return fmt::format("/tmp/heapgauge-{}", geteuid());
}

// Makes `link` in `directory` point to `target`; an older one of that name is replaced if it points
// elsewhere.
bool Link(int directory, const std::string& target, const std::string& link) {
  for (int attempt = 0; attempt < 2; ++attempt) {
    if (symlinkat(target.c_str(), directory, link.c_str()) == 0) return true;
    if (errno != EEXIST) return false;
    std::array<char, PATH_MAX> found{};
    const ssize_t size = readlinkat(directory, link.c_str(), found.data(), found.size());
    if (size > 0 && std::string_view(found.data(), static_cast<size_t>(size)) == target)
      return true;
    if (unlinkat(directory, link.c_str(), 0) != 0) return false;
  }
  return false;
}

}  // namespace

absl::StatusOr<std::string> FindLibraryFrom(const std::string& directory) {
  for (const char* relative :
       {HEAPGAUGE_LIBDIR_FROM_BINDIR, "../lib", "../lib/" HEAPGAUGE_MACHINE, "../lib64", "."}) {
    for (const char* name : {kLibrary, kVersioned}) {
      const std::string path = RealPath(fmt::format("{}/{}/{}", directory, relative, name));
      if (path.empty()) continue;
      // Not the file they lead to: it is what users see in LD_PRELOAD and what a rebuild keeps.
      const std::string found = path.substr(0, path.rfind('/') + 1) + name;
      return access(found.c_str(), R_OK) == 0 ? found : path;
    }
  }
  return absl::NotFoundError(fmt::format(
      "{} is missing: looked in {} and beside it in ../lib, ../lib/{} and ../lib64; install it "
      "again",
      kLibrary, directory, HEAPGAUGE_MACHINE));
}

absl::StatusOr<std::string> FindLibrary() {
  const std::string self = RealPath("/proc/self/exe");
  if (self.empty()) {
    return absl::NotFoundError(fmt::format("cannot find {}: /proc is not readable here", kLibrary));
  }
  return FindLibraryFrom(self.substr(0, self.rfind('/')));
}

absl::StatusOr<std::string> PreloadablePath(const std::string& library) {
  if (!Splits(library)) return library;
  const size_t slash = library.rfind('/');
  const std::string home = library.substr(0, slash);
  const std::string name = library.substr(slash + 1);
  const std::string place = PrivateDirectory();
  std::string problem;
  const int directory = OpenReportDirectory(place, true, &problem);
  if (directory >= 0) {
    // To the directory, not the file: the library looks for its core beside itself and for the
    // command in ../bin.
    const std::string link = fmt::format("lib-{:016x}", std::hash<std::string>()(home));
    const bool linked = Link(directory, home, link);
    problem = fmt::format("cannot link {}/{}: {}", place, link, std::strerror(errno));
    close(directory);
    if (linked) return fmt::format("{}/{}/{}", place, link, name);
  }
  return absl::FailedPreconditionError(fmt::format(
      "the loader cannot preload {}, whose path has a space or a colon, and {}", library, problem));
}

absl::StatusOr<std::string> LibraryToPreload() {
  const absl::StatusOr<std::string> library = FindLibrary();
  return library.ok() ? PreloadablePath(*library) : library;
}

std::string PreloadValue(const std::string& library, std::string_view before) {
  const std::string behind = WithoutLibrary(before, library);
  return behind.empty() ? library : library + ":" + behind;
}

}  // namespace heapgauge::cli
