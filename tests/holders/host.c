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
//   watched  in the kernel alone, as what a descriptor is watched for
//   hidden   with all bits turned          freed    in a block that was freed
//   storm    nowhere, while mappings come and go and children are forked
//   register in a register of a thread that runs, one at a time
//   sigstack in an array on the alternate stack of a signal handler that does not return
//   damaged  in g_kept, and its heap is damaged
//   strange  nowhere, beside memory that must not be touched: where that is stands in the first line
//   execs    nowhere, and becomes itself anew five times
//   moves    in g_kept or in g_moved, between which another thread moves all of it without end
//   large    in a list from g_sessions, beside 300 MiB that are in use
//   asks     in a list from g_sessions, and asks by the C API who holds it, then writes the status
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
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
enum { kMoving = 4000 };
static void* volatile g_moving[kMoving];
static void* volatile g_moved[kMoving];

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

// Each set has a few of the same descriptors, so that there are few of them.
static void watch(size_t i, void* load) {
  enum { kDescriptors = 100 };
  static int descriptors[kDescriptors];
  static int set;
  if (i < kDescriptors) descriptors[i] = eventfd(0, 0);
  if (i % kDescriptors == 0) set = epoll_create1(0);
  struct epoll_event event = {.events = EPOLLIN, .data = {.ptr = load}};
  if (epoll_ctl(set, EPOLL_CTL_ADD, descriptors[i % kDescriptors], &event) != 0) free(load);
  event.data.ptr = NULL;
  __asm__ volatile("" : : "r"(&event) : "memory");
}

static void keep(const char* how, size_t i, void** on_stack) {
  if (strcmp(how, "moves") == 0) return;
  if (strcmp(how, "register") == 0 || strcmp(how, "sigstack") == 0) {
    free(malloc(kBytes));  // a sample from elsewhere, which starts the report thread
    return;
  }
  if (strcmp(how, "large") == 0 || strcmp(how, "asks") == 0) how = "kept";
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
  } else if (strcmp(how, "damaged") == 0) {
    g_kept[i % kMost] = load;
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
  } else if (strcmp(how, "watched") == 0) {
    watch(i, load);
  } else if (strcmp(how, "bounded") == 0) {
    free(g_recent[i % kRecent]);
    g_recent[i % kRecent] = load;
  }
}

// 50 000 mappings, of which half can't be read; memory that comes and goes; children.
static void storm(size_t i) {
  static char* pages;
  enum { kPages = 50000 };
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

// Each pointer lies in one of the two places, and for a moment in a register alone.
static void* move(void* unused) {
  for (;;) {
    for (size_t i = 0; i < kMoving; ++i) {
      void* const load = g_moving[i];
      if (load == NULL) continue;
      g_moving[i] = NULL;
      g_moved[kMoving - 1 - i] = load;
    }
    for (size_t i = 0; i < kMoving; ++i) {
      void* const load = g_moved[i];
      if (load == NULL) continue;
      g_moved[i] = NULL;
      g_moving[kMoving - 1 - i] = load;
    }
  }
  return unused;
}

// Whoever touches a page of the third part waits for good; none of it is there, but for one page.
static void make_strange(void) {
  enum { kBytes = 64 << 20 };
  const int flags = MAP_PRIVATE | MAP_ANONYMOUS;
  char* const memory = mmap(NULL, kBytes, PROT_READ | PROT_WRITE, flags, -1, 0);
  madvise(memory, kBytes, MADV_NOHUGEPAGE);
  memset(memory, 1, 1 << 20);
  madvise(memory, 1 << 20, MADV_DONTNEED);
  memory[8 << 20] = 1;
  mprotect(memory + (16 << 20), 1 << 20, PROT_NONE);
  const int faults = (int)syscall(SYS_userfaultfd, O_CLOEXEC);
  struct uffdio_api api = {.api = UFFD_API};
  struct uffdio_register all = {.range = {(uintptr_t)memory + (32 << 20), 32 << 20},
                                .mode = UFFDIO_REGISTER_MODE_MISSING};
  if (faults < 0 || ioctl(faults, UFFDIO_API, &api) != 0 ||
      ioctl(faults, UFFDIO_REGISTER, &all) != 0) {
    fprintf(stderr, "no userfaultfd\n");
  }
  mmap(NULL, 2 << 20, PROT_READ | PROT_WRITE, flags | MAP_HUGETLB, -1, 0);  // where there are any
  const int zero = open("/dev/zero", O_RDWR | O_CLOEXEC);
  mmap(NULL, kBytes, PROT_READ | PROT_WRITE, MAP_SHARED, zero, 0);
  mmap(NULL, kBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE, zero, 0);
  printf("%lx\n", (unsigned long)(uintptr_t)memory);
  fflush(stdout);
}

static void* hold_in_register(void* unused) {
  for (;;) {
    void* load = make_session_load();
    struct timespec now, end;
    clock_gettime(CLOCK_MONOTONIC, &end);
    end.tv_sec += 1;
    do {
      for (int i = 0; i < 100000; ++i) __asm__ volatile("" : "+r"(load));
      const struct timespec pause = {0, 1000000};
      nanosleep(&pause, NULL);
      clock_gettime(CLOCK_MONOTONIC, &now);
    } while (now.tv_sec < end.tv_sec);
    free(load);
  }
  return unused;
}

static const struct timespec kPause = {0, 5000000};
static void stay_on_signal_stack(int unused) {
  (void)unused;
  void* kept[kMost / 8];
  for (size_t i = 0; getppid() != 1; ++i) {
    kept[i % (kMost / 8)] = make_session_load();
    __asm__ volatile("" : : "r"(kept) : "memory");
    nanosleep(&kPause, NULL);
  }
  _exit(0);
}

static void* go_to_signal_stack(void* unused) {
  stack_t stack = {.ss_size = 256 * 1024};
  stack.ss_sp =
      mmap(NULL, stack.ss_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  sigaltstack(&stack, NULL);
  struct sigaction action = {.sa_flags = SA_ONSTACK};
  action.sa_handler = stay_on_signal_stack;
  sigaction(SIGUSR1, &action, NULL);
  raise(SIGUSR1);
  return unused;
}

// Of blocks that stay, in the midst of the heap: each between two that stay as well, for malloc()
// itself reads the size of what lies behind free memory, and ends a program over it.
static void damage(void) {
  enum { kBlocks = 64, kSize = 3000, kChunk = 3008 };
  char* blocks[kBlocks];
  for (int i = 0; i < kBlocks; ++i) {
    blocks[i] = malloc(kSize);
    memset(blocks[i], 5, kSize);
  }
  int damaged = 0;
  for (int i = 1; i + 1 < kBlocks && damaged < 3; ++i) {
    if (blocks[i] - blocks[i - 1] != kChunk || blocks[i + 1] - blocks[i] != kChunk) continue;
    ((size_t*)blocks[i])[-1] = damaged == 0 ? 0x7 : (size_t)0x123456789ABCDE7;
    ++damaged;
    ++i;
  }
  if (damaged < 3) abort();
}

static void become_anew(size_t i, char** arguments) {
  if (i != 400) return;
  const char* const turn = getenv("TURN");
  const int turns = turn == NULL ? 0 : atoi(turn);
  if (turns == 5) exit(0);
  const char digit[] = {(char)('1' + turns), 0};
  setenv("TURN", digit, 1);
  execv("/proc/self/exe", arguments);
}

static void ask_who_holds(size_t i) {
  if (i != 1000) return;
  int (*find_holders)(void) = NULL;
  *(void**)&find_holders = dlsym(RTLD_DEFAULT, "heapgauge_find_holders");
  printf("%d\n", find_holders != NULL ? find_holders() : -1);
  fflush(stdout);
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
  if (strcmp(arguments[1], "moves") == 0) {
    pthread_t mover;
    for (size_t i = 0; i < kMoving; ++i) g_moving[i] = make_session_load();
    pthread_create(&mover, NULL, move, NULL);
  }
  if (strcmp(arguments[1], "register") == 0) {
    pthread_t thread;
    pthread_create(&thread, NULL, hold_in_register, NULL);
  }
  if (strcmp(arguments[1], "strange") == 0) make_strange();
  if (strcmp(arguments[1], "damaged") == 0) damage();
  if (strcmp(arguments[1], "sigstack") == 0) {
    pthread_t thread;
    pthread_create(&thread, NULL, go_to_signal_stack, NULL);
  }
  if (strcmp(arguments[1], "large") == 0) memset(malloc((size_t)300 << 20), 1, (size_t)300 << 20);
  for (size_t i = 0;; ++i) {
    keep(arguments[1], i, on_stack);
    if (strcmp(arguments[1], "storm") == 0) storm(i);
    if (strcmp(arguments[1], "asks") == 0) ask_who_holds(i);
    // Works and rests, as a service does; ends with the test.
    if (getppid() == 1) return 0;
    nanosleep(&kPause, NULL);
    if (strcmp(arguments[1], "execs") == 0) become_anew(i, arguments);
    __asm__ volatile("" : : "r"(on_stack) : "memory");
  }
}
