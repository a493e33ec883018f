// `accuracy_run MIX INTERVAL ROUNDS SEED`: builds a live heap of known size, asks heapgauge for its estimate, releases
// it, and starts again.  One line a round: true live bytes, estimate, its standard error.  Rounds are independent: the
// sampling process has no memory, and no block of a round lives on in the next.
//
// In C and without stdio buffers: the blocks below are the whole heap.
#include <heapgauge/heapgauge.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { kMostBlocks = 1 << 18 };

typedef struct {
  void* block;
  size_t bytes;
} Slot;

static Slot g_slots[kMostBlocks];
static size_t g_count;
static uint64_t g_state;
static uint64_t g_interval;

static uint64_t next(void) {
  uint64_t z = (g_state += 0x9E3779B97F4A7C15U);
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9U;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBU;
  return z ^ (z >> 31);
}
static size_t between(size_t low, size_t high) { return low + next() % (high - low + 1); }

static void add(size_t bytes) {
  if (g_count == kMostBlocks) return;
  g_slots[g_count].block = malloc(bytes);
  g_slots[g_count].bytes = bytes;
  if (g_slots[g_count].block == NULL) abort();
  ++g_count;
}

static void drop(size_t at) {
  free(g_slots[at].block);
  g_slots[at] = g_slots[--g_count];
}

static size_t usual_size(void) {
  const uint64_t kind = next() % 100;
  if (kind < 60) return between(8, 64);
  if (kind < 90) return between(64, 256);
  if (kind < 99) return between(256, 2048);
  return between(2048, 16384);
}

// Live heap of each mix: about 300 intervals' worth.
static size_t target(void) { return (size_t)g_interval * 300; }
static size_t live(void) {
  size_t sum = 0;
  for (size_t i = 0; i < g_count; ++i) sum += g_slots[i].bytes;
  return sum;
}

static void small(void) {
  for (size_t sum = 0; sum < target() && g_count < kMostBlocks; sum += g_slots[g_count - 1].bytes)
    add(between(16, 64));
}
static void usual(void) {
  for (size_t sum = 0; sum < target() && g_count < kMostBlocks; sum += g_slots[g_count - 1].bytes)
    add(usual_size());
}
// From a tenth of the interval to four of them: where weights change from many to one.
static void large(void) {
  for (size_t sum = 0; sum < target(); sum += g_slots[g_count - 1].bytes) {
    add(between((size_t)g_interval / 10, (size_t)g_interval * 4));
  }
}
// Half of the bytes in tiny blocks, half in huge ones.
static void two_kinds(void) {
  for (size_t sum = 0; sum < target() / 2 && g_count < kMostBlocks / 2;
       sum += g_slots[g_count - 1].bytes)
    add(32);
  for (int i = 0; i < 15; ++i) add((size_t)g_interval * 10);
}
// Most of what is allocated has died when we look.
static void churn(void) {
  usual();
  for (size_t i = 0, turns = g_count * 3; i < turns; ++i) {
    drop(next() % g_count);
    add(usual_size());
  }
  while (g_count > 0 && live() > target()) drop(next() % g_count);
}
// Blocks that realloc grew step by step, and some that it shrank again.
static void vectors(void) {
  for (size_t sum = 0; sum < target() && g_count < kMostBlocks; sum += g_slots[g_count - 1].bytes) {
    add(16);
    Slot* const slot = &g_slots[g_count - 1];
    const size_t end = between(16, next() % 50 == 0 ? (size_t)g_interval * 2 : 4096);
    while (slot->bytes < end) {
      slot->bytes += slot->bytes / 2;
      slot->block = realloc(slot->block, slot->bytes);
    }
    if (next() % 4 == 0) {
      slot->bytes = slot->bytes / 3 + 1;
      slot->block = realloc(slot->block, slot->bytes);
    }
    if (slot->block == NULL) abort();
  }
}
// The interval changes while the heap is built, as the governor does it.
static void intervals(void) {
  static const int kFactor[] = {1, 4, 2, 8, 1};
  for (int part = 0; part < 5; ++part) {
    heapgauge_set_sample_interval(g_interval * (uint64_t)kFactor[part]);
    for (size_t sum = 0; sum < target() / 2 && g_count < kMostBlocks;
         sum += g_slots[g_count - 1].bytes) {
      add(usual_size());
      if (next() % 3 == 0) drop(next() % g_count);
      if (g_count == 0) add(64);
    }
  }
  heapgauge_set_sample_interval(g_interval);
}
// Half of the heap is another thread's work.
static void* usual_in_thread(void* unused) {
  usual();
  return unused;
}
static void threads(void) {
  for (int i = 0; i < 4; ++i) {
    pthread_t thread;
    if (pthread_create(&thread, NULL, usual_in_thread, NULL) != 0) abort();
    pthread_join(thread, NULL);
  }
}

static const struct {
  const char* name;
  void (*build)(void);
} kMixes[] = {{"small", small},         {"usual", usual},    {"large", large},
              {"two_kinds", two_kinds}, {"churn", churn},    {"vectors", vectors},
              {"intervals", intervals}, {"threads", threads}};

int main(int argc, char** argv) {
  void (*build)(void) = NULL;
  for (size_t i = 0; argc == 5 && i < sizeof(kMixes) / sizeof(kMixes[0]); ++i) {
    if (strcmp(argv[1], kMixes[i].name) == 0) build = kMixes[i].build;
  }
  if (build == NULL) {
    fprintf(stderr,
            "usage: %s small|usual|large|two_kinds|churn|vectors|intervals|threads INTERVAL ROUNDS "
            "SEED\n",
            argv[0]);
    return 2;
  }
  static char line[128];
  setvbuf(stdout, NULL, _IONBF, 0);
  g_interval = strtoull(argv[2], NULL, 10);
  g_state = strtoull(argv[4], NULL, 10) * 0x9E3779B97F4A7C15U;
  heapgauge_set_sample_interval(g_interval);
  for (long round = 0, rounds = atol(argv[3]); round < rounds; ++round) {
    build();
    heapgauge_snapshot snapshot = {.size = sizeof(snapshot)};
    if (heapgauge_take_snapshot(&snapshot, 0) != HEAPGAUGE_OK) {
      fprintf(stderr, "no snapshot: is libheapgauge-core.so beside libheapgauge.so?\n");
      return 1;
    }
    snprintf(line, sizeof(line), "%zu %.1f %.1f %llu\n", live(), snapshot.live_bytes,
             snapshot.live_bytes_stderr, (unsigned long long)snapshot.live_samples);
    fputs(line, stdout);
    heapgauge_snapshot_free(&snapshot);
    while (g_count > 0) drop(g_count - 1);
  }
  return 0;
}
