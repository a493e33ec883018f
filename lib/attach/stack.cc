#include "attach/stack.h"

#include <elfutils/libdwfl.h>
#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <string_view>

namespace heapgauge::attach {
namespace {

// Functions of the C library during which it may hold a lock that pthread_create() takes, or in
// which its allocator's state may be half changed.
constexpr auto kUnsafeFunctions =
    std::to_array<std::string_view>({"_Fork",        "aligned_alloc",   "calloc",
                                     "cfree",        "dl_iterate_phdr", "dladdr",
                                     "dladdr1",      "dlclose",         "dlerror",
                                     "dlinfo",       "dlmopen",         "dlopen",
                                     "dlsym",        "dlvsym",          "fork",
                                     "free",         "initgroups",      "mallinfo",
                                     "mallinfo2",    "malloc",          "malloc_info",
                                     "malloc_stats", "malloc_trim",     "malloc_usable_size",
                                     "mallopt",      "memalign",        "posix_memalign",
                                     "posix_spawn",  "posix_spawnp",    "pthread_create",
                                     "pthread_exit", "pvalloc",         "realloc",
                                     "reallocarray", "setegid",         "seteuid",
                                     "setgid",       "setgroups",       "setregid",
                                     "setresgid",    "setresuid",       "setreuid",
                                     "setuid",       "valloc",          "vfork"});

constexpr size_t kMostFrames = 512;
// Of a module with all its debug information; libelf maps it.
constexpr off_t kLargestFile = off_t{8} << 30;

struct Frames {
  std::vector<uint64_t> addresses;
};

int OnFrame(Dwfl_Frame* frame, void* data) {
  auto& frames = *static_cast<Frames*>(data);
  Dwarf_Addr pc = 0;
  bool is_exact = false;  // not a return address
  if (!dwfl_frame_pc(frame, &pc, &is_exact)) return DWARF_CB_ABORT;
  frames.addresses.push_back(is_exact ? pc : pc - 1);
  return frames.addresses.size() < kMostFrames ? DWARF_CB_OK : DWARF_CB_ABORT;
}

std::string g_root;  // "/proc/PID/root": the callback has no other way to know it

// The file as the process sees it: it may live under another root.
int FindElf(Dwfl_Module* module, void** data, const char* name, Dwarf_Addr base, char** file_name,
            Elf** elf) {
  if (name == nullptr || name[0] != '/')
    return dwfl_linux_proc_find_elf(module, data, name, base, file_name, elf);
  const std::string path = g_root + name;
  // It may be a pipe by now, or leased to somebody who does not give it back.
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  struct stat info {};
  if (file < 0) return -1;
  if (fstat(file, &info) != 0 || !S_ISREG(info.st_mode) || info.st_size > kLargestFile) {
    close(file);
    return -1;
  }
  *file_name = strdup(path.c_str());
  return file;
}

int FindNoDebugInfo(Dwfl_Module*, void**, const char*, Dwarf_Addr, const char*, const char*,
                    GElf_Word, char**) {
  return -1;  // the tables that programs are run with suffice, and are fast to read
}

int ReadTables(Dwfl_Module* module, void**, const char*, Dwarf_Addr, void*) {
  Dwarf_Addr bias = 0;
  dwfl_module_eh_cfi(module, &bias);
  return DWARF_CB_OK;
}

}  // namespace

struct StackJudge::Unwinder {
  Dwfl_Callbacks callbacks{};
  Dwfl* dwfl = nullptr;

  // Files that are mapped for their contents are not looked into: there may be many thousands.
  Unwinder(pid_t pid, const std::vector<LoadedModule>& modules) {
    g_root = fmt::format("/proc/{}/root", pid);
    callbacks.find_elf = FindElf;
    callbacks.find_debuginfo = FindNoDebugInfo;
    dwfl = dwfl_begin(&callbacks);
    if (dwfl == nullptr) return;
    for (const LoadedModule& module : modules) {
      if (module.has_code) {
        dwfl_report_module(dwfl, module.path.c_str(), module.base, module.end);
      }
    }
    for (const Mapping& mapping : ReadMappings(pid)) {
      if (mapping.path != "[vdso]") continue;
      dwfl_report_module(dwfl, fmt::format("[vdso: {}]", pid).c_str(), mapping.begin, mapping.end);
    }
    dwfl_report_end(dwfl, nullptr, nullptr);
    dwfl_getmodules(dwfl, ReadTables, nullptr, 0);
    dwfl_linux_proc_attach(dwfl, pid, true);
  }
  ~Unwinder() {
    if (dwfl != nullptr) dwfl_end(dwfl);
  }
  Unwinder(const Unwinder&) = delete;
  Unwinder& operator=(const Unwinder&) = delete;
};

StackJudge::StackJudge(pid_t pid, const std::vector<LoadedModule>& modules,
                       const LoadedModule& c_library, const LoadedModule& loader,
                       const ModuleSymbols& c_symbols)
    : c_library_(c_library),
      loader_(loader),
      c_symbols_(c_symbols),
      unwinder_(std::make_unique<Unwinder>(pid, modules)) {
  for (const std::string_view function : kUnsafeFunctions) {
    if (const uint64_t begin = c_symbols.Find(function); begin != 0) unsafe_.insert(begin);
  }
  ReadBudget budget;
  for (const LoadedModule& module : modules) {
    if (!module.has_code || module.base == c_library.base || module.base == loader.base) continue;
    if (ExportsFunction(pid, module, "malloc", &budget) != Exports::kNo) {
      allocators_.push_back(module);
    }
  }
}

StackJudge::~StackJudge() = default;

bool StackJudge::IsUnsafePlace(uint64_t address) const {
  if (loader_.Holds(address)) return true;
  for (const LoadedModule& module : allocators_) {
    if (module.Holds(address)) return true;
  }
  if (!c_library_.Holds(address)) return false;
  return unsafe_.contains(c_symbols_.BeginBefore(address));
}

bool StackJudge::IsSafe(pid_t thread, bool waits) {
  if (unwinder_->dwfl == nullptr) return false;
  Frames frames;
  dwfl_getthread_frames(unwinder_->dwfl, thread, OnFrame, &frames);
  // In the midst of the C library's code, of which most functions are not known by name.
  if (!waits && !frames.addresses.empty() && c_library_.Holds(frames.addresses[0])) return false;
  // A thread with nothing but the C library on its stack is being born or dying.
  bool has_other = false;
  for (const uint64_t address : frames.addresses) {
    if (IsUnsafePlace(address)) return false;
    has_other = has_other || !c_library_.Holds(address);
  }
  return has_other && frames.addresses.size() < kMostFrames;
}

}  // namespace heapgauge::attach
