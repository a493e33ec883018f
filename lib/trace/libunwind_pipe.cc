#include "trace/libunwind_pipe.h"

#include <link.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <climits>
#include <cstdint>
#include <cstring>

#include "base/readable.h"
#include "elf/module_layout.h"
#include "elf/module_memory.h"
#include "trace/libunwind_imports.h"

namespace heapgauge {
namespace {

// Numbers that no descriptor has: the kernel stops well below.
constexpr int kReadEnd = INT_MAX - 1;
constexpr int kWriteEnd = INT_MAX;

// The thread that is just being led from a pipe of before to ours.  relaxed throughout: each thread
// looks for itself alone.
std::atomic<pid_t> g_changes_over{0};

int Pipe(int* ends, int /*flags*/) noexcept {
  if (g_changes_over.load(std::memory_order_relaxed) == gettid()) {
    g_changes_over.store(0, std::memory_order_relaxed);
  }
  ends[0] = kReadEnd;
  ends[1] = kWriteEnd;
  return 0;
}

// An empty pipe that does not block: libunwind drains it before each test.
//
// It may have made a pipe before we came (an allocator that walks stacks is linked with it).  Those
// numbers mean something else in the report thread, which has descriptors of its own.  So a test by
// them is refused, by which libunwind takes the pipe for closed and makes another, ours.  Nothing
// but the draining reads single bytes.
ssize_t Read(int descriptor, void* to, size_t bytes) noexcept {
  if (descriptor != kReadEnd && bytes != 1) return read(descriptor, to, bytes);
  if (descriptor != kReadEnd) g_changes_over.store(gettid(), std::memory_order_relaxed);
  errno = descriptor == kReadEnd ? EAGAIN : EBADF;
  return -1;
}

// The old pipe is left to the host, in whose table it is: this thread may have another one.
int Close(int descriptor) noexcept {
  if (g_changes_over.load(std::memory_order_relaxed) == gettid()) return 0;
  return close(descriptor);
}

// The test itself: writing from an address that can't be read fails.
ssize_t Write(int descriptor, const void* from, size_t bytes) noexcept {
  if (descriptor != kWriteEnd) return write(descriptor, from, bytes);
  if (IsReadable(reinterpret_cast<uintptr_t>(from))) return static_cast<ssize_t>(bytes);
  errno = EFAULT;
  return -1;
}

// The versions of today write past write(), for the sake of AddressSanitizer.
long Syscall(long number, long a, long b, long c, long d, long e, long f) noexcept {
  if (number == SYS_write && a == kWriteEnd) {
    return Write(kWriteEnd, reinterpret_cast<const void*>(b), static_cast<size_t>(c));
  }
  return syscall(number, a, b, c, d, e, f);
}

// libunwind tries once whether the system has it, and asks it before the test above, which is
// enough by itself.  systemd's usual filter for services kills for it.
int ResidentPages(void* /*from*/, size_t bytes, unsigned char* pages) noexcept {
  const size_t page_bytes = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  std::memset(pages, 1, (bytes + page_bytes - 1) / page_bytes);
  return 0;
}

struct Replacement {
  const char* name;
  void* with;
};
const Replacement kReplacements[] = {{"pipe2", reinterpret_cast<void*>(&Pipe)},
                                     {"close", reinterpret_cast<void*>(&Close)},
                                     {"read", reinterpret_cast<void*>(&Read)},
                                     {"syscall", reinterpret_cast<void*>(&Syscall)},
                                     {"write", reinterpret_cast<void*>(&Write)}};
constexpr size_t kWanted = sizeof(kReplacements) / sizeof(kReplacements[0]);

int TakeLibunwind(dl_phdr_info* info, size_t, void* data) noexcept {
  constexpr char kName[] = "/libunwind.so.";
  if (info->dlpi_name == nullptr) return 0;
  const char* const file = strrchr(info->dlpi_name, '/');
  if (file == nullptr || strncmp(file, kName, sizeof(kName) - 1) != 0) return 0;
  CheckedMemory memory;
  return ReadLayout(memory, HeadersOf(*info), info->dlpi_addr, static_cast<ModuleLayout*>(data))
             ? 1
             : 0;
}

}  // namespace

bool ReplaceLibunwindPipe() noexcept {
  static std::atomic<bool> replaced{false};
  if (replaced.load(std::memory_order_relaxed)) return true;  // relaxed: twice does no harm
  ModuleLayout module;
  if (dl_iterate_phdr(TakeLibunwind, &module) == 0 || module.dynamic.begin == 0) return false;
  const LibunwindImports imports(module.bias,
                                 reinterpret_cast<const ElfW(Dyn)*>(module.dynamic.begin));
  // All or none: half a pipe would be worse than libunwind's own.
  for (const Replacement& one : kReplacements) {
    if (!imports.Has(one.name)) return false;
  }
  imports.LeadMaskCalls();
  // Says of every page that it is there, so only beside our own test.
  if (imports.Has("mincore") && !imports.Lead("mincore", &ResidentPages)) return false;
  // pipe2 last: it is what makes the others' numbers appear.
  for (size_t i = kWanted; i-- > 0;) {
    if (!imports.Lead(kReplacements[i].name, kReplacements[i].with)) return false;
  }
  replaced.store(true, std::memory_order_relaxed);  // relaxed: as above
  return true;
}

}  // namespace heapgauge
