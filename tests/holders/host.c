// Allocates at one line, for as long as it is let, and keeps what it gets as the first argument says.
//
//   lost     nowhere                       kept     in a list from g_sessions
//   stack    in an array on main's stack   local    in thread-local storage
//   end      by pointers past the end      tagged   by pointers with tags
//   pool     in a mapping of its own       bounded  the last 500, in g_recent
//   shared   in shared memory              file     in a file that is mapped
//   list     in a list without nodes of its own, whose newest is always newer than any look
//   hooks    likewise by the middle of its blocks, and the head is in a block itself
//   context  on the stack of a coroutine that is left
//   hidden   with all bits turned          freed    in a block that was freed
//   storm    nowhere, while mappings come and go and children are forked
#define _GNU_SOURCE
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

enum { kBytes = 4000, kMost = 60000, kRecent = 500 };

struct session {
  struct session* next;
  void* load;
};

struct session* g_sessions;
void* g_list;
void** g_hooks;
void* g_kept[kMost];
void* g_recent[kRecent];
__thread void* t_kept[kMost / 4];
static void** g_pool;
static uintptr_t g_hidden[kMost];

__attribute__((noinline)) void* make_session_load(void) {
  char* const load = malloc(kBytes);
  memset(load, 7, kBytes);
  return load;
}

// A coroutine whose stack keeps what it allocates, and nothing else does.
static ucontext_t g_caller, g_coroutine;
static void coroutine(void) {
  void* kept[kMost / 8];
  for (size_t i = 0;; ++i) {
    kept[i % (kMost / 8)] = make_session_load();
    __asm__ volatile("" : : "r"(kept) : "memory");
    swapcontext(&g_coroutine, &g_caller);
  }
}

static void* map(const char* how, size_t bytes) {
  if (strcmp(how, "file") == 0) {
    char name[] = "/tmp/holders.XXXXXX";
    const int file = mkstemp(name);
    if (file < 0 || unlink(name) != 0 || ftruncate(file, (off_t)bytes) != 0) abort();
    return mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  }
  const int shared = strcmp(how, "shared") == 0 ? MAP_SHARED : MAP_PRIVATE;
  return mmap(NULL, bytes, PROT_READ | PROT_WRITE, shared | MAP_ANONYMOUS, -1, 0);
}

static void keep(const char* how, size_t i, void** on_stack) {
  if (strcmp(how, "context") == 0) {
    swapcontext(&g_caller, &g_coroutine);
    return;
  }
  for (int k = 0; k < 8 && strcmp(how, "list") == 0; ++k) {
    void** const load = make_session_load();
    *load = g_list;
    g_list = load;
  }
  for (int k = 0; k < 8 && strcmp(how, "hooks") == 0; ++k) {
    void** const hook = (void**)make_session_load() + 101;
    *hook = *g_hooks;
    *g_hooks = hook;
  }
  if (strcmp(how, "list") == 0 || strcmp(how, "hooks") == 0) return;
  void* const load = make_session_load();
  if (strcmp(how, "kept") == 0) {
    struct session* const session = malloc(sizeof(*session));
    session->load = load;
    session->next = g_sessions;
    g_sessions = session;
  } else if (strcmp(how, "stack") == 0) {
    on_stack[i % kMost] = load;
  } else if (strcmp(how, "local") == 0) {
    t_kept[i % (kMost / 4)] = load;
  } else if (strcmp(how, "end") == 0) {
    g_kept[i % kMost] = (char*)load + kBytes;
  } else if (strcmp(how, "tagged") == 0) {
    g_kept[i % kMost] = (void*)((uintptr_t)load | 5 | (uintptr_t)0x3A << 56);
  } else if (strcmp(how, "hidden") == 0) {
    g_hidden[i % kMost] = ~(uintptr_t)load;
  } else if (strcmp(how, "freed") == 0) {
    void** const block = malloc(2048);
    block[100] = load;
    free(block);
  } else if (strcmp(how, "pool") == 0 || strcmp(how, "shared") == 0 || strcmp(how, "file") == 0) {
    g_pool[i % kMost] = load;
  } else if (strcmp(how, "bounded") == 0) {
    free(g_recent[i % kRecent]);
    g_recent[i % kRecent] = load;
  }
}

// 20 000 mappings, of which many can't be read; memory that comes and goes; children.
static void storm(size_t i) {
  static char* pages;
  enum { kPages = 40000 };
  if (pages == NULL) {
    pages = mmap(NULL, (size_t)kPages * 4096, PROT_READ | PROT_WRITE,
                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    for (size_t k = 0; k < kPages; k += 2) mprotect(pages + k * 4096, 4096, PROT_NONE);
    mmap(NULL, (size_t)200 << 30, PROT_READ | PROT_WRITE,
         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  }
  char* const fleeting =
      mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  memset(fleeting, 1, 1 << 20);
  pages[(i * 2 + 1) % kPages * 4096] = 1;
  if (i % 64 == 0) {
    const pid_t child = fork();
    if (child == 0) _exit(make_session_load() == NULL);
    int status = 0;
    waitpid(child, &status, 0);
    if (status != 0) abort();
  }
  munmap(fleeting, 1 << 20);
}

int main(int count, char** arguments) {
  if (count != 2) return 2;
  void* on_stack[kMost];
  memset(on_stack, 0, sizeof(on_stack));
  g_pool = map(arguments[1], kMost * sizeof(void*));
  g_hooks = calloc(1, sizeof(*g_hooks));
  if (strcmp(arguments[1], "context") == 0) {
    getcontext(&g_coroutine);
    g_coroutine.uc_stack.ss_size = 256 * 1024;
    g_coroutine.uc_stack.ss_sp = mmap(NULL, g_coroutine.uc_stack.ss_size, PROT_READ | PROT_WRITE,
                                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    makecontext(&g_coroutine, coroutine, 0);
  }
  const struct timespec pause = {0, 5000000};
  for (size_t i = 0;; ++i) {
    keep(arguments[1], i, on_stack);
    if (strcmp(arguments[1], "storm") == 0) storm(i);
    // Works and rests, as a service does; ends with the test.
    if (getppid() == 1) return 0;
    nanosleep(&pause, NULL);
    __asm__ volatile("" : : "r"(on_stack) : "memory");
  }
}
