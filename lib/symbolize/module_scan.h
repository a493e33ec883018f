// One walk over the loader's list of modules, copied out without allocating under its lock (M3).
#ifndef HEAPGAUGE_SYMBOLIZE_MODULE_SCAN_H_
#define HEAPGAUGE_SYMBOLIZE_MODULE_SCAN_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "elf/build_id.h"
#include "symbolize/module_map.h"

namespace heapgauge::symbolize {

struct LoaderCounts {
  uint64_t loads = 0;
  uint64_t unloads = 0;
  bool known = false;

  bool operator==(const LoaderCounts&) const = default;
};

// Cheap: looks at the first module only.
LoaderCounts ReadLoaderCounts() noexcept;

// What the loader said of one module.
struct ScannedModule {
  size_t name_at = 0;  // in ModuleScan::names
  size_t name_size = 0;
  uintptr_t bias = 0;
  ModuleMap::Range extent;
  uintptr_t dynamic = 0;   // its dynamic section, 0: none
  size_t first_range = 0;  // in ModuleScan::ranges
  size_t range_count = 0;
  std::array<uint8_t, kMaxBuildIdBytes> build_id{};
  size_t build_id_size = 0;
  // Its pages are not there any more: somebody cut its file short.  The rest is then incomplete.
  bool cut_short = false;
};

struct ModuleScan {
  std::vector<ScannedModule> modules;
  std::vector<ModuleMap::Range> ranges;  // executable segments
  std::string names;                     // copied: the loader frees its own at dlclose
  LoaderCounts counts;

  std::string_view NameOf(const ScannedModule& module) const {
    return std::string_view(names).substr(module.name_at, module.name_size);
  }
};

ModuleScan ScanModules();

}  // namespace heapgauge::symbolize

#endif  // HEAPGAUGE_SYMBOLIZE_MODULE_SCAN_H_
