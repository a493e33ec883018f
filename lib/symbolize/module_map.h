// The modules (executable, libraries, vdso) of this process: a snapshot that turns run-time
// addresses into addresses that mean the same in every run (build-id + offset).
//
// Used by the report thread.  Not thread-safe: one thread, or one lock, per map.
//
// M1  A module that was unloaded stays known until a new module takes its place in the address
//     space, so stacks recorded before dlclose() can still be named.
// M2  Executable ranges of known modules never overlap, and the index over them is sorted.
// M3  Nothing is allocated and no file is touched while the loader's lock is held.
#ifndef HEAPGAUGE_SYMBOLIZE_MODULE_MAP_H_
#define HEAPGAUGE_SYMBOLIZE_MODULE_MAP_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "symbolize/symbolizer.h"

namespace heapgauge {

class ModuleMap final {
 public:
  struct Range {
    uintptr_t begin = 0;
    uintptr_t end = 0;  // one past the last byte

    bool operator==(const Range&) const = default;
  };

  struct Module {
    std::string path;      // absolute where possible; "[vdso]" for the kernel's
    std::string build_id;  // hex, "" if it has none
    uintptr_t bias = 0;    // run-time address - address in the ELF file
    Range extent;          // of all its segments
    std::vector<Range> executable;
    bool loaded = true;  // false: gone at the last Refresh(), kept by M1
  };

  // Takes the first snapshot.
  ModuleMap() { Refresh(); }

  // Brings the map up to date; true if anything changed.  Costs two words of the loader's when
  // nothing was loaded or unloaded since.  Never throws: out of memory leaves the map as it was.
  // Indices into modules() are valid until the next call that returns true.
  bool Refresh() noexcept;

  const std::vector<Module>& modules() const { return modules_; }

  // Index into modules() of the one whose code covers this run-time address.
  std::optional<size_t> Find(uintptr_t pc) const noexcept;

  // The same as an address in the file.  For a return address pass pc - 1.  Outside every module:
  // no path, no build-id, and the offset is the address itself.
  ModuleAddress Locate(uintptr_t pc) const;

 private:
  struct IndexEntry {
    Range range;
    size_t module;
  };

  void Replace(std::vector<Module> now);

  std::vector<Module> modules_;
  std::vector<IndexEntry> index_;  // M2
  // The loader's counts of loads and unloads at the last snapshot; it keeps none below glibc 2.4.
  uint64_t loads_ = 0;
  uint64_t unloads_ = 0;
};

}  // namespace heapgauge

#endif  // HEAPGAUGE_SYMBOLIZE_MODULE_MAP_H_
