#include "symbolize/module_scan.h"

#include <link.h>
#include <string.h>

#include <algorithm>

#include "base/fork_gate.h"
#include "base/readable.h"
#include "elf/module_layout.h"
#include "elf/module_memory.h"

namespace heapgauge::symbolize {
namespace {

LoaderCounts CountsOf(const dl_phdr_info& info, size_t size) noexcept {
  if (size < offsetof(dl_phdr_info, dlpi_subs) + sizeof info.dlpi_subs) return {};
  return {info.dlpi_adds, info.dlpi_subs, true};
}

// Room measured by one walk and filled by the next; a library loaded in between makes it overflow.
struct Walk {
  ModuleScan* scan;
  size_t module_room;
  size_t range_room;
  size_t name_room;
  bool overflow = false;
};

struct Sizes {
  size_t modules = 0;
  size_t ranges = 0;
  size_t names = 0;
};

int Measure(dl_phdr_info* info, size_t, void* data) noexcept {
  auto& sizes = *static_cast<Sizes*>(data);
  ++sizes.modules;
  sizes.ranges += info->dlpi_phnum;
  if (info->dlpi_name != nullptr) sizes.names += strlen(info->dlpi_name);
  return 0;
}

// True when a readable segment that was loaded from the file holds the note.
bool HoldsNote(CheckedMemory& memory, const dl_phdr_info& info, const ElfW(Phdr) & note) noexcept {
  bool holds = false;
  VisitSegments(memory, HeadersOf(info), info.dlpi_addr,
                [&](const ElfW(Phdr) & load, const AddressRange&) {
                  if (load.p_type == PT_LOAD && (load.p_flags & PF_R) &&
                      note.p_vaddr >= load.p_vaddr && note.p_memsz <= load.p_filesz &&
                      note.p_vaddr - load.p_vaddr <= load.p_filesz - note.p_memsz) {
                    holds = true;
                  }
                });
  return holds;
}

// A build-id takes some 36 bytes; what linkers put beside it, 100.
constexpr size_t kMostNoteBytes = 4096;

void TakeBuildId(CheckedMemory& memory, const dl_phdr_info& info, const ElfW(Phdr) & note,
                 ScannedModule& module) noexcept {
  if (module.build_id_size != 0 || !HoldsNote(memory, info, note)) return;
  uint8_t bytes[kMostNoteBytes];
  const size_t size = std::min<size_t>(note.p_memsz, sizeof bytes);
  if (!CopyReadable(bytes, reinterpret_cast<const void*>(info.dlpi_addr + note.p_vaddr), size)) {
    module.cut_short = true;
    return;
  }
  const auto id = FindBuildId({bytes, size}, note.p_align);
  std::copy(id.begin(), id.end(), module.build_id.begin());
  module.build_id_size = id.size();
}

void CopySegments(const dl_phdr_info& info, ScannedModule& module,
                  std::vector<ModuleMap::Range>& ranges) noexcept {
  module.extent = {UINTPTR_MAX, 0};
  module.first_range = ranges.size();
  CheckedMemory memory;
  const bool whole = VisitSegments(memory, HeadersOf(info), info.dlpi_addr,
                                   [&](const ElfW(Phdr) & segment, const AddressRange& at) {
                                     if (segment.p_type == PT_LOAD) {
                                       module.extent.begin =
                                           std::min(module.extent.begin, at.begin);
                                       module.extent.end = std::max(module.extent.end, at.end);
                                       if ((segment.p_flags & PF_X) && at.begin < at.end)
                                         ranges.push_back({at.begin, at.end});
                                     } else if (segment.p_type == PT_NOTE) {
                                       TakeBuildId(memory, info, segment, module);
                                     } else if (segment.p_type == PT_DYNAMIC) {
                                       module.dynamic = at.begin;
                                     }
                                   });
  if (!whole) module.cut_short = true;
  module.range_count = ranges.size() - module.first_range;
  if (module.extent.begin >= module.extent.end) module.extent = {};
}

int Copy(dl_phdr_info* info, size_t size, void* data) noexcept {
  auto& walk = *static_cast<Walk*>(data);
  ModuleScan& scan = *walk.scan;
  const size_t name_size = info->dlpi_name == nullptr ? 0 : strlen(info->dlpi_name);
  if (scan.modules.size() == walk.module_room || walk.name_room - scan.names.size() < name_size ||
      walk.range_room - scan.ranges.size() < info->dlpi_phnum) {
    walk.overflow = true;
    return 1;
  }
  if (scan.modules.empty()) scan.counts = CountsOf(*info, size);
  ScannedModule module;
  module.bias = info->dlpi_addr;
  module.name_at = scan.names.size();
  module.name_size = name_size;
  if (name_size != 0) scan.names.append(info->dlpi_name, name_size);
  CopySegments(*info, module, scan.ranges);
  scan.modules.push_back(module);  // all three within the room reserved: no allocation
  return 0;
}

// The loader's lock is held meanwhile, and a child forked then would never get it.  So a fork is
// waited for, however long it takes on a busy machine; false when it never ends.
constexpr int kMostAttempts = 100;  // of 100 ms

template <typename Visit>
bool WalkModules(Visit visit, void* data) noexcept {
  for (int attempt = 0; attempt < kMostAttempts; ++attempt) {
    const ForkGate::Passage gate;
    if (!gate.entered()) continue;
    dl_iterate_phdr(visit, data);
    return true;
  }
  return false;
}

}  // namespace

LoaderCounts ReadLoaderCounts() noexcept {
  LoaderCounts counts;
  WalkModules(
      [](dl_phdr_info* info, size_t size, void* data) noexcept {
        *static_cast<LoaderCounts*>(data) = CountsOf(*info, size);
        return 1;
      },
      &counts);
  return counts;
}

ModuleScan ScanModules() {
  ModuleScan scan;
  for (;;) {
    Sizes sizes;
    if (!WalkModules(Measure, &sizes)) return scan;
    // Slack for libraries that arrive between the walks; Copy() asks range room for all headers.
    Walk walk{&scan, sizes.modules + 8, sizes.ranges + 128, sizes.names + 1024};
    scan = {};
    scan.modules.reserve(walk.module_room);
    scan.ranges.reserve(walk.range_room);
    scan.names.reserve(walk.name_room);
    if (!WalkModules(Copy, &walk) || !walk.overflow) return scan;
  }
}

}  // namespace heapgauge::symbolize
