#include "trace/libunwind_pipe.h"

#define UNW_LOCAL_ONLY
#include <dlfcn.h>
#include <libunwind.h>
#include <link.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <climits>
#include <cstdint>
#include <cstring>

#include "base/readable.h"
#include "base/signal_mask.h"

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

// Around its locks libunwind blocks all signals, by a call of libc's that leaves libc's own out: it
// would open them (base/signal_mask.h).  Only the locking asks for the mask before.
int ChangeMask(int how, const sigset_t* set, sigset_t* before) noexcept {
  uint64_t signals = 0;
  if (set != nullptr) std::memcpy(&signals, set, sizeof(signals));
  const bool locks = how == SIG_SETMASK && before != nullptr;
  const uint64_t old = SignalMask::Change(locks || set == nullptr ? SIG_BLOCK : how, signals);
  if (before != nullptr) std::memcpy(before, &old, sizeof(old));
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

// One module's imports, as its dynamic section describes them.
struct Imports {
  const link_map* module;
  const ElfW(Sym) * symbols = nullptr;
  const char* names = nullptr;
  const ElfW(Rela) * calls = nullptr;  // DT_JMPREL
  size_t calls_bytes = 0;
  const ElfW(Rela) * data = nullptr;  // DT_RELA: imports bound at load time are here
  size_t data_bytes = 0;

  explicit Imports(const link_map* of) noexcept : module(of) {
    // The loader has made the pointers absolute (it leaves them alone on RISC-V and MIPS only).
    for (const ElfW(Dyn)* entry = of->l_ld; entry->d_tag != DT_NULL; ++entry) {
      const ElfW(Addr) value = entry->d_un.d_ptr;
      switch (entry->d_tag) {
        case DT_SYMTAB:
          symbols = reinterpret_cast<const ElfW(Sym)*>(value);
          break;
        case DT_STRTAB:
          names = reinterpret_cast<const char*>(value);
          break;
        case DT_JMPREL:
          calls = reinterpret_cast<const ElfW(Rela)*>(value);
          break;
        case DT_PLTRELSZ:
          calls_bytes = entry->d_un.d_val;
          break;
        case DT_RELA:
          data = reinterpret_cast<const ElfW(Rela)*>(value);
          break;
        case DT_RELASZ:
          data_bytes = entry->d_un.d_val;
          break;
        default:
          break;
      }
    }
  }

  void* const* SlotIn(const ElfW(Rela) * table, size_t bytes, const char* name) const noexcept {
    for (size_t i = 0; table != nullptr && i < bytes / sizeof(*table); ++i) {
      const size_t index = ELF64_R_SYM(table[i].r_info);
      if (index == 0 || std::strcmp(names + symbols[index].st_name, name) != 0) continue;
      return reinterpret_cast<void* const*>(module->l_addr + table[i].r_offset);
    }
    return nullptr;
  }

  void* const* Slot(const char* name) const noexcept {
    if (symbols == nullptr || names == nullptr) return nullptr;
    void* const* const slot = SlotIn(calls, calls_bytes, name);
    return slot != nullptr ? slot : SlotIn(data, data_bytes, name);
  }
};

struct Page {
  uintptr_t at;
  bool read_only;
};

// A module that is linked with -z now has its slots in memory that is read-only by now.
bool IsReadOnly(uintptr_t address) noexcept {
  Page page{address, false};
  dl_iterate_phdr(
      [](dl_phdr_info* module, size_t, void* data) {
        Page& wanted = *static_cast<Page*>(data);
        for (int i = 0; i < module->dlpi_phnum; ++i) {
          const ElfW(Phdr)& part = module->dlpi_phdr[i];
          const uintptr_t from = module->dlpi_addr + part.p_vaddr;
          if (part.p_type != PT_GNU_RELRO || wanted.at < from || wanted.at >= from + part.p_memsz)
            continue;
          wanted.read_only = true;
          return 1;
        }
        return 0;
      },
      &page);
  return page.read_only;
}

bool Fill(void* const* slot, void* with) noexcept {
  const uintptr_t address = reinterpret_cast<uintptr_t>(slot);
  const uintptr_t page_bytes = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
  void* const page = reinterpret_cast<void*>(address & ~(page_bytes - 1));
  const bool read_only = IsReadOnly(address);
  if (read_only && mprotect(page, page_bytes, PROT_READ | PROT_WRITE) != 0) return false;
  // relaxed: a word that other threads may call through meanwhile; either value will do.
  __atomic_store_n(const_cast<void**>(slot), with, __ATOMIC_RELAXED);
  if (read_only) mprotect(page, page_bytes, PROT_READ);
  return true;
}

}  // namespace

bool ReplaceLibunwindPipe() noexcept {
  Dl_info info;
  void* module = nullptr;
  if (dladdr1(reinterpret_cast<void*>(&unw_backtrace), &info, &module, RTLD_DL_LINKMAP) == 0 ||
      module == nullptr) {
    return false;
  }
  const Imports imports(static_cast<const link_map*>(module));
  // All or none: half a pipe would be worse than libunwind's own.
  void* const* slots[kWanted];
  for (size_t i = 0; i < kWanted; ++i) {
    slots[i] = imports.Slot(kReplacements[i].name);
    if (slots[i] == nullptr) return false;
  }
  void* const* const mask = imports.Slot("sigprocmask");
  if (mask != nullptr) Fill(mask, reinterpret_cast<void*>(&ChangeMask));
  // Says of every page that it is there, so only beside our own test.
  void* const* const resident = imports.Slot("mincore");
  if (resident != nullptr && !Fill(resident, reinterpret_cast<void*>(&ResidentPages))) return false;
  // pipe2 last: it is what makes the others' numbers appear.
  for (size_t i = kWanted; i-- > 0;) {
    if (!Fill(slots[i], kReplacements[i].with)) return false;
  }
  return true;
}

}  // namespace heapgauge
