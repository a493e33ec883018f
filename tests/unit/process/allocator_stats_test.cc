#include "process/allocator_stats.h"

#include <dlfcn.h>
#include <malloc.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <thread>
#include <vector>

namespace heapgauge {
namespace {

constexpr uint64_t kMiB = 1 << 20;
constexpr AllocatorStats::Known kPlenty{1024 * kMiB, 0};

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)  // they bring their own malloc
const char* CLibrary() {
  Dl_info info;
  REQUIRE(dladdr(reinterpret_cast<void*>(&std::qsort), &info) != 0);
  return info.dli_fname;
}

// Takes `bytes` in small blocks and frees every other one.
class Holes final {
 public:
  explicit Holes(size_t bytes) : blocks_(bytes / kBytes) {
    for (void*& block : blocks_) block = std::malloc(kBytes);
    for (size_t i = 0; i < blocks_.size(); i += 2) {
      std::free(blocks_[i]);
      blocks_[i] = nullptr;
    }
  }
  ~Holes() {
    for (void* const block : blocks_) std::free(block);
  }
  Holes(const Holes&) = delete;
  Holes& operator=(const Holes&) = delete;

 private:
  static constexpr size_t kBytes = 1000;
  std::vector<void*> blocks_;
};

TEST_CASE("what glibc keeps is told, and never more than is resident",
          "[process][allocator_stats]") {
  AllocatorStats stats;
  stats.Find(CLibrary());
  REQUIRE(stats.kind() == AllocatorStats::Kind::kGlibc);
  const uint64_t before = stats.Retained(kPlenty);
  const Holes holes(16 * kMiB);
  AllocatorStats now;  // one that was not asked yet
  now.Find(CLibrary());
  const uint64_t after = now.Retained(kPlenty);
  CHECK(after > before + 7 * kMiB);
  CHECK(after < before + 9 * kMiB);
  CHECK(now.Retained({3 * kMiB, 0}) == 3 * kMiB);
}

TEST_CASE("an answer that took long stands for a while", "[process][allocator_stats]") {
  AllocatorStats stats(0);  // any time is long
  stats.Find(CLibrary());
  const uint64_t first = stats.Retained({kPlenty.anonymous_bytes, 100 * kMiB});
  // What the live heap has lost since is kept, and so is what the heap has grown by.
  CHECK(stats.Retained({kPlenty.anonymous_bytes, 92 * kMiB}) == first + 8 * kMiB);
  const Holes holes(64 * kMiB);
  CHECK(stats.Retained({kPlenty.anonymous_bytes, 100 * kMiB}) > first + 32 * kMiB);
}

TEST_CASE("between two answers the arenas of threads are known as well",
          "[process][allocator_stats]") {
  AllocatorStats stats(0);
  stats.Find(CLibrary());
  const uint64_t first = stats.Retained({kPlenty.anonymous_bytes, 100 * kMiB});
  std::optional<Holes> holes;
  std::thread([&] { holes.emplace(64 * kMiB); }).join();
  CHECK(stats.Retained({kPlenty.anonymous_bytes, 100 * kMiB}) > first + 56 * kMiB);
  CHECK(stats.Retained({kPlenty.anonymous_bytes, 100 * kMiB, 132 * kMiB}) <
        stats.Retained({kPlenty.anonymous_bytes, 132 * kMiB, 100 * kMiB}));
}

TEST_CASE("what glibc takes for a block is known", "[process][allocator_stats]") {
  AllocatorStats stats;
  stats.Find(CLibrary());
  for (size_t bytes = 1; bytes < 3000; bytes += 7) {
    void* const block = std::malloc(bytes);
    // A free block that is larger by less than the smallest block is given out whole.
    const size_t taken = malloc_usable_size(block) + sizeof(void*);
    CHECK(stats.TakenFor(bytes) <= taken);
    CHECK(stats.TakenFor(bytes) + 32 > taken);
    CHECK(stats.TakenFor(bytes) % 16 == taken % 16);
    std::free(block);
  }
  CHECK(stats.TakenFor(18) == 32);
  CHECK(stats.TakenFor(24) == 32);
  CHECK(stats.TakenFor(25) == 48);
  CHECK(AllocatorStats().TakenFor(18) == 18);  // of an allocator that is not known
}

TEST_CASE("once kept off, glibc is read on, for that takes no lock", "[process][allocator_stats]") {
  AllocatorStats stats;
  stats.Find(CLibrary());
  stats.KeepOff();
  const Holes holes(16 * kMiB);
  CHECK(stats.Retained(kPlenty) > 7 * kMiB);
}
#endif

TEST_CASE("of an allocator without statistics nothing is said", "[process][allocator_stats]") {
  AllocatorStats stats;
  for (const char* const module : {"", "/no/such/library.so", "libm.so.6"}) {
    stats.Find(module);
    CHECK(stats.kind() == AllocatorStats::Kind::kUnknown);
    CHECK(stats.Retained(kPlenty) == 0);
  }
  stats.Find(nullptr);
  CHECK(stats.Retained(kPlenty) == 0);
}

}  // namespace
}  // namespace heapgauge
