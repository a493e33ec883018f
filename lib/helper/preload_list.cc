#include "helper/preload_list.h"

#include <absl/strings/str_join.h>
#include <absl/strings/str_split.h>
#include <absl/strings/string_view.h>
#include <absl/strings/strip.h>
#include <sys/stat.h>

#include <vector>

namespace heapgauge {
namespace {

bool SameFile(const std::string& a, const std::string& b) {
  struct stat first {};
  struct stat second {};
  return stat(a.c_str(), &first) == 0 && stat(b.c_str(), &second) == 0 &&
         first.st_dev == second.st_dev && first.st_ino == second.st_ino;
}

// libheapgauge.so, libheapgauge.so.0, libheapgauge.so.0.1.0
bool HasOurName(absl::string_view entry) {
  absl::string_view name = entry.substr(entry.rfind('/') + 1);
  return absl::ConsumePrefix(&name, "libheapgauge.so") && (name.empty() || name.front() == '.');
}

}  // namespace

std::string WithoutLibrary(std::string_view list, const std::string& library) {
  const auto stays = [&library](absl::string_view entry) {
    return !entry.empty() && !HasOurName(entry) &&
           (library.empty() || !SameFile(std::string(entry), library));
  };
  const std::vector<absl::string_view> kept = absl::StrSplit(
      absl::string_view(list.data(), list.size()), absl::ByAnyChar(kPreloadSplitters), stays);
  return absl::StrJoin(kept, ":");
}

}  // namespace heapgauge
