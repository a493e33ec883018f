#include "attach/loader_list.h"

#include <algorithm>
#include <climits>
#include <cstddef>
#include <cstdint>

#include "attach/remote_memory.h"
#include "elf/module_layout.h"
#include "elf/module_reader.h"

namespace heapgauge::attach {
namespace {

constexpr size_t kMostModules = 8192;  // programs have hundreds
constexpr size_t kMostNames = 64;      // of one module
constexpr char kBroken[] = "its loader's list of modules is damaged, so nothing can be loaded";

// The beginning of glibc's link_map: the first five members are what debuggers rely on; the rest
// has stood there since 2.3.
struct ListedModule {
  uint64_t bias;
  uint64_t name;
  uint64_t dynamic;
  uint64_t next;
  uint64_t previous;
  uint64_t self;
  int64_t name_space;
  uint64_t names;            // further ones
  uint64_t entries[DT_NUM];  // of the dynamic section, by their tags
};

struct FurtherName {
  uint64_t name;
  uint64_t next;
};

class List final {
 public:
  List(pid_t pid, const std::vector<LoadedModule>& modules) : memory_(pid), modules_(modules) {}

  std::string Follow(uint64_t first) {
    uint64_t previous = 0;
    size_t count = 0;
    for (uint64_t at = first; at != 0; ++count) {
      if (count == kMostModules) return "its loader has more modules than can be looked at";
      ListedModule module;
      if (memory_.Get(at, &module) == nullptr || module.previous != previous ||
          !EndsAll(at, module)) {
        return kBroken;
      }
      previous = at;
      at = module.next;
    }
    return {};
  }

  // A module, by all that can be seen of it.
  bool BeginsAt(uint64_t at) {
    ListedModule module;
    return memory_.Get(at, &module) != nullptr && module.self == at && module.name_space == 0;
  }

  // What the loader has under `name`; 0: nothing.
  uint64_t Find(const ModuleLayout& layout, const char* name) {
    ModuleReader<RemoteMemory> reader(memory_, layout);
    ElfW(Sym) symbol;
    const auto any = [](const ElfW(Sym)&) { return true; };
    return reader.FindDefinition(name, kAnyVersion, any, &symbol) ? layout.bias + symbol.st_value
                                                                  : 0;
  }

  RemoteMemory& memory() { return memory_; }

 private:
  bool EndsAll(uint64_t at, const ListedModule& module) {
    ElfW(Dyn) entry;
    if (module.dynamic != 0 && memory_.Get(module.dynamic, &entry) == nullptr) return false;
    if (!memory_.HasText(module.name, PATH_MAX) || !LiesWhereItSays(module)) return false;
    // Elsewhere these stand for a module of another namespace, or the layout is another one.
    if (module.self != at || module.name_space != 0) return true;
    FurtherName further;
    size_t count = 0;
    for (uint64_t name = module.names; name != 0; name = further.next) {
      if (++count > kMostNames || memory_.Get(name, &further) == nullptr ||
          !memory_.HasText(further.name, PATH_MAX)) {
        return false;
      }
    }
    return HasItsName(module);
  }

  bool LiesWhereItSays(const ListedModule& module) {
    const auto holds = [&](const LoadedModule& file) { return file.Holds(module.dynamic); };
    const auto file = std::find_if(modules_.begin(), modules_.end(), holds);
    ProgramHeaders headers;
    if (file == modules_.end() || !FindHeaders(memory_, file->base, &headers)) return true;
    bool some = false;
    bool same = false;
    VisitSegments(memory_, headers, module.bias,
                  [&](const ElfW(Phdr) & segment, const AddressRange& range) {
                    if (segment.p_type != PT_DYNAMIC) return;
                    some = true;
                    same = same || range.begin == module.dynamic;
                  });
    return same || !some;
  }

  // The one in the module's own tables.
  bool HasItsName(const ListedModule& module) {
    const uint64_t name_at = module.entries[DT_SONAME];
    const uint64_t strings_at = module.entries[DT_STRTAB];
    if (name_at == 0) return true;
    ElfW(Dyn) name;
    ElfW(Dyn) strings;
    if (memory_.Get(name_at, &name) == nullptr || memory_.Get(strings_at, &strings) == nullptr) {
      return false;
    }
    const uint64_t table = strings.d_un.d_ptr;
    // Where the loader can't write to the section (the vdso), it is as it is in the file.
    return memory_.HasText(table + name.d_un.d_val, PATH_MAX) ||
           memory_.HasText(module.bias + table + name.d_un.d_val, PATH_MAX);
  }

  RemoteMemory memory_;
  const std::vector<LoadedModule>& modules_;
};

}  // namespace

std::string WhyNotFollowed(pid_t pid, const LoadedModule& loader,
                           const std::vector<LoadedModule>& modules) {
  List list(pid, modules);
  ModuleLayout layout;
  if (!ReadLayoutAt(list.memory(), loader.base, &layout)) {
    return "the tables of its loader can't be read";
  }
  // What debuggers are told, and what the loader itself goes by: the same in an honest process.  The
  // second is glibc's own affair, and believed only as far as it looks like a list.
  const uint64_t told_at = list.Find(layout, "_r_debug");
  const uint64_t own_at = list.Find(layout, "_rtld_global");
  uint64_t told = 0;
  uint64_t own = 0;
  if (told_at != 0) list.memory().Get(told_at + offsetof(struct r_debug, r_map), &told);
  if (own_at != 0) list.memory().Get(own_at, &own);
  if (told == 0) return "its loader's list of modules can't be found";
  std::string why = list.Follow(told);
  if (why.empty() && own != told && list.BeginsAt(own)) why = list.Follow(own);
  return why;
}

}  // namespace heapgauge::attach
