/* Preloaded into a program: a wall clock that jumps, for everybody in the process who asks for it, whichever way.
 *
 * CLOCK_JUMPS="0.5:30 1:0" puts it forward by thirty days half a second after the start and back again half a second
 * later.  A function clock_gettime() in this library would be seen by those alone whose calls lead to it.  What the
 * kernel's own page of code (the vdso) answers is seen by all but raw system calls: there a jump to the function below
 * is written into it.  The monotonic clocks stay as they are.  Status 77 where the page can't be written. */
#define _GNU_SOURCE
#include <elf.h>
#include <link.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { kMostJumps = 8, kDay = 86400 };

static struct {
  double after;
  long days;
} jumps[kMostJumps];
static int jump_count;
static double start;

/* Without errno and without libc's syscall(): called from within libc's clock_gettime(). */
static long ask(clockid_t clock, struct timespec* now) {
#if defined(__x86_64__)
  long result;
  __asm__ volatile("syscall"
                   : "=a"(result)
                   : "0"(SYS_clock_gettime), "D"(clock), "S"(now)
                   : "rcx", "r11", "memory");
  return result;
#elif defined(__aarch64__)
  register long number __asm__("x8") = SYS_clock_gettime;
  register long result __asm__("x0") = clock;
  register struct timespec* to __asm__("x1") = now;
  __asm__ volatile("svc 0" : "+r"(result) : "r"(number), "r"(to) : "memory");
  return result;
#else
  return syscall(SYS_clock_gettime, clock, now);
#endif
}

static double monotonic(void) {
  struct timespec now;
  ask(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static int jumping_clock(clockid_t clock, struct timespec* now) {
  const long result = ask(clock, now);
  if (result != 0 || (clock != CLOCK_REALTIME && clock != CLOCK_REALTIME_COARSE))
    return (int)result;
  const double past = monotonic() - start;
  long days = 0;
  for (int i = 0; i < jump_count && past > jumps[i].after; ++i) days = jumps[i].days;
  now->tv_sec += days * kDay;
  return 0;
}

static uintptr_t find(uintptr_t base, const char* wanted) {
  const ElfW(Ehdr)* const header = (const ElfW(Ehdr)*)base;
  const ElfW(Phdr)* const parts = (const ElfW(Phdr)*)(base + header->e_phoff);
  uintptr_t offset = base;
  const ElfW(Dyn)* dynamic = NULL;
  for (int i = 0; i < header->e_phnum; ++i) {
    if (parts[i].p_type == PT_LOAD) offset = base + parts[i].p_offset - parts[i].p_vaddr;
    if (parts[i].p_type == PT_DYNAMIC) dynamic = (const ElfW(Dyn)*)(base + parts[i].p_offset);
  }
  const char* strings = NULL;
  const ElfW(Sym)* symbols = NULL;
  for (; dynamic != NULL && dynamic->d_tag != DT_NULL; ++dynamic) {
    if (dynamic->d_tag == DT_STRTAB) strings = (const char*)(offset + dynamic->d_un.d_ptr);
    if (dynamic->d_tag == DT_SYMTAB) symbols = (const ElfW(Sym)*)(offset + dynamic->d_un.d_ptr);
  }
  if (strings == NULL || symbols == NULL) return 0;
  /* The table of strings follows the symbols. */
  for (const ElfW(Sym)* symbol = symbols; (const char*)symbol < strings; ++symbol) {
    if (strcmp(strings + symbol->st_name, wanted) == 0) return offset + symbol->st_value;
  }
  return 0;
}

static int write_jump(uintptr_t vdso, uintptr_t at, int (*to)(clockid_t, struct timespec*)) {
  /* As a whole or not at all: the kernel lets nobody split it, and nobody knows its size. */
  const size_t page = (size_t)sysconf(_SC_PAGESIZE);
  size_t bytes = page;
  while (mprotect((void*)vdso, bytes, PROT_READ | PROT_WRITE | PROT_EXEC) != 0) {
    if ((bytes += page) > 16 * page) return -1;
  }
#if defined(__x86_64__)
  unsigned char code[] = {0x48, 0xb8, 0, 0, 0,    0,
                          0,    0,    0, 0, 0xff, 0xe0}; /* mov $to, %rax; jmp *%rax */
  memcpy(code + 2, &to, sizeof(to));
#elif defined(__aarch64__)
  unsigned char code[16] = {0x50, 0x00, 0x00, 0x58,
                            0x00, 0x02, 0x1f, 0xd6}; /* ldr x16, .+8; br x16 */
  memcpy(code + 8, &to, sizeof(to));
#else
#error "how is a jump written?"
#endif
  memcpy((void*)at, code, sizeof(code));
  __builtin___clear_cache((char*)at, (char*)at + sizeof(code));
  return mprotect((void*)vdso, bytes, PROT_READ | PROT_EXEC);
}

/* Before the constructors of all who might ask: this is preloaded first of all or last of all. */
__attribute__((constructor(101))) static void put_in(void) {
  const char* plan = getenv("CLOCK_JUMPS");
  if (plan == NULL) return;
  while (*plan != '\0' && jump_count < kMostJumps) {
    char* end;
    jumps[jump_count].after = strtod(plan, &end);
    if (*end != ':') _exit(78);
    jumps[jump_count++].days = strtol(end + 1, &end, 10);
    plan = *end == ' ' ? end + 1 : end;
  }
  start = monotonic();
#if defined(__aarch64__)
  const char* const name = "__kernel_clock_gettime";
#else
  const char* const name = "__vdso_clock_gettime";
#endif
  const uintptr_t vdso = getauxval(AT_SYSINFO_EHDR);
  const uintptr_t at = vdso == 0 ? 0 : find(vdso, name);
  if (at == 0 || write_jump(vdso, at, jumping_clock) != 0) _exit(77);
}
