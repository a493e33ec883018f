// A host that is linked with libunwind and walks a stack through code that no table knows: there libunwind tests
// addresses, by a pipe.  Says how many descriptors the walk has opened, and whether it came through.
#define UNW_LOCAL_ONLY
#include <libunwind.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

// push rbp; mov rbp, rsp; call rdi; pop rbp; ret
static const unsigned char kCode[] = {0x55, 0x48, 0x89, 0xe5, 0xff, 0xd7, 0x5d, 0xc3};
static uintptr_t g_code;
static int g_through;

static void Walk(void) {
  unw_context_t context;
  unw_cursor_t cursor;
  unw_getcontext(&context);
  unw_init_local(&cursor, &context);
  for (int i = 0; i < 50 && unw_step(&cursor) > 0; ++i) {
    unw_word_t address = 0;
    unw_get_reg(&cursor, UNW_REG_IP, &address);
    if (address - g_code < sizeof(kCode)) g_through = 1;
  }
}

static int Descriptors(void) {
  int count = 0;
  for (int fd = 0; fd < 64; ++fd) count += lseek(fd, 0, SEEK_CUR) != -1 || dup2(fd, fd) == fd;
  return count;
}

int main(void) {
  void* const kept = malloc(1 << 20);
  void* const code = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (code == MAP_FAILED || kept == NULL) return 2;
  memcpy(code, kCode, sizeof(kCode));
  if (mprotect(code, 4096, PROT_READ | PROT_EXEC) != 0) return 2;
  g_code = (uintptr_t)code;
  const int before = Descriptors();
  ((void (*)(void (*)(void)))code)(Walk);
  printf("%d more, %s\n", Descriptors() - before, g_through ? "came through" : "lost its way");
  free(kept);
  return 0;
}
