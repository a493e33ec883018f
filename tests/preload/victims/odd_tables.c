/* Allocates under functions whose unwind tables are hostile (each argument is a module with module_call()), and under
 * generated code that has none and any frame pointer; on the thread's own stack, on a hand-made one and on a signal's. */
#include <dirent.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <ucontext.h>

#include "victim.h"

enum { kStack = 256 * 1024, kPage = 4096, kTimes = 40 };

static int (*called)(void (*)(void));
static size_t allocations;

static void allocate(void) {
  for (int i = 0; i < kTimes; ++i) {
    void* const block = malloc(1000 + i);
    VICTIM_REQUIRE(block != NULL);
    memset(block, 1, 1000);
    free(block);
    ++allocations;
  }
  /* Kept ones are looked at by the report. */
  VICTIM_REQUIRE(malloc(5000) != NULL);
}

static void on_this_stack(void) { called(allocate); }
static void on_signal(int number) {
  (void)number;
  on_this_stack();
}

static void everywhere(void) {
  on_this_stack();

  static char* stack;
  if (stack == NULL) {
    stack = mmap(NULL, kStack, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    VICTIM_REQUIRE(stack != MAP_FAILED);
  }
  ucontext_t here, there;
  VICTIM_REQUIRE(getcontext(&there) == 0);
  there.uc_stack.ss_sp = stack;
  there.uc_stack.ss_size = kStack;
  there.uc_link = &here;
  makecontext(&there, on_this_stack, 0);
  VICTIM_REQUIRE(swapcontext(&here, &there) == 0);

  const stack_t alternate = {.ss_sp = stack, .ss_size = kStack};
  VICTIM_REQUIRE(sigaltstack(&alternate, NULL) == 0);
  for (int flags = 0; flags <= SA_ONSTACK; flags += SA_ONSTACK) {
    const struct sigaction action = {.sa_handler = on_signal, .sa_flags = flags};
    VICTIM_REQUIRE(sigaction(SIGUSR1, &action, NULL) == 0);
    raise(SIGUSR1);
  }
}

#if defined(__x86_64__)
/* push rbp; movabs rbp, IMMEDIATE; call rdi; pop rbp; mov eax, 1; ret */
static void with_frame_pointer(char* code, uint64_t frame_pointer) {
  static const unsigned char kCode[] = {0x55, 0x48, 0xbd, 0,    0,    0, 0, 0, 0, 0,
                                        0,    0xff, 0xd7, 0x5d, 0xb8, 1, 0, 0, 0, 0xc3};
  VICTIM_REQUIRE(mprotect(code, kPage, PROT_READ | PROT_WRITE) == 0);
  memcpy(code, kCode, sizeof(kCode));
  memcpy(code + 3, &frame_pointer, sizeof(frame_pointer));
  VICTIM_REQUIRE(mprotect(code, kPage, PROT_READ | PROT_EXEC) == 0);
  called = (int (*)(void (*)(void)))code;
  everywhere();
}

static void generated_code(void) {
  char* const code = mmap(NULL, kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  char* const pages =
      mmap(NULL, 4 * kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  VICTIM_REQUIRE(code != MAP_FAILED && pages != MAP_FAILED);
  /* A page with nothing behind it, one that nobody may read, and one of a file that was cut short. */
  VICTIM_REQUIRE(munmap(pages + kPage, kPage) == 0);
  VICTIM_REQUIRE(mprotect(pages + 3 * kPage, kPage, PROT_NONE) == 0);
  char name[] = "/tmp/odd_tables.XXXXXX";
  const int file = mkstemp(name);
  VICTIM_REQUIRE(file >= 0 && unlink(name) == 0 && ftruncate(file, 2 * kPage) == 0);
  char* const cut = mmap(NULL, 2 * kPage, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  VICTIM_REQUIRE(cut != MAP_FAILED);
  cut[0] = cut[kPage] = 1;
  VICTIM_REQUIRE(ftruncate(file, kPage) == 0);

  const uint64_t here = (uint64_t)(uintptr_t)__builtin_frame_address(0);
  const uint64_t first = (uint64_t)(uintptr_t)pages;
  const uint64_t in_file = (uint64_t)(uintptr_t)cut;
  for (uint64_t back = 1; back <= 24; ++back) {
    with_frame_pointer(code, first + kPage - back);
    with_frame_pointer(code, first + 3 * kPage - back);
    with_frame_pointer(code, in_file + kPage - back);
    with_frame_pointer(code, here + back);
    with_frame_pointer(code, here - back);
    with_frame_pointer(code, 0 - back);
  }
  const uint64_t others[] = {0,
                             1,
                             8,
                             16,
                             kPage,
                             (uint64_t)1 << 47,
                             ((uint64_t)1 << 47) - 8,
                             (uint64_t)1 << 63,
                             0xffff800000000000,
                             0xffffffffff600000,
                             first,
                             first + 2 * kPage,
                             first + 3 * kPage,
                             in_file + kPage,
                             (uint64_t)(uintptr_t)code,
                             here,
                             here + 4096,
                             here + (8 << 20)};
  for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); ++i)
    with_frame_pointer(code, others[i]);
  /* Frame records that lead to each other, or to themselves. */
  uint64_t* const records = (uint64_t*)pages;
  for (int i = 0; i < 8; ++i) {
    records[2 * i] = first + 16 * (uint64_t)((i + 1) % 8);
    records[2 * i + 1] = (uint64_t)(uintptr_t)code + 13;
    with_frame_pointer(code, first + 16 * (uint64_t)i);
  }
}
#else
static void generated_code(void) {}
#endif

int main(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    void* const module = dlopen(argv[i], RTLD_NOW);
    if (module == NULL) continue; /* damaged where the loader looks; the same in a bare run */
    called = (int (*)(void (*)(void)))dlsym(module, "module_call");
    VICTIM_REQUIRE(called != NULL);
    everywhere();
  }
  generated_code();
  heapgauge_status (*const write_report)(void) = victim_api("heapgauge_write_report");
  if (write_report != NULL) write_report();
  printf("%zu\n", allocations);
  return 0;
}
