// A program whose allocation function lies below the C++ library: a std::pmr::memory_resource, which
// containers ask.  Between it and the line that asked stand std:: functions, five and more.
//
//   own_resource resource SECONDS   one line loses a vector now and then, three free what they use
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory_resource>
#include <new>
#include <string>
#include <thread>
#include <vector>

#define NOINLINE __attribute__((noinline, noclone))

static uint32_t g_random = 13;
static uint32_t Random() { return (g_random = g_random * 1664525 + 1013904223) >> 8; }

class Shelf final : public std::pmr::memory_resource {
  NOINLINE void* do_allocate(size_t bytes, size_t) override {
    return memset(malloc(bytes), 1, bytes);
  }
  void do_deallocate(void* block, size_t, size_t) override { free(block); }
  bool do_is_equal(const memory_resource& other) const noexcept override { return this == &other; }
};
static Shelf g_shelf;

// The vector itself lies nowhere that the heap has to give.
alignas(std::pmr::vector<char>) static char g_row[sizeof(std::pmr::vector<char>)];
NOINLINE static void LoseRow() { (new (g_row) std::pmr::vector<char>(&g_shelf))->resize(700); }
NOINLINE static void ReadRow() { std::pmr::vector<char>(&g_shelf).resize(100 + Random() % 2000); }
NOINLINE static void ReadName() { std::pmr::string(100 + Random() % 900, 'n', &g_shelf).size(); }
NOINLINE static void Index() {
  std::pmr::map<int, int> map(&g_shelf);
  for (int i = 0; i < 9; ++i) map[i] = i;
}

int main(int count, char** arguments) {
  if (count != 3) return 2;
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(atoi(arguments[2]));
  while (std::chrono::steady_clock::now() < end) {
    for (int i = 0; i < 8; ++i) {
      ReadRow(), ReadName(), Index();
      if (Random() % 4 == 0) LoseRow();
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(4));
  }
  return 0;
}
