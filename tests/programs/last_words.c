// Preloaded behind everything: a process that dies of SIGSEGV first says where, and then dies of it
// all the same.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <ucontext.h>
#include <unistd.h>

static void say_where(int number, siginfo_t* info, void* context) {
  (void)number;
  (void)info;
#if defined(__x86_64__)
  void* const at = (void*)((const ucontext_t*)context)->uc_mcontext.gregs[REG_RIP];
#else
  void* const at = (void*)((const ucontext_t*)context)->uc_mcontext.pc;
#endif
  Dl_info found;
  memset(&found, 0, sizeof(found));
  dladdr(at, &found);
  char line[512];
  const int size =
      snprintf(line, sizeof(line), "last words: process %d dies of SIGSEGV in %s of %s\n", getpid(),
               found.dli_sname != NULL ? found.dli_sname : "?",
               found.dli_fname != NULL ? found.dli_fname : "?");
  if (size > 0 && write(STDERR_FILENO, line, (size_t)size) != size) _exit(139);
  // SA_RESETHAND: the instruction runs once more, and the signal does what it always does.
}

__attribute__((constructor)) static void set_handler(void) {
  struct sigaction action;
  memset(&action, 0, sizeof(action));
  action.sa_sigaction = say_where;
  action.sa_flags = SA_SIGINFO | SA_RESETHAND;
  sigaction(SIGSEGV, &action, NULL);
}
