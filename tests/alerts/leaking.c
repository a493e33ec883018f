/* A service with a leak: requests that come and go, and one in ten of them leaves a coupon behind, until SIGUSR1 says
   that it is mended.  Ends on SIGUSR2. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static volatile sig_atomic_t mended, over;

static void on_signal(int number) {
  if (number == SIGUSR1) mended = 1;
  if (number == SIGUSR2) over = 1;
}

static void* kept;

static __attribute__((noinline)) void forget_coupon(void) {
  void** const coupon = malloc(4000);
  memset(coupon, 1, 4000);
  *coupon = kept; /* reachable, and never looked at again */
  kept = coupon;
}

static __attribute__((noinline)) void* answer_request(void) {
  void* const answer = malloc(3000);
  memset(answer, 2, 3000);
  return answer;
}

int main(void) {
  struct sigaction action = {0};
  action.sa_handler = on_signal;
  sigaction(SIGUSR1, &action, NULL);
  sigaction(SIGUSR2, &action, NULL);
  static void* in_flight[64];
  puts("serving");
  fflush(stdout);
  for (unsigned request = 0; !over; ++request) {
    void** const slot = &in_flight[request % 64];
    free(*slot);
    *slot = answer_request();
    if (request % 10 == 0 && !mended) forget_coupon();
    const struct timespec pause = {0, 500 * 1000};
    nanosleep(&pause, NULL);
  }
  puts("done");
  return 0;
}
