#include "symbolize/lines_wanted.h"

#include <algorithm>
#include <iterator>
#include <string_view>

#include "base/basename.h"
#include "symbolize/module_files.h"

namespace heapgauge::symbolize {
namespace {

// The files of glibc, of today and (with a version in its name) of before 2.34.
constexpr std::string_view kRuntime[] = {"libc.so.6", "libpthread.so.0"};
constexpr std::string_view kRuntimeStarts[] = {"libc-2.", "libpthread-2.", "ld-2.", "ld-linux-"};
// What the helper finds something in: DWARF, also the old compressed kind, and the compressed
// symbol table that Fedora's programs carry.
constexpr std::string_view kDebugSections[] = {".debug_info", ".zdebug_info", ".debug_line",
                                               ".gnu_debugdata"};

bool IsRuntime(std::string_view path) {
  const std::string_view name = Basename(path);
  return std::ranges::find(kRuntime, name) != std::end(kRuntime) ||
         std::ranges::any_of(kRuntimeStarts,
                             [&](std::string_view start) { return name.starts_with(start); });
}

}  // namespace

bool LinesWanted(const std::string& path, const std::string& build_id,
                 const std::string& debug_root, bool has_servers) {
  if (path.empty() || path == kVdsoPath || IsRuntime(path)) return false;
  if (has_servers && !build_id.empty()) return true;
  const auto binary = FindBinary(path, build_id);
  if (binary) {
    for (const std::string_view section : kDebugSections) {
      if (binary->image.FindSection(section) != nullptr) return true;
    }
  }
  return FindDebugFile(path, build_id, binary ? &binary->image : nullptr, debug_root).has_value();
}

}  // namespace heapgauge::symbolize
