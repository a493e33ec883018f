#include "symbolize/module_scan.h"

#include <link.h>
#include <string.h>

#include <algorithm>

#include "base/fork_gate.h"

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
  sizes.ranges += static_cast<size_t>(std::count_if(
      info->dlpi_phdr, info->dlpi_phdr + info->dlpi_phnum,
      [](const auto& segment) { return segment.p_type == PT_LOAD && (segment.p_flags & PF_X); }));
  if (info->dlpi_name != nullptr) sizes.names += strlen(info->dlpi_name);
  return 0;
}

// The segment's bytes, if a readable segment that was loaded contains them.  A program header is
// only a claim: without the check a module packed by an odd tool would make us read an unmapped
// page.
std::span<const uint8_t> BytesOf(const dl_phdr_info& info, const ElfW(Phdr) & note) noexcept {
  for (const auto* load = info.dlpi_phdr; load != info.dlpi_phdr + info.dlpi_phnum; ++load) {
    if (load->p_type == PT_LOAD && (load->p_flags & PF_R) && note.p_vaddr >= load->p_vaddr &&
        note.p_memsz <= load->p_filesz &&
        note.p_vaddr - load->p_vaddr <= load->p_filesz - note.p_memsz) {
      return {reinterpret_cast<const uint8_t*>(info.dlpi_addr + note.p_vaddr), note.p_memsz};
    }
  }
  return {};
}

void CopySegments(const dl_phdr_info& info, ScannedModule& module,
                  std::vector<ModuleMap::Range>& ranges) noexcept {
  module.extent = {UINTPTR_MAX, 0};
  module.first_range = ranges.size();
  for (const auto* segment = info.dlpi_phdr; segment != info.dlpi_phdr + info.dlpi_phnum;
       ++segment) {
    if (segment->p_type == PT_LOAD) {
      const uintptr_t begin = info.dlpi_addr + segment->p_vaddr;
      const uintptr_t end = begin + segment->p_memsz;
      module.extent.begin = std::min(module.extent.begin, begin);
      module.extent.end = std::max(module.extent.end, end);
      if ((segment->p_flags & PF_X) && begin < end) ranges.push_back({begin, end});
    } else if (segment->p_type == PT_NOTE && module.build_id_size == 0) {
      const auto id = FindBuildId(BytesOf(info, *segment), segment->p_align);
      std::copy(id.begin(), id.end(), module.build_id.begin());
      module.build_id_size = id.size();
    }
  }
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
