#include "graph/thread_list.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/auxv.h>
#include <sys/uio.h>
#include <unistd.h>

#include <climits>
#include <cstdio>
#include <cstdlib>

#include "base/descriptor.h"
#include "base/directory_entries.h"
#include "base/raw_syscall.h"

// The loader's: the address at which the first thread's stack began.
extern "C" void* __libc_stack_end;  // NOLINT: glibc's name

namespace heapgauge {
namespace {

pid_t NumberOf(const char* name) noexcept {
  pid_t number = 0;
  for (; *name >= '0' && *name <= '9'; ++name) number = 10 * number + (*name - '0');
  return *name == '\0' ? number : 0;
}

void AskKernel(Thread* thread) noexcept {
  char path[64];
  std::snprintf(path, sizeof(path), "/proc/self/task/%d/syscall", thread->id);
  const Descriptor file = Descriptor::OpenToRead(path);
  char text[256];
  const ssize_t got = file.valid() ? pread(file.get(), text, sizeof(text) - 1, 0) : 0;
  if (got <= 0) return;
  text[got] = '\0';
  ReadSyscallLine(text, thread);
}

}  // namespace

uintptr_t FirstStackAddress() noexcept { return getauxval(AT_RANDOM); }

uintptr_t FirstStackEnd() noexcept { return reinterpret_cast<uintptr_t>(__libc_stack_end); }

// It has no memory any more, though the others have.
bool FirstThreadIsOver() noexcept {
  char from = 0;
  char to = 0;
  const iovec there = {&from, 1};
  const iovec here = {&to, 1};
  return RawSyscall(SYS_process_vm_readv, getpid(), &here, 1, &there, 1, 0) == -ESRCH;
}

// "35 0x7ffd.. 0x0 .. 0x7ffd<stack pointer> 0x7f<program counter>", or "-1 0x.. 0x..", or "running".
void ReadSyscallLine(const char* text, Thread* thread) noexcept {
  uintptr_t words[8] = {};
  size_t count = 0;
  const char* at = text;
  if ((*at < '0' || *at > '9') && *at != '-') return;
  const bool in_call = *at != '-';
  while (*at != '\0' && *at != ' ') ++at;
  while (count < 8) {
    char* end = nullptr;
    const unsigned long long word = std::strtoull(at, &end, 16);
    if (end == at) break;
    words[count++] = word;
    at = end;
  }
  if (count < 2) return;
  thread->stack_pointer = words[count - 2];
  if (!in_call || count != 8) return;
  for (size_t i = 0; i < 6; ++i) thread->words[i] = words[i];
}

bool ListThreads(MappedArray<Thread>& threads) noexcept {
  const int opened = static_cast<int>(
      RawSyscall(SYS_openat, AT_FDCWD, "/proc/self/task", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0));
  const Descriptor folder(AboveStandard(opened));
  if (!folder.valid()) return false;
  const pid_t own = gettid();
  return ForEachName(folder.get(), INT_MAX, [&](const char* name) {
    Thread thread;
    thread.id = NumberOf(name);
    if (thread.id == 0) return true;
    if (thread.id != own) AskKernel(&thread);
    return threads.Add(thread);
  });
}

}  // namespace heapgauge
