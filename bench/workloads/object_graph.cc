// A random graph of objects of which it is known who holds what: each call site's fate is its name.
//
//   object_graph SEED THREADS OBJECTS
//
// OBJECTS of each call site are made, by THREADS threads in turns, of random sizes.  Prints a line
// for each call site: its function, the share of its bytes that is lost, and the kind and the name of
// who holds the rest.  Then it waits for the end of its standard input.
#include <pthread.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <thread>
#include <vector>

#include "workload.h"

// What holds: by name, so with external linkage.
struct Link {
  Link* next;
  void* load;
};
Link* g_deep;     // a node, a shelf, a link, the object
void** g_direct;  // an array of its own mapping's: the first level of heap
void* g_table[1 << 16];
Link* g_mixed;
constexpr size_t kMostLocal = 1024;
// Visible elsewhere, or the compiler leaves out what is never read.
thread_local void* t_held[kMostLocal];

namespace {

constexpr size_t kMostOnStack = 4096;

// All held: a shelf of links for every sixteen objects.
struct Shelf {
  std::array<Link*, 16> links;
  size_t used;
};
Shelf* g_shelf;

}  // namespace

#define MAKE_SITE(name)                                           \
  extern "C" __attribute__((noinline)) void* name(size_t bytes) { \
    void* const block = malloc(bytes);                            \
    memset(block, 7, bytes);                                      \
    __asm__ volatile("" : : "r"(block) : "memory");               \
    return block;                                                 \
  }
MAKE_SITE(lost_alone)
MAKE_SITE(lost_in_chain)
MAKE_SITE(lost_in_ring)
MAKE_SITE(held_in_table)
MAKE_SITE(held_by_array)
MAKE_SITE(held_deeply)
MAKE_SITE(held_on_stack)
MAKE_SITE(held_by_thread)
MAKE_SITE(partly_lost)

namespace {

struct Sums {
  double all = 0;
  double lost = 0;
};
Sums g_partly;
pthread_mutex_t g_lock = PTHREAD_MUTEX_INITIALIZER;
pthread_barrier_t g_made;
pthread_barrier_t g_end;

size_t SizeOf(workload::Random& random) { return 64 + random.Next() % 3000; }

__attribute__((noinline)) void Wipe() {
  volatile char room[16384];
  for (size_t i = 0; i < sizeof(room); ++i) room[i] = 0;
}

__attribute__((noinline)) void Shelve(void* load) {
  if (g_shelf == nullptr || g_shelf->used == 16) {
    g_shelf = static_cast<Shelf*>(calloc(1, sizeof(Shelf)));
    auto* const node = static_cast<Link*>(malloc(sizeof(Link)));
    *node = {g_deep, g_shelf};
    g_deep = node;
  }
  auto* const link = static_cast<Link*>(malloc(sizeof(Link)));
  *link = {nullptr, load};
  g_shelf->links[g_shelf->used++] = link;
}

// One of each.
__attribute__((noinline)) void Make(workload::Random& random, size_t number, size_t thread_number,
                                    void** on_stack) {
  lost_alone(SizeOf(random));
  void** const chain = static_cast<void**>(lost_in_chain(SizeOf(random)));
  *chain = lost_in_chain(SizeOf(random));
  void** const one = static_cast<void**>(lost_in_ring(SizeOf(random)));
  void** const other = static_cast<void**>(lost_in_ring(SizeOf(random)));
  *one = other + 1;
  *other = one;
  g_table[number % (1 << 16)] = held_in_table(SizeOf(random));
  g_direct[number] = held_by_array(SizeOf(random));
  Shelve(held_deeply(SizeOf(random)));
  on_stack[thread_number % kMostOnStack] = held_on_stack(SizeOf(random));
  if (thread_number < kMostLocal) t_held[thread_number] = held_by_thread(SizeOf(random));
  const size_t bytes = SizeOf(random);
  void* const load = partly_lost(bytes);
  g_partly.all += static_cast<double>(bytes);
  if (random.Next() % 10 < 3) {
    g_partly.lost += static_cast<double>(bytes);
  } else {
    auto* const link = static_cast<Link*>(malloc(sizeof(Link)));
    *link = {g_mixed, load};
    g_mixed = link;
  }
}

void Run(uint64_t seed, size_t first, size_t count) {
  void* on_stack[kMostOnStack] = {};
  workload::Random random(seed);
  for (size_t i = 0; i < count; ++i) {
    pthread_mutex_lock(&g_lock);
    Make(random, first + i, i, on_stack);
    pthread_mutex_unlock(&g_lock);
  }
  Wipe();
  pthread_barrier_wait(&g_made);
  __asm__ volatile("" : : "r"(on_stack) : "memory");
  pthread_barrier_wait(&g_end);
  __asm__ volatile("" : : "r"(on_stack) : "memory");
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 4) return 2;
  const uint64_t seed = strtoull(arguments[1], nullptr, 10);
  const size_t threads = strtoull(arguments[2], nullptr, 10);
  const size_t objects = strtoull(arguments[3], nullptr, 10);
  const size_t each = objects / threads;
  g_direct = static_cast<void**>(calloc(objects, sizeof(void*)));
  pthread_barrier_init(&g_made, nullptr, static_cast<unsigned>(threads + 1));
  pthread_barrier_init(&g_end, nullptr, static_cast<unsigned>(threads + 1));
  std::vector<std::thread> workers;
  for (size_t i = 0; i < threads; ++i)
    workers.emplace_back(Run, seed * 100 + i + 1, i * each, each);
  pthread_barrier_wait(&g_made);
  g_shelf = nullptr;  // a shorter way to the last shelf
  printf("lost_alone 1 - -\nlost_in_chain 1 - -\nlost_in_ring 1 - -\n");
  printf("held_in_table 0 global g_table\nheld_by_array 0 global g_direct\n");
  printf("held_deeply 0 global g_deep\nheld_on_stack 0 stack -\nheld_by_thread 0 thread_local -\n");
  printf("partly_lost %.6f global g_mixed\nready\n", g_partly.lost / g_partly.all);
  fflush(stdout);
  while (getchar() != EOF) {
  }
  pthread_barrier_wait(&g_end);
  for (std::thread& worker : workers) worker.join();
  return 0;
}
