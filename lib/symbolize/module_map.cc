#include "symbolize/module_map.h"

#include <sys/auxv.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "base/basename.h"
#include "elf/elf_image.h"
#include "elf/hex.h"
#include "symbolize/main_executable.h"
#include "symbolize/module_scan.h"

namespace heapgauge {
namespace {

using symbolize::LoaderCounts;
using symbolize::ModuleScan;
using symbolize::ScannedModule;

// A host that loads and unloads plugins for years must not grow us: beyond this many the modules
// unloaded first are forgotten (about 300 bytes each).
constexpr size_t kMaxUnloadedModules = 1024;

bool Contains(const ModuleMap::Range& range, uintptr_t address) {
  return range.begin <= address && address < range.end;
}

bool Overlap(const ModuleMap::Range& a, const ModuleMap::Range& b) {
  return a.begin < b.end && b.begin < a.end;
}

std::string PathOfMain(const ModuleMap::Module& main) {
  std::string path = symbolize::MainExecutablePath();
  if (main.build_id.empty() || main.executable.empty()) return path;
  const auto file = elf::ElfImage::OpenFile(path.c_str());
  if (file && file->build_id() == main.build_id) return path;
  // Replaced on disk since it started (its old name is still the best one), or run by `ld.so
  // program`.
  const std::string mapped = symbolize::MappedFileAt(main.executable.front().begin);
  return mapped.empty() ? path : mapped;
}

// A path found for the same module at an earlier snapshot stays: the program may have changed its
// directory, or somebody replaced its file, since then.
const std::string* KnownPath(const std::vector<ModuleMap::Module>& known,
                             const ModuleMap::Module& module, std::string_view name) {
  const std::string_view base = Basename(name);
  for (const ModuleMap::Module& old : known) {
    if (old.loaded && old.bias == module.bias && old.extent == module.extent &&
        old.build_id == module.build_id && old.path.ends_with(base)) {
      return &old.path;
    }
  }
  return nullptr;
}

// Of a module whose pages are gone the last snapshot still tells what it was.
const ModuleMap::Module* AsItWas(const std::vector<ModuleMap::Module>& known,
                                 const ScannedModule& cut_short, std::string_view name) {
  const std::string_view base = Basename(name);
  for (const ModuleMap::Module& old : known) {
    if (old.loaded && old.bias == cut_short.bias && old.path.ends_with(base)) return &old;
  }
  return nullptr;
}

ModuleMap::Module Convert(const ModuleScan& scan, const ScannedModule& scanned,
                          const std::vector<ModuleMap::Module>& known) {
  if (scanned.cut_short) {
    if (const auto* const old = AsItWas(known, scanned, scan.NameOf(scanned))) return *old;
  }
  ModuleMap::Module module;
  const std::string_view name = scan.NameOf(scanned);
  module.bias = scanned.bias;
  module.extent = scanned.extent;
  module.build_id = elf::ToHex({scanned.build_id.data(), scanned.build_id_size});
  const auto first = scan.ranges.begin() + static_cast<ptrdiff_t>(scanned.first_range);
  module.executable.assign(first, first + static_cast<ptrdiff_t>(scanned.range_count));
  const uintptr_t vdso = getauxval(AT_SYSINFO_EHDR);
  if (vdso != 0 && Contains(module.extent, vdso)) {
    module.path = "[vdso]";
  } else if (name.starts_with('/')) {
    module.path = name;
  } else if (const std::string* path = KnownPath(known, module, name)) {
    module.path = *path;
  } else if (!name.empty()) {
    module.path = symbolize::AbsolutePath(std::string(name));
  } else if (&scanned == scan.modules.data()) {
    module.path = PathOfMain(module);  // the loader leaves the program's own name empty
  }
  return module;
}

}  // namespace

bool ModuleMap::Refresh() noexcept {
  try {
    const LoaderCounts counts = symbolize::ReadLoaderCounts();
    if (counts.known && !modules_.empty() && counts.loads == loads_ && counts.unloads == unloads_) {
      return false;
    }
    const ModuleScan scan = symbolize::ScanModules();
    std::vector<Module> now;
    now.reserve(scan.modules.size());
    for (const ScannedModule& scanned : scan.modules) {
      now.push_back(Convert(scan, scanned, modules_));
    }
    Replace(std::move(now));
    loads_ = scan.counts.loads;
    unloads_ = scan.counts.unloads;
    return true;
  } catch (...) {
    return false;
  }
}

// Builds the new state aside and swaps it in at the end, so that an exception changes nothing.
void ModuleMap::Replace(std::vector<Module> now) {
  const size_t loaded = now.size();
  std::vector<Range> taken;
  taken.reserve(loaded);
  for (const Module& module : now) taken.push_back(module.extent);
  std::sort(taken.begin(), taken.end(),
            [](const Range& a, const Range& b) { return a.begin < b.begin; });

  // Longest gone come first in modules_ after the loaded ones, so the newest are at the end.
  std::vector<Module> gone;
  const auto keep_unless_overlapped = [&](const Module& old) {
    const auto after = std::partition_point(taken.begin(), taken.end(), [&](const Range& range) {
      return range.end <= old.extent.begin;
    });
    if (after != taken.end() && Overlap(*after, old.extent)) return;
    gone.push_back(old);
    gone.back().loaded = false;
  };
  for (const Module& old : modules_) {
    if (!old.loaded) keep_unless_overlapped(old);
  }
  for (const Module& old : modules_) {
    if (old.loaded) keep_unless_overlapped(old);  // a module still loaded overlaps itself
  }
  const size_t forget = gone.size() > kMaxUnloadedModules ? gone.size() - kMaxUnloadedModules : 0;
  now.insert(now.end(), std::make_move_iterator(gone.begin() + static_cast<ptrdiff_t>(forget)),
             std::make_move_iterator(gone.end()));

  std::vector<IndexEntry> index;
  for (size_t i = 0; i < now.size(); ++i) {
    for (const Range& range : now[i].executable) index.push_back({range, i});
  }
  std::sort(index.begin(), index.end(),
            [](const IndexEntry& a, const IndexEntry& b) { return a.range.begin < b.range.begin; });
  modules_.swap(now);
  index_.swap(index);
}

std::optional<size_t> ModuleMap::Find(uintptr_t pc) const noexcept {
  const auto after = std::upper_bound(
      index_.begin(), index_.end(), pc,
      [](uintptr_t address, const IndexEntry& entry) { return address < entry.range.begin; });
  if (after == index_.begin()) return std::nullopt;
  const IndexEntry& entry = *std::prev(after);
  if (!Contains(entry.range, pc)) return std::nullopt;
  return entry.module;
}

ModuleAddress ModuleMap::Locate(uintptr_t pc) const {
  const std::optional<size_t> found = Find(pc);
  if (!found) return {{}, {}, pc};
  const Module& module = modules_[*found];
  return {module.path, module.build_id, pc - module.bias};
}

}  // namespace heapgauge
