/* One line keeps what it takes, one gives back what it took at the start, one does both.  Under heapgauge it asks for a
 * report now and then. */
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BLOCKS 600

static void* g_kept[BLOCKS];
static void* g_given[BLOCKS];
static void* g_both[BLOCKS];

static void* __attribute__((noinline)) keep(void) { return memset(malloc(10000), 1, 10000); }

static void* __attribute__((noinline)) give_back(void) { return memset(malloc(30000), 2, 30000); }

static void* __attribute__((noinline)) both(void) { return memset(malloc(7000), 3, 7000); }

int main(void) {
  int (*report)(void) = (int (*)(void))dlsym(RTLD_DEFAULT, "heapgauge_write_report");
  for (int i = 0; i < BLOCKS; i++) g_given[i] = give_back();
  for (int i = 0; i < BLOCKS; i++) {
    g_kept[i] = keep();
    if (i % 3 != 0) free(g_given[i]);
    free(g_both[i % 50]);
    g_both[i % 50] = both();
    if (i % 60 != 0 || report == NULL) continue;
    usleep(250000);
    report();
  }
  return 0;
}
