// Graphs with known truth, built in this process's own heap, which is glibc's.
#include "graph/holder_search.h"

#include <malloc.h>
#include <pthread.h>
#include <semaphore.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <cstring>
#include <new>
#include <thread>
#include <vector>

namespace heapgauge {
namespace {

using Answer = HolderSearch::Answer;
constexpr size_t kMiB = size_t{1} << 20;
constexpr uint64_t kMask = 0x5555'5555'5555'5555;

void* g_held[4];
thread_local void* t_held;

// What a test asks about.  Addresses are kept with bits turned: this list holds nothing; and the
// search, which knows them as they are, lies in memory that it knows as its own.
class Blocks {
 public:
  explicit Blocks(size_t limit_bytes = 16 * kMiB)
      : arena_(kMiB),
        live_(arena_),
        search_(*new (arena_.Allocate(sizeof(HolderSearch))) HolderSearch(limit_bytes)) {}
  ~Blocks() { search_.~HolderSearch(); }
  Blocks(const Blocks&) = delete;
  Blocks& operator=(const Blocks&) = delete;

  HolderSearch& search() { return search_; }

  __attribute__((noinline)) void* Make(size_t bytes) {
    void* const block = std::malloc(bytes);
    std::memset(block, 0, bytes);
    Know(block, bytes);
    return block;
  }
  void Know(void* block, size_t bytes) {
    LiveSample sample;
    sample.bytes = bytes;
    live_.Insert(reinterpret_cast<uintptr_t>(block), sample);
  }
  static uint64_t Hide(const void* block) { return reinterpret_cast<uintptr_t>(block) ^ kMask; }

  void Run(const std::vector<uint64_t>& hidden) {
    for (const uint64_t word : hidden) REQUIRE(search_.Ask(word ^ kMask));
    Sweep();
  }
  void Sweep() {
    REQUIRE(search_.Begin(live_));
    while (search_.Step(1'000'000)) {
    }
  }
  // A stale word on a stack may hold one or two.
  size_t Lost(const std::vector<uint64_t>& hidden) {
    return static_cast<size_t>(std::count_if(hidden.begin(), hidden.end(), [&](uint64_t word) {
      return Of(word).answer == Answer::kLost;
    }));
  }
  HolderSearch::Holder Of(uint64_t hidden) { return search_.HolderOf(hidden ^ kMask); }

 private:
  PageArena arena_;
  LiveTable live_;
  HolderSearch& search_;
};

// Wipes the registers and the stack below: what lay there held nothing of what is asked about.
__attribute__((noinline)) void Wipe() {
  volatile char room[16384];
  for (size_t i = 0; i < sizeof(room); ++i) room[i] = 0;
}

// So that what is allocated from now on is memory that nothing was in before: old words in it, or
// to it, would hold what nobody has.  The tests before this one have left their trees and lists in
// fast bins, whose chunks look as if in use.
__attribute__((noinline)) void EmptyCaches() {
  malloc_trim(0);
  const auto take = [](size_t bytes, int count) {
    for (int i = 0; i < count; ++i) {
      // Not calloc, which leaves what is in the thread's cache.
      void* volatile block = std::malloc(bytes);
      std::memset(block, 0, bytes);
    }
  };
  for (size_t bytes = 65536; bytes > 1100; bytes /= 2) take(bytes, 50);
  for (size_t bytes = 24; bytes < 1100; bytes += 16) take(bytes, 100);
}

// In a thread of its own, so that the thread that searches is none of the program's.
template <typename Body>
void Search(Body body) {
  std::thread thread([&] { body(); });
  thread.join();
}

struct Node {
  Node* next = nullptr;
  void* load = nullptr;
};

__attribute__((noinline)) std::vector<uint64_t> MakeLost(Blocks& blocks, size_t count) {
  std::vector<uint64_t> hidden;
  for (size_t i = 0; i < count; ++i) hidden.push_back(Blocks::Hide(blocks.Make(100 + i)));
  return hidden;
}

TEST_CASE("a block that nothing points to is lost, one in a global is held there", "[graph]") {
  Blocks blocks;
  REQUIRE(blocks.search().Works());
  EmptyCaches();
  std::vector<uint64_t> hidden = MakeLost(blocks, 50);
  g_held[1] = blocks.Make(5000);
  const uint64_t held = Blocks::Hide(g_held[1]);
  hidden.push_back(held);
  Wipe();
  Search([&] { blocks.Run(hidden); });
  CHECK(blocks.search().whole());
  CHECK(blocks.Lost(hidden) >= 48);
  const HolderSearch::Holder holder = blocks.Of(held);
  CHECK(holder.answer == Answer::kHeld);
  CHECK(holder.place == RootKind::kGlobal);
  CHECK(holder.word == reinterpret_cast<uintptr_t>(&g_held[1]));
  CHECK(holder.depth == 1);
  std::free(g_held[1]);
  g_held[1] = nullptr;
}

__attribute__((noinline)) uint64_t BuildList(Blocks& blocks, size_t length) {
  Node* first = nullptr;
  for (size_t i = 0; i < length; ++i) {
    Node* const node = static_cast<Node*>(std::malloc(sizeof(Node)));
    node->next = first;
    node->load = nullptr;
    first = node;
    if (i == 0) node->load = blocks.Make(300);  // the farthest
  }
  Node* last = first;
  while (last->next != nullptr) last = last->next;
  g_held[0] = first;
  return Blocks::Hide(last->load);
}

// True when the way is the whole list, from the global on.
bool FollowsList(Blocks& blocks, uint64_t farthest, size_t length) {
  const HolderSearch::Holder holder = blocks.Of(farthest);
  if (holder.place != RootKind::kGlobal || holder.word != reinterpret_cast<uintptr_t>(&g_held[0]) ||
      holder.depth != length + 1) {
    return false;
  }
  bool follows = false;
  Search([&] {  // on a stack that is none of the program's
    Block path[3];
    follows = blocks.search().PathTo(farthest ^ kMask, path, 3) == length &&
              path[0].begin == reinterpret_cast<uintptr_t>(g_held[0]) &&
              path[0].bytes >= sizeof(Node);
  });
  return follows;
}

// An old word somewhere may point into the middle of a list, whose rest it then holds as well as
// the global does: so one of a few lists must have none.
TEST_CASE("a way through blocks that are not sampled is found, however long", "[graph]") {
  constexpr size_t kLength = 10'000;
  Blocks blocks;
  int followed = 0;
  int lost = 0;
  for (int i = 0; i < 8 && (followed == 0 || lost == 0); ++i) {
    EmptyCaches();
    const uint64_t farthest = BuildList(blocks, kLength);
    Wipe();
    Search([&] { blocks.Run({farthest}); });
    CHECK(blocks.Of(farthest).answer == Answer::kHeld);
    if (FollowsList(blocks, farthest, kLength)) ++followed;
    g_held[0] = nullptr;  // now the whole list is lost
    Wipe();
    Search([&] { blocks.Sweep(); });
    if (blocks.Of(farthest).answer == Answer::kLost) ++lost;
  }
  CHECK(followed > 0);
  CHECK(lost > 0);
}

TEST_CASE("asking who holds each block of a long list follows the list a few times", "[graph]") {
  constexpr size_t kLength = 50'000;
  Blocks blocks;
  EmptyCaches();
  std::vector<uint64_t> hidden = MakeLost(blocks, 10);  // so that all is followed
  hidden.push_back(BuildList(blocks, kLength));
  Wipe();
  Search([&] { blocks.Run(hidden); });
  size_t held = 0;
  uint32_t deepest = 0;  // old words may point to the midst of it
  for (const Node* node = static_cast<Node*>(g_held[0]); node != nullptr; node = node->next) {
    const HolderSearch::Holder holder = blocks.Of(Blocks::Hide(node));
    if (holder.answer == Answer::kHeld) ++held;
    deepest = std::max(deepest, holder.depth);
  }
  CHECK(held == kLength);
  CHECK(deepest > kLength / 8);
  CHECK(blocks.search().steps_back() < 4 * kLength);
  g_held[0] = nullptr;
}

__attribute__((noinline)) void BuildRing(Blocks& blocks, std::vector<uint64_t>& hidden) {
  void** const a = static_cast<void**>(blocks.Make(64));
  void** const b = static_cast<void**>(blocks.Make(64));
  *a = b;
  *b = a;
  hidden.push_back(Blocks::Hide(a));
  hidden.push_back(Blocks::Hide(b));
}

TEST_CASE("a ring that nothing else points to is lost", "[graph]") {
  Blocks blocks;
  EmptyCaches();
  std::vector<uint64_t> rings;
  for (int i = 0; i < 20; ++i) BuildRing(blocks, rings);
  Wipe();
  Search([&] { blocks.Run(rings); });
  CHECK(blocks.Lost(rings) >= 34);
}

TEST_CASE("pointers inside, past the end and with tags hold, a hidden one does not", "[graph]") {
  Blocks blocks;
  EmptyCaches();
  static volatile uint64_t words[4];
  std::vector<uint64_t> hidden;
  const auto place = [&](size_t i, auto change) {
    void* const block = blocks.Make(256);
    hidden.push_back(Blocks::Hide(block));
    words[i] = change(reinterpret_cast<uintptr_t>(block));
  };
  place(0, [](uintptr_t at) { return at + 100; });
  place(1, [](uintptr_t at) { return at + 256; });
  place(2, [](uintptr_t at) { return at + 1 + (uint64_t{0x7F} << 56); });
  place(3, [](uintptr_t at) { return at ^ 0x00FF'FF00'FF00'FF00; });
  Wipe();
  Search([&] { blocks.Run(hidden); });
  for (size_t i = 0; i < 3; ++i) {
    INFO(i);
    CHECK(blocks.Of(hidden[i]).answer == Answer::kHeld);
  }
  CHECK(blocks.Of(hidden[3]).answer == Answer::kLost);
  CHECK(words[3] != 0);
}

TEST_CASE("another thread's stack and its thread-local storage are roots", "[graph]") {
  Blocks blocks;
  EmptyCaches();
  struct Shared {
    Blocks* blocks;
    uint64_t on_stack = 0;
    uint64_t local = 0;
    pid_t id = 0;
    sem_t ready;
    sem_t over;
  } shared{&blocks, 0, 0, 0, {}, {}};
  sem_init(&shared.ready, 0, 0);
  sem_init(&shared.over, 0, 0);
  std::thread holder([&shared] {
    EmptyCaches();
    void* volatile kept = shared.blocks->Make(700);
    shared.on_stack = Blocks::Hide(kept);
    t_held = shared.blocks->Make(700);
    shared.local = Blocks::Hide(t_held);
    shared.id = gettid();
    Wipe();
    sem_post(&shared.ready);
    sem_wait(&shared.over);
    static_cast<void>(kept);
  });
  sem_wait(&shared.ready);
  usleep(20'000);  // until it is in the call
  Search([&] { blocks.Run({shared.on_stack, shared.local}); });
  const HolderSearch::Holder stack = blocks.Of(shared.on_stack);
  CHECK(stack.answer == Answer::kHeld);
  CHECK(stack.place == RootKind::kStack);
  CHECK(stack.thread == shared.id);
  const HolderSearch::Holder local = blocks.Of(shared.local);
  CHECK(local.answer == Answer::kHeld);
#if defined(__x86_64__)
  CHECK(local.place == RootKind::kThreadLocal);
#endif
  CHECK(local.thread == shared.id);
  sem_post(&shared.over);
  holder.join();
}

TEST_CASE("the first thread's thread-local storage is a root", "[graph]") {
  Blocks blocks;
  EmptyCaches();
  t_held = blocks.Make(900);
  const uint64_t hidden = Blocks::Hide(t_held);
  Wipe();
  Search([&] { blocks.Run({hidden}); });
  CHECK(blocks.Of(hidden).answer == Answer::kHeld);
#if defined(__x86_64__)
  CHECK(blocks.Of(hidden).place == RootKind::kThreadLocal);
#endif
  std::free(t_held);
  t_held = nullptr;
}

TEST_CASE("a pointer in a mapping that malloc knows nothing of is unknown memory", "[graph]") {
  Blocks blocks;
  EmptyCaches();
  void** const pool = static_cast<void**>(
      mmap(nullptr, kMiB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  pool[1000] = blocks.Make(400);
  const uint64_t hidden = Blocks::Hide(pool[1000]);
  Wipe();
  Search([&] { blocks.Run({hidden}); });
  CHECK(blocks.Of(hidden).answer == Answer::kUnknown);
  pool[1000] = nullptr;
  Wipe();
  Search([&] { blocks.Sweep(); });
  CHECK(blocks.Of(hidden).answer == Answer::kLost);
  munmap(pool, kMiB);
}

__attribute__((noinline)) uint64_t LeaveInFreed(Blocks& blocks) {
  // Larger than what threads keep, and fenced, so that it stays a free chunk of its own.
  void** const holder = static_cast<void**>(std::malloc(8000));
  void* const fence = std::malloc(100);
  void* const block = blocks.Make(600);
  holder[500] = block;
  g_held[3] = fence;
  std::free(holder);
  return Blocks::Hide(block);
}

TEST_CASE("what lies in a free chunk holds nothing", "[graph]") {
  Blocks blocks;
  EmptyCaches();
  std::vector<uint64_t> hidden;
  for (int i = 0; i < 20; ++i) hidden.push_back(LeaveInFreed(blocks));
  Wipe();
  Search([&] { blocks.Run(hidden); });
  CHECK(blocks.Lost(hidden) >= 18);
}

TEST_CASE("blocks of another thread's arena, and mapped ones, are known", "[graph]") {
  Blocks blocks;
  EmptyCaches();
  uint64_t small = 0;
  uint64_t large = 0;
  std::thread maker([&] {
    void** const outer = static_cast<void**>(std::malloc(48));
    void** const huge = static_cast<void**>(std::malloc(2 * kMiB));
    outer[1] = huge;
    huge[200'000] = blocks.Make(333);
    small = Blocks::Hide(huge[200'000]);
    huge[0] = blocks.Make(3 * kMiB);
    large = Blocks::Hide(huge[0]);
    g_held[2] = outer;
  });
  maker.join();
  Wipe();
  Search([&] { blocks.Run({small, large}); });
  for (const uint64_t word : {small, large}) {
    const HolderSearch::Holder holder = blocks.Of(word);
    CHECK(holder.answer == Answer::kHeld);
    CHECK(holder.word == reinterpret_cast<uintptr_t>(&g_held[2]));
    CHECK(holder.depth == 3);
  }
  g_held[2] = nullptr;
}

TEST_CASE("without room for all blocks, direct holders are still found", "[graph]") {
  Blocks blocks(0);
  EmptyCaches();
  std::vector<void*> many;
  for (int i = 0; i < 700'000; ++i) many.push_back(std::malloc(24));
  g_held[1] = blocks.Make(500);
  const uint64_t held = Blocks::Hide(g_held[1]);
  Wipe();
  Search([&] { blocks.Run({held}); });
  CHECK_FALSE(blocks.search().whole());
  CHECK(blocks.Of(held).place == RootKind::kGlobal);
  for (void* const block : many) std::free(block);
  g_held[1] = nullptr;
}

}  // namespace
}  // namespace heapgauge
