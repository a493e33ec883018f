#include "shim/core_loader.h"

#include <dlfcn.h>
#include <errno.h>
#include <fnmatch.h>
#include <gnu/libc-version.h>
#include <limits.h>
#include <link.h>
#include <malloc.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <termios.h>
#include <unistd.h>

#include "base/errno_keeper.h"
#include "base/raw_log.h"
#include "base/raw_syscall.h"
#include "core_api/attach_request.h"
#include "elf/imports.h"
#include "elf/module_around.h"
#include "shim/core_file.h"
#include "shim/core_modules.h"
#include "shim/id_hooks.h"
#include "shim/kept_blocks.h"
#include "shim/library_calls.h"
#include "shim/machine_file.h"
#include "shim/next_allocator.h"
#include "shim/older_libraries.h"
#include "shim/other_names.h"
#include "shim/own_imports.h"
#include "shim/quiet_start.h"
#include "shim/redirect.h"
#include "shim/root_hooks.h"
#include "shim/said_above.h"
#include "shim/thread_state.h"

extern "C" {
int __cxa_at_quick_exit(void (*function)(void*), void* dso);
extern HG_HIDDEN void* __dso_handle;  // NOLINT: the compiler's
}

namespace heapgauge {

std::atomic<const CoreApi*> g_core{nullptr};
std::atomic<bool> g_stepped_aside{false};
thread_local constinit ThreadState t_thread_state;
char g_aside_reason[512];

namespace {

char g_library_path[PATH_MAX];

// Loaded by `heapgauge attach`: what there is to say goes to the command, not to the program's
// standard error.
bool g_attached = false;

ThreadState* ThisThreadForCore() noexcept { return &t_thread_state; }

// By LD_PRELOAD, or because it is linked with the library; not by /etc/ld.so.preload alone.
bool AskedForUs() noexcept {
  const char* const preload = getenv("LD_PRELOAD");
  if (preload != nullptr && strstr(preload, "libheapgauge.so") != nullptr) return true;
  const link_map* const program = ModuleAround(getauxval(AT_ENTRY)).map();
  return program == nullptr || ElfModule(*program).Needs("libheapgauge.so.0");
}

// The value of HEAPGAUGE_ONLY; nullptr where every program is meant.
const char* OnlyThese() noexcept {
  const char* const glob = secure_getenv("HEAPGAUGE_ONLY");
  return glob != nullptr && *glob != '\0' && strcmp(glob, "*") != 0 ? glob : nullptr;
}

bool IsSaidAbove() noexcept { return SaidAbove(AskedForUs() && OnlyThese() == nullptr); }

void __attribute__((format(printf, 2, 3)))
Refuse(LogLevel level, const char* format, ...) noexcept {
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(g_aside_reason, sizeof(g_aside_reason), format, arguments);
  va_end(arguments);
  if (!g_attached && !IsSaidAbove()) RawLog(level, "%s", g_aside_reason);
}

// Programs built with a sanitizer, and those that run under one of Valgrind's heap tools, have an
// allocator that must stay the first: their checks need every block.  Valgrind's is known by the
// name under which its preloaded library offers malloc; callgrind and the like have none.
const char* HostChecker() noexcept {
  static constexpr struct {
    const char* symbol;
    const char* what;
  } kCheckers[] = {{"__asan_init", "was built with AddressSanitizer"},
                   {"__hwasan_init", "was built with HWAddressSanitizer"},
                   {"__tsan_init", "was built with ThreadSanitizer"},
                   {"__msan_init", "was built with MemorySanitizer"},
                   {"__lsan_init", "was built with LeakSanitizer"},
                   {"_vgr10010ZU_libcZdsoZa_malloc", "runs under a heap tool of Valgrind"}};
  for (const auto& checker : kCheckers) {
    if (dlsym(RTLD_DEFAULT, checker.symbol) != nullptr) return checker.what;
  }
  return nullptr;
}

const char* LastComponent(const char* path) noexcept {
  const char* const slash = strrchr(path, '/');
  return slash != nullptr ? slash + 1 : path;
}

constexpr char kMachineFile[] = "/etc/heapgauge-preload.conf";
constinit MachineFile g_machine_file;

// On a terminal alone: every program of the machine would say it.
void SayMachineFile() noexcept {
  termios terminal;
  if (*g_machine_file.problem() == '\0' || IsSaidAbove()) return;
  if (RawSyscall(SYS_ioctl, STDERR_FILENO, TCGETS, &terminal) != 0) return;
  RawLog(LogLevel::kWarning, "%s %s; no program is tracked", kMachineFile,
         g_machine_file.problem());
}

bool MachineWantsIt(const char* executable) noexcept {
  if (AskedForUs()) return true;
  // Who starts a program may give it any name.
  const char* const started_by =
      getauxval(AT_SECURE) != 0 ? nullptr : reinterpret_cast<const char*>(getauxval(AT_EXECFN));
  const MachineChoice choice = g_machine_file.Read(kMachineFile, 0, {executable, started_by});
  if (choice == MachineChoice::kNotTracked) SayMachineFile();
  return choice != MachineChoice::kNotTracked;
}

// HEAPGAUGE_ONLY is judged here and not in the core: a program that does not match should pay
// nothing.  Either name will do: the executable's own, or the one it was started by (a link to it,
// or a script).
bool ProgramIsWanted() noexcept {
  char path[PATH_MAX];
  const ssize_t length = readlink("/proc/self/exe", path, sizeof(path) - 1);
  const char* const executable = length > 0 ? path : nullptr;
  path[length > 0 ? length : 0] = '\0';
  if (!MachineWantsIt(executable)) return false;
  const char* const glob = OnlyThese();
  if (glob == nullptr) return true;
  const char* const started_by = reinterpret_cast<const char*>(getauxval(AT_EXECFN));
  if (started_by != nullptr && fnmatch(glob, LastComponent(started_by), 0) == 0) return true;
  return executable != nullptr && fnmatch(glob, LastComponent(path), 0) == 0;
}

bool FindLibrary() noexcept {
  Dl_info info;
  if (dladdr(reinterpret_cast<void*>(&ThisThreadForCore), &info) == 0 || info.dli_fname == nullptr)
    return false;
  return realpath(info.dli_fname, g_library_path) != nullptr ||
         snprintf(g_library_path, sizeof(g_library_path), "%s", info.dli_fname) < PATH_MAX;
}

// Of a program that may have less address space than this, ours would be the most of it.
constexpr rlim_t kLeastAddressSpace = rlim_t{16} << 20;

bool IsTooTight() noexcept {
  rlimit space;
  return RawSyscall(SYS_prlimit64, 0, RLIMIT_AS, nullptr, &space) == 0 &&
         space.rlim_cur < kLeastAddressSpace;
}

const CoreApi* Load(const char* const* settings) noexcept {
  if (IsTooTight()) {
    Refuse(LogLevel::kWarning,
           "the limit on address space (ulimit -v) is below 16 MiB, which leaves no room for both; "
           "tracking is off");
    return nullptr;
  }
  if (!FindLibrary()) {
    Refuse(LogLevel::kError, "can't tell where libheapgauge.so was loaded from; tracking is off");
    return nullptr;
  }
  static constexpr char kCore[] = "libheapgauge-core.so";
  char path[PATH_MAX + sizeof(kCore)];
  const char* const slash = strrchr(g_library_path, '/');
  const int directory = slash != nullptr ? static_cast<int>(slash - g_library_path) + 1 : 0;
  snprintf(path, sizeof(path), "%.*s%s", directory, g_library_path, kCore);
  if (!MayBeLoaded(path)) {
    Refuse(LogLevel::kError, "%s is damaged; tracking is off, reinstall heapgauge to mend it",
           path);
    return nullptr;
  }
  const OlderLibraries older;
  // Deep: what the core and the libraries that come with it call is theirs and the C library's, and
  // only then the program's (reporter/own_malloc.cc has the one exception).
  void* const handle = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_DEEPBIND);
  if (handle == nullptr) {
    Refuse(LogLevel::kError, "can't load %s (%s); tracking is off, reinstall heapgauge to mend it",
           path, dlerror());
    return nullptr;
  }
  older.Bind(handle);
  NoteCoreModules(handle);
  const CoreEntry entry = reinterpret_cast<CoreEntry>(dlsym(handle, kCoreEntryName));
  if (entry == nullptr) {
    Refuse(LogLevel::kError,
           "%s is not a heapgauge core; tracking is off, reinstall heapgauge to mend it", path);
    return nullptr;
  }
  static ShimApi shim;
  shim.control = &g_hot.control;
  shim.this_thread = ThisThreadForCore;
  shim.usable_size = g_next.usable_size;
  shim.allocator = g_next.module;
  shim.library_path = g_library_path;
  shim.settings = settings;
  shim.machine_settings = g_machine_file.settings();
  shim.environment = __environ;
  shim.malloc = malloc;
  shim.free = free;
  shim.calloc = calloc;
  shim.realloc = realloc;
  shim.memalign = memalign;
  shim.find_object = FindObject();
  shim.redirects = g_next.bypassed;
  shim.cover_new_modules = RedirectNewModules;
  shim.measure_coverage = MeasureCoverage;
  const CoreApi* const core = entry(&shim);
  if (core != nullptr && (core->version != kCoreApiVersion || core->bytes != sizeof(CoreApi))) {
    RawLog(LogLevel::kError,
           "%s is of another version than libheapgauge.so; tracking is off, reinstall heapgauge to "
           "mend it",
           path);
    return nullptr;
  }
  return core;
}

void AtExit() {
  if (const CoreApi* const core = Core()) core->process_exit(false);
}
void AtQuickExit(void*) {
  if (const CoreApi* const core = Core()) core->process_exit(true);
}

void StepAside() noexcept {
  g_hot.control.interval_bytes.store(0, std::memory_order_relaxed);
  g_stepped_aside.store(true, std::memory_order_relaxed);  // relaxed: seen late, a slow path more
}

// Why this process is not to be tracked, said; false when it is.
bool HasToStayOut() noexcept {
  if (!g_attached && !ProgramIsWanted()) return true;
  if (const char* const what = HostChecker()) {
    Refuse(LogLevel::kWarning, "this program %s, which needs its own allocator; tracking is off",
           what);
    return true;
  }
  if (InGlibc() == nullptr) {
    Refuse(LogLevel::kWarning,
           "this program uses another C library than glibc (musl?); tracking is off");
    return true;
  }
  if (!g_next.bypassed || g_next.can_redirect) return false;
  const bool own = g_next.module == nullptr || *g_next.module == '\0';
  Refuse(LogLevel::kWarning,
         "%s%s comes before heapgauge with a malloc of its own; tracking is off",
         own ? "this program" : "", own ? "" : g_next.module);
  return true;
}

bool Start(const char* const* settings) noexcept {
  ResolveNextAllocator();
  const QuietStart quiet;
  if (HasToStayOut()) {
    StepAside();
    return false;
  }
  FindOtherNames();
  // Before the core, so that the modules are the program's alone.
  if (!g_next.bypassed) RedirectNewModules(true);
  ThreadState& self = ThisThread();
  self.depth = 1;  // what loading allocates is not the program's
  AllowKeeping();
  const CoreApi* const core = Load(settings);
  RememberCxxLibrary();
  self.depth = 0;
  self.sampler.Restart();
  if (core == nullptr) {
    StepAside();
    return false;
  }
  g_core.store(core, std::memory_order_release);  // release: the table is filled
  // After the core's own registrations, so that it runs before them; before the program's, so after
  // them.
  atexit(AtExit);
  __cxa_at_quick_exit(AtQuickExit, __dso_handle);
  if (g_next.bypassed) RedirectModules();
  return true;
}

bool IsBeingAttached() noexcept {
  char name[16] = "";  // what the kernel keeps of a thread's name
  return prctl(PR_GET_NAME, name) == 0 && strncmp(name, kAttachThreadName, sizeof(name) - 1) == 0;
}

// Not inlined: it asks for errno, and the function for that is the C library's only when this
// library's calls are bound.
__attribute__((noinline)) void LoadCoreNow() noexcept {
  const ErrnoKeeper errno_keeper;
  FindNextRootCalls();
  FindNextIdCalls();
  g_attached = g_next.bypassed && IsBeingAttached();
  if (!g_attached) Start(nullptr);
}

// Early among constructors; the program's own static objects come later, so their blocks are seen.
__attribute__((constructor(101))) void LoadCore() {
  ResolveNextAllocator();  // first of all: also what binds this library's own calls
  LoadCoreNow();
}

}  // namespace

bool StartLate(const char* const* settings) noexcept {
  const ErrnoKeeper errno_keeper;
  return Start(settings);
}

}  // namespace heapgauge
