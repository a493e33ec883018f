#include "process/glibc_heap.h"

#include <dlfcn.h>
#include <link.h>
#include <malloc.h>
#include <sys/mman.h>

#include <array>
#include <atomic>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <random>
#include <thread>
#include <vector>

#include "process/pipe_copy.h"

namespace heapgauge {
namespace {

constexpr uint64_t kMiB = 1 << 20;

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)  // they bring their own malloc
GlibcHeap Found() {
  GlibcHeap heap;
  dl_iterate_phdr(
      [](dl_phdr_info* info, size_t, void* data) {
        if (std::string_view(info->dlpi_name).find("/libc.so") == std::string_view::npos) return 0;
        for (size_t i = 0; i < info->dlpi_phnum; ++i) {
          const ElfW(Phdr)& segment = info->dlpi_phdr[i];
          if (segment.p_type != PT_LOAD || (segment.p_flags & PF_W) == 0) continue;
          const uintptr_t begin = info->dlpi_addr + segment.p_vaddr;
          static_cast<GlibcHeap*>(data)->Find(begin - begin % 16, begin + segment.p_memsz);
        }
        return 1;
      },
      &heap);
  return heap;
}

// Blocks of many sizes, of which most are freed.
class Fragments final {
 public:
  explicit Fragments(unsigned seed, size_t count = 20'000) {
    std::mt19937 random(seed);
    for (size_t i = 0; i < count; ++i) {
      const size_t bytes = random() % 8 == 0 ? random() % 20'000 : random() % 300;
      blocks_.push_back(std::malloc(bytes));
    }
    for (void*& block : blocks_) {
      if (random() % 4 == 0) continue;
      std::free(block);
      block = nullptr;
    }
  }
  ~Fragments() {
    for (void* const block : blocks_) std::free(block);
  }
  Fragments(const Fragments&) = delete;
  Fragments& operator=(const Fragments&) = delete;

 private:
  std::vector<void*> blocks_;
};

void AgreesWithGlibc(GlibcHeap& heap) {
  const auto figures = heap.Read();
  const struct mallinfo2 told = mallinfo2();
  REQUIRE(figures);
  CHECK(figures->whole);
  CHECK(static_cast<double>(figures->free_bytes) ==
        Approx(static_cast<double>(told.fordblks)).epsilon(0.01));
  CHECK(static_cast<double>(figures->system_bytes) ==
        Approx(static_cast<double>(told.arena)).epsilon(0.01));
}

TEST_CASE("what is read agrees with what glibc says", "[process][glibc_heap]") {
  GlibcHeap heap = Found();
  AgreesWithGlibc(heap);
  const Fragments fragments(1);
  AgreesWithGlibc(heap);
  // Many small ones, which the fast bins keep.
  std::vector<void*> small;
  for (int i = 0; i < 50'000; ++i) small.push_back(std::malloc(40));
  for (size_t i = 0; i < small.size(); i += 2) std::free(small[i]);
  AgreesWithGlibc(heap);
  for (size_t i = 1; i < small.size(); i += 2) std::free(small[i]);
  AgreesWithGlibc(heap);
}

TEST_CASE("the arenas of other threads are read, too", "[process][glibc_heap]") {
  GlibcHeap heap = Found();
  std::atomic<int> ready{0};
  std::atomic<bool> go{false};
  std::vector<std::thread> threads;
  for (unsigned t = 0; t < 6; ++t) {
    threads.emplace_back([&, t] {
      const Fragments fragments(t + 10);
      ++ready;
      while (!go) std::this_thread::yield();
    });
  }
  while (ready < 6) std::this_thread::yield();
  AgreesWithGlibc(heap);
  CHECK(heap.Read()->free_bytes > 20 * kMiB);
  go = true;
  for (std::thread& thread : threads) thread.join();
}

TEST_CASE("a heap that changes meanwhile is read without harm", "[process][glibc_heap]") {
  GlibcHeap heap = Found();
  std::atomic<bool> stop{false};
  std::vector<std::thread> threads;
  for (unsigned t = 0; t < 3; ++t) {
    threads.emplace_back([&, t] {
      for (unsigned i = 0; !stop; ++i) const Fragments fragments(t + i, 2'000);
    });
  }
  for (int i = 0; i < 300; ++i) {
    const auto figures = heap.Read();
    REQUIRE(figures);
    CHECK(figures->free_bytes <= figures->system_bytes);
  }
  stop = true;
  for (std::thread& thread : threads) thread.join();
}
#endif

TEST_CASE("where there is no arena nothing is said", "[process][glibc_heap]") {
  static std::array<uint64_t, 4096> data{};
  GlibcHeap heap;
  CHECK_FALSE(heap.Read());
  const auto begin = reinterpret_cast<uintptr_t>(data.data());
  heap.Find(begin, begin + sizeof(data));
  CHECK_FALSE(heap.Read());
  // Lists that are all empty, and nothing around them that an arena has.
  for (size_t i = 100; i < 400; ++i) data[i] = begin + (i - i % 2) * 8 - 16;
  CHECK_FALSE(heap.Read());
}

TEST_CASE("what is not there is not copied", "[process][pipe_copy]") {
  const PipeCopy copy;
  REQUIRE(copy.valid());
  void* const page = mmap(nullptr, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  const uint64_t here[2] = {1, 2};
  const std::array<uintptr_t, 4> from = {reinterpret_cast<uintptr_t>(&here[0]),
                                         reinterpret_cast<uintptr_t>(page), 0,
                                         reinterpret_cast<uintptr_t>(&here[1])};
  std::array<uint64_t, 4> to{};
  std::array<bool, 4> read{};
  copy.Copy(to.data(), from.data(), 4, 8, read.data());
  CHECK(read == std::array<bool, 4>{true, false, false, true});
  CHECK(to[0] == 1);
  CHECK(to[3] == 2);
  CHECK_FALSE(copy.Copy(to.data(), from[1], 8));
  CHECK(copy.Copy(to.data(), from[0], 16));
  CHECK(to[1] == 2);
  munmap(page, 4096);
}

}  // namespace
}  // namespace heapgauge
