/* Threads that have one of libc's own signals, 32 or 33, blocked or in use: that of timer_create() with SIGEV_THREAD,
 * of mq_notify(), of asynchronous getaddrinfo(), a thread that is cancelled, one that changes its user.  Each allocates,
 * so that some of its samples start the report thread, and is found with the mask that it had.
 * argv[1]: how many ticks of the timer to wait for. */
#include <fcntl.h>
#include <mqueue.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <sys/syscall.h>
#include <time.h>

#include "victim.h"

#define LOW_SIGNALS (UINT64_C(3) << 31) /* 32 and 33 */

static uint64_t mask_now(void) {
  uint64_t mask = 0;
  syscall(SYS_rt_sigprocmask, SIG_BLOCK, NULL, &mask, sizeof(mask));
  return mask;
}

static unsigned long ticks;
static unsigned long notes;

static void tick(union sigval value) {
  (void)value;
  free(malloc(3000));
  __atomic_fetch_add(&ticks, 1, __ATOMIC_RELAXED);
}

static void note(union sigval value) {
  (void)value;
  free(malloc(3000));
  __atomic_fetch_add(&notes, 1, __ATOMIC_RELAXED);
}

static void wait_for(unsigned long* count, unsigned long enough) {
  const struct timespec nap = {0, 1000 * 1000};
  while (__atomic_load_n(count, __ATOMIC_RELAXED) < enough) nanosleep(&nap, NULL);
}

static void sends_notes(void) {
  char name[64];
  snprintf(name, sizeof(name), "/signal_masks.%d", (int)getpid());
  struct mq_attr attributes = {.mq_maxmsg = 4, .mq_msgsize = 16};
  const mqd_t queue = mq_open(name, O_RDWR | O_CREAT | O_EXCL | O_NONBLOCK, 0600, &attributes);
  if (queue == (mqd_t)-1) return; /* no message queues here */
  mq_unlink(name);
  for (unsigned long i = 0; i < 50; ++i) {
    struct sigevent event = {.sigev_notify = SIGEV_THREAD, .sigev_notify_function = note};
    VICTIM_REQUIRE(mq_notify(queue, &event) == 0);
    VICTIM_REQUIRE(mq_send(queue, "text", 4, 0) == 0);
    wait_for(&notes, i + 1);
    char text[16];
    VICTIM_REQUIRE(mq_receive(queue, text, sizeof(text), NULL) == 4);
  }
  mq_close(queue);
}

static void looks_names_up(void) {
  struct gaicb requests[8];
  struct gaicb* list[8];
  memset(requests, 0, sizeof(requests));
  const struct addrinfo numeric = {.ai_flags = AI_NUMERICHOST};
  for (int i = 0; i < 8; ++i) {
    requests[i].ar_name = "127.0.0.1";
    requests[i].ar_request = &numeric;
    list[i] = &requests[i];
  }
  VICTIM_REQUIRE(getaddrinfo_a(GAI_WAIT, list, 8, NULL) == 0);
  for (int i = 0; i < 8; ++i) {
    VICTIM_REQUIRE(gai_error(&requests[i]) == 0);
    freeaddrinfo(requests[i].ar_result);
  }
}

/* Everything blocked by the system call, as libraries do that know of the two. */
static void* blocks_all(void* argument) {
  uint64_t all = ~UINT64_C(0);
  uint64_t before;
  syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, &before, sizeof(all));
  const uint64_t blocked = mask_now();
  VICTIM_REQUIRE((blocked & LOW_SIGNALS) == LOW_SIGNALS);
  for (int i = 0; i < 2000; ++i) {
    free(malloc(3000));
    VICTIM_REQUIRE(mask_now() == blocked);
  }
  syscall(SYS_rt_sigprocmask, SIG_SETMASK, &before, NULL, sizeof(before));
  return argument;
}

static void* until_cancelled(void* argument) {
  for (;;) {
    free(malloc(3000));
    pthread_testcancel();
  }
  return argument;
}

static void* changes_user(void* argument) {
  for (int i = 0; i < 100; ++i) {
    free(malloc(3000));
    VICTIM_REQUIRE(setuid(getuid()) == 0 && setgid(getgid()) == 0);
  }
  return argument;
}

int main(int argc, char** argv) {
  const unsigned long enough = argc > 1 ? strtoul(argv[1], NULL, 10) : 1000;
  struct sigevent event = {.sigev_notify = SIGEV_THREAD, .sigev_notify_function = tick};
  const struct itimerspec often = {{0, 200 * 1000}, {0, 200 * 1000}};
  timer_t timer;
  VICTIM_REQUIRE(timer_create(CLOCK_MONOTONIC, &event, &timer) == 0);
  VICTIM_REQUIRE(timer_settime(timer, 0, &often, NULL) == 0);
  sends_notes();
  looks_names_up();
  pthread_t threads[4];
  VICTIM_REQUIRE(pthread_create(&threads[0], NULL, blocks_all, NULL) == 0);
  VICTIM_REQUIRE(pthread_create(&threads[1], NULL, changes_user, NULL) == 0);
  for (int i = 0; i < 50; ++i) {
    VICTIM_REQUIRE(pthread_create(&threads[2], NULL, until_cancelled, NULL) == 0);
    free(malloc(3000));
    VICTIM_REQUIRE(pthread_cancel(threads[2]) == 0);
    void* result;
    VICTIM_REQUIRE(pthread_join(threads[2], &result) == 0 && result == PTHREAD_CANCELED);
  }
  VICTIM_REQUIRE(pthread_join(threads[0], NULL) == 0 && pthread_join(threads[1], NULL) == 0);
  wait_for(&ticks, enough);
  puts("all masks as they were");
  fflush(stdout);
  _exit(0); /* the timer runs on */
}
