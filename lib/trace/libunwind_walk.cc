#if defined(__x86_64__)
#include "trace/libunwind_walk.h"

#include <dlfcn.h>
#include <link.h>

#include <algorithm>
#include <type_traits>

#include "base/raw_log.h"
#include "elf/module_around.h"
#include "trace/cfi_entry.h"
#include "trace/libunwind_imports.h"

// Exported for those who bring their own way of finding modules, and declared nowhere.
extern "C" int UNW_OBJ(dwarf_search_unwind_table)(unw_addr_space_t, unw_word_t, unw_dyn_info_t*,
                                                  unw_proc_info_t*, int, void*);

namespace heapgauge {
namespace {

constexpr char kLibrary[] = "libunwind-x86_64.so.8";

// libunwind.h gives each function the name that the library exports.
#define HG_TEXT_OF(text) #text
#define HG_NAME_OF(function) HG_TEXT_OF(function)

struct Functions {
  decltype(&unw_create_addr_space) create_space;
  decltype(&unw_set_caching_policy) set_caching;
  decltype(&unw_init_remote) init;
  decltype(&unw_step) step;
  decltype(&unw_get_reg) get_register;
  decltype(&UNW_OBJ(dwarf_search_unwind_table)) search_table;
};
Functions g_libunwind;
unw_addr_space_t g_space = nullptr;  // set before the first sample, never changed

template <typename Function>
bool Find(void* library, const char* name, Function* to) noexcept {
  *to = reinterpret_cast<Function>(dlsym(library, name));
  return *to != nullptr;
}

bool FindAll(void* library) noexcept {
  Functions& all = g_libunwind;
  return Find(library, HG_NAME_OF(unw_create_addr_space), &all.create_space) &&
         Find(library, HG_NAME_OF(unw_set_caching_policy), &all.set_caching) &&
         Find(library, HG_NAME_OF(unw_init_remote), &all.init) &&
         Find(library, HG_NAME_OF(unw_step), &all.step) &&
         Find(library, HG_NAME_OF(unw_get_reg), &all.get_register) &&
         Find(library, HG_NAME_OF(UNW_OBJ(dwarf_search_unwind_table)), &all.search_table);
}

int FindFunction(unw_addr_space_t space, unw_word_t pc, unw_proc_info_t* info, int whole,
                 void* walk) noexcept {
  const ModuleAround module(pc);
  const unsigned char* const header = module.frame_tables();
  if (header == nullptr) return -UNW_ENOINFO;
  TableMemory memory(module.range());
  cfi::Entry entry;
  if (!cfi::FindEntry(memory, header, pc, &entry)) return -UNW_ENOINFO;
  const cfi::SortedTable table(memory, header);
  unw_dyn_info_t where{};
  where.format = UNW_INFO_FORMAT_REMOTE_TABLE;
  where.start_ip = module.range().begin;
  where.end_ip = module.range().end;
  where.u.rti.segbase = reinterpret_cast<unw_word_t>(header);
  where.u.rti.table_data = reinterpret_cast<unw_word_t>(table.rows);
  where.u.rti.table_len = table.count * cfi::SortedTable::kRow / sizeof(unw_word_t);
  return g_libunwind.search_table(space, pc, &where, info, whole, walk);
}

}  // namespace

// What libunwind asks of its caller; each gets the walk.
struct LibunwindWalk::Accessors {
  static int Memory(unw_addr_space_t, unw_word_t at, unw_word_t* word, int write,
                    void* walk) noexcept {
    return write == 0 && static_cast<LibunwindWalk*>(walk)->Read(at, word) ? 0 : -UNW_EINVAL;
  }
  // libunwind numbers the registers as DWARF does.
  static int Register(unw_addr_space_t, unw_regnum_t number, unw_word_t* value, int write,
                      void* walk) noexcept {
    const FrameRegisters& from = static_cast<LibunwindWalk*>(walk)->from_;
    if (write != 0 || number < 0 || !from.Knows(static_cast<uint64_t>(number))) return -UNW_EBADREG;
    *value = from.value[number];
    return 0;
  }
  static int FloatRegister(unw_addr_space_t, unw_regnum_t, unw_fpreg_t*, int, void*) noexcept {
    return -UNW_EBADREG;
  }
  static int GeneratedCode(unw_addr_space_t, unw_word_t*, void*) noexcept { return -UNW_ENOINFO; }
  static void PutBack(unw_addr_space_t, unw_proc_info_t*, void*) noexcept {}
};

namespace {

int NoPages(void* /*from*/, size_t /*bytes*/, unsigned char* /*pages*/) noexcept { return -1; }
int NoPipe(int* ends, int /*flags*/) noexcept {
  ends[0] = ends[1] = -1;
  return -1;
}

}  // namespace

bool LibunwindWalk::Load() noexcept {
  if (loaded()) return true;
  // Its calls are bound to the C library's functions, whatever the host exports.  By dlmopen(),
  // because our hook of dlopen() is meant for the host's calls.
  void* const library = dlmopen(LM_ID_BASE, kLibrary, RTLD_NOW | RTLD_LOCAL | RTLD_DEEPBIND);
  if (library == nullptr || !FindAll(library)) {
    RawLog(LogLevel::kWarning,
           "HEAPGAUGE_UNWIND=dwarf: %s can't be used (%s); the unwind tables are read by heapgauge "
           "alone",
           kLibrary, library == nullptr ? dlerror() : "of another version");
    return false;
  }
  const link_map* module = nullptr;
  if (dlinfo(library, RTLD_DI_LINKMAP, &module) == 0) {
    const LibunwindImports imports(module->l_addr, module->l_ld);
    imports.LeadMaskCalls();
    // It tries mincore() out when it begins, which filters of system calls kill for.  The answer is
    // of no use here: all memory is read through the accessors.
    imports.Lead("mincore", &NoPages);
    // Nor of a pipe, whose ends would be the host's numbers 3 and 4.
    imports.Lead("pipe2", &NoPipe);
  }
  unw_accessors_t accessors{};
  accessors.find_proc_info = FindFunction;
  accessors.put_unwind_info = Accessors::PutBack;
  accessors.get_dyn_info_list_addr = Accessors::GeneratedCode;
  accessors.access_mem = Accessors::Memory;
  accessors.access_reg = Accessors::Register;
  accessors.access_fpreg = Accessors::FloatRegister;
  g_space = g_libunwind.create_space(&accessors, 0);
  // What it keeps of a module would outlive the module.
  if (g_space != nullptr) g_libunwind.set_caching(g_space, UNW_CACHE_NONE);
  return loaded();
}

bool LibunwindWalk::loaded() noexcept { return g_space != nullptr; }

LibunwindWalk::LibunwindWalk(const FrameRegisters& from) noexcept : from_(from) {
  usable_ = loaded() && g_libunwind.init(&cursor_, g_space, this) == 0;
}

bool LibunwindWalk::Step(uint64_t* address, uint64_t* stack_pointer) noexcept {
  reads_ = 0;
  return usable_ && g_libunwind.step(&cursor_) > 0 &&
         g_libunwind.get_register(&cursor_, UNW_REG_IP, address) == 0 &&
         g_libunwind.get_register(&cursor_, UNW_REG_SP, stack_pointer) == 0;
}

}  // namespace heapgauge
#endif
