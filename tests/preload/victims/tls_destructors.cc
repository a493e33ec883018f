// Allocation while threads die: pthread keys whose destructors allocate again, C++ thread_local
// objects, both after the last of everything else in the thread is gone.
#include <pthread.h>

#include <memory>
#include <string>
#include <vector>

#include "victim.h"

namespace {

pthread_key_t g_key;
int g_key_rounds = 0;

void KeyDestructor(void* value) {
  free(value);
  victim_drop(600);
  __atomic_fetch_add(&g_key_rounds, 1, __ATOMIC_RELAXED);
  // Sets the key again: glibc runs the destructors up to four times.
  static thread_local int again = 0;
  if (++again < 4) {
    void* const block = malloc(600);
    VICTIM_REQUIRE(block != nullptr);
    victim_hold(600);
    pthread_setspecific(g_key, block);
  }
  for (int i = 0; i < 50; ++i) free(malloc(3000));
}

struct Local {
  std::vector<std::unique_ptr<char[]>> blocks;
  ~Local() {
    blocks.clear();
    std::string text(2000, 'x');
    for (int i = 0; i < 50; ++i) text += "more";
  }
};
thread_local Local t_local;

void* Thread(void* argument) {
  void* const block = malloc(600);
  VICTIM_REQUIRE(block != nullptr);
  victim_hold(600);
  pthread_setspecific(g_key, block);
  for (int i = 0; i < 20; ++i) t_local.blocks.push_back(std::make_unique<char[]>(2000));
  return argument;
}

}  // namespace

int main() {
  VICTIM_REQUIRE(pthread_key_create(&g_key, KeyDestructor) == 0);
  for (int round = 0; round < 40; ++round) {
    pthread_t threads[8];
    for (pthread_t& thread : threads)
      VICTIM_REQUIRE(pthread_create(&thread, nullptr, Thread, nullptr) == 0);
    for (pthread_t& thread : threads) pthread_join(thread, nullptr);
    victim_check("threads are gone");
  }
  printf("%d destructor rounds\n", g_key_rounds);
  victim_finish();
  return 0;
}
