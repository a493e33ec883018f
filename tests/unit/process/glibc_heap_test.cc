#include "process/glibc_heap.h"

#include <dlfcn.h>
#include <link.h>
#include <malloc.h>
#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <memory>
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
      freed_.push_back(reinterpret_cast<uintptr_t>(block));
      std::free(block);
      block = nullptr;
    }
  }
  ~Fragments() {
    for (void* const block : blocks_) std::free(block);
  }
  size_t LivingIn(const FreeRanges& ranges) const {
    return static_cast<size_t>(std::count_if(blocks_.begin(), blocks_.end(), [&](void* block) {
      return block != nullptr && ranges.Hold(reinterpret_cast<uintptr_t>(block));
    }));
  }
  double ShareOfFreedIn(const FreeRanges& ranges) const {
    const auto held = std::count_if(freed_.begin(), freed_.end(),
                                    [&](uintptr_t block) { return ranges.Hold(block); });
    return static_cast<double>(held) / static_cast<double>(freed_.size());
  }
  Fragments(const Fragments&) = delete;
  Fragments& operator=(const Fragments&) = delete;

 private:
  std::vector<void*> blocks_;
  std::vector<uintptr_t> freed_;
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

TEST_CASE("free chunks hold what was freed, and nothing that is in use", "[process][glibc_heap]") {
  GlibcHeap heap = Found();
  const Fragments here(3, 10'000);
  std::unique_ptr<Fragments> there;  // in another arena
  std::atomic<bool> stop{false};
  std::atomic<bool> ready{false};
  std::thread other([&] {
    there = std::make_unique<Fragments>(4, 10'000);
    ready = true;
    while (!stop) std::this_thread::yield();
  });
  while (!ready) std::this_thread::yield();
  REQUIRE(heap.Read());
  for (const Fragments* const fragments :
       std::initializer_list<const Fragments*>{&here, there.get()}) {
    CHECK(fragments->LivingIn(heap.free_ranges()) == 0);
    CHECK(fragments->ShareOfFreedIn(heap.free_ranges()) > 0.7);  // the rest: threads' caches
  }
  stop = true;
  other.join();
}

TEST_CASE("a heap that changes meanwhile is read without harm", "[process][glibc_heap]") {
  GlibcHeap heap = Found();
  std::atomic<bool> stop{false};
  std::atomic<int> ready{0};
  std::array<std::unique_ptr<Fragments>, 3> kept;  // between those that come and go
  std::vector<std::thread> threads;
  for (unsigned t = 0; t < 3; ++t) {
    threads.emplace_back([&, t] {
      kept[t] = std::make_unique<Fragments>(t, 2'000);
      ++ready;
      for (unsigned i = 0; !stop; ++i) const Fragments fragments(t + i, 2'000);
    });
  }
  while (ready < 3) std::this_thread::yield();
  int seen = 0;
  for (int i = 0; i < 300; ++i) {
    const auto figures = heap.Read();
    REQUIRE(figures);
    CHECK(figures->free_bytes <= figures->system_bytes);
    for (const auto& fragments : kept) CHECK(fragments->LivingIn(heap.free_ranges()) == 0);
    seen += heap.free_ranges().empty() ? 0 : 1;
  }
  CHECK(seen > 250);
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

// An arena and its heap, made by hand as glibc has them.
class HandMade final {
 public:
  static constexpr size_t kBytes = 1 << 20;
  static constexpr size_t kTopAt = kBytes / 2;
  static constexpr size_t kBase = 32;  // in words, as all of `data`

  HandMade() {
    // The heap ends where nothing is mapped.
    void* const pages =
        mmap(nullptr, kBytes + 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    mprotect(static_cast<char*>(pages) + kBytes, 4096, PROT_NONE);
    heap_ = static_cast<uint64_t*>(pages);
    for (size_t bin = 0; bin < 127; ++bin) data_[Bin(bin)] = data_[Bin(bin) + 1] = Head(bin);
    data_[kTop] = At(kTopAt);
    heap_[kTopAt / 8 + 1] = kBytes - kTopAt + 1;
    data_[kNext] = Base();
    data_[kThreads] = 1;
    data_[kSystem] = data_[kSystem + 1] = kBytes;
    reader_.Find(reinterpret_cast<uintptr_t>(data_.data()),
                 reinterpret_cast<uintptr_t>(data_.data() + data_.size()));
  }
  ~HandMade() { munmap(heap_, kBytes + 4096); }
  HandMade(const HandMade&) = delete;
  HandMade& operator=(const HandMade&) = delete;

  // Puts chunks, by their offsets, in a list.
  void Link(size_t bin, const std::vector<size_t>& chunks, uint64_t bytes) {
    uint64_t before = Head(bin);
    uint64_t* forward = &data_[Bin(bin)];
    for (const size_t chunk : chunks) {
      heap_[chunk / 8 + 1] = bytes | 1;
      heap_[chunk / 8 + 3] = before;
      *forward = before = At(chunk);
      forward = &heap_[chunk / 8 + 2];
    }
    *forward = Head(bin);
    data_[Bin(bin) + 1] = before;
  }

  uint64_t At(size_t offset) const { return reinterpret_cast<uintptr_t>(heap_) + offset; }
  uint64_t& Word(size_t offset) { return heap_[offset / 8]; }
  uint64_t& SystemBytes() { return data_[kSystem]; }
  GlibcHeap& reader() { return reader_; }
  std::array<uint64_t, 512>& data() { return data_; }
  bool Holds(size_t offset) const { return reader_.free_ranges().Hold(At(offset)); }

 private:
  static constexpr size_t kTop = kBase + 12;
  static constexpr size_t kNext = kBase + 270;
  static constexpr size_t kThreads = kBase + 272;
  static constexpr size_t kSystem = kBase + 273;

  static size_t Bin(size_t bin) { return kBase + 14 + 2 * bin; }
  uint64_t Base() const { return reinterpret_cast<uintptr_t>(&data_[kBase]); }
  uint64_t Head(size_t bin) const { return reinterpret_cast<uintptr_t>(&data_[Bin(bin)]) - 16; }

  alignas(16) std::array<uint64_t, 512> data_{};
  uint64_t* heap_ = nullptr;
  GlibcHeap reader_;
};

TEST_CASE("the lists of a damaged heap show nothing that is in use", "[process][glibc_heap]") {
  HandMade heap;
  heap.Link(5, {0x1000, 0x3000}, 0x100);
  heap.Link(7, {0x5000}, 0x200);
  bool whole = false;
  const auto shown = [&] {
    const auto figures = heap.reader().Read();
    whole = figures && figures->whole;
    return std::array<bool, 4>{heap.Holds(0x1010), heap.Holds(0x3010), heap.Holds(0x5010),
                               heap.Holds(HandMade::kTopAt + 0x10)};
  };
  using Shown = std::array<bool, 4>;
  REQUIRE(shown() == Shown{true, true, true, true});
  CHECK(whole);
  CHECK_FALSE(heap.Holds(0x1100));
  CHECK_FALSE(heap.Holds(0x2000));

  const auto damaged = [&](size_t offset, uint64_t word) {
    const uint64_t was = heap.Word(offset);
    heap.Word(offset) = word;
    const Shown now = shown();
    heap.Word(offset) = was;
    return now;
  };
  const Shown no_list{false, false, true, true};
  CHECK(damaged(0x3008, ~uint64_t{7}) == no_list);               // a size beyond all memory
  CHECK(damaged(0x3008, 0x18) == no_list);                       // and one that no chunk has
  CHECK(damaged(0x3018, heap.At(0x5000)) == no_list);            // the back pointer of another list
  CHECK(damaged(0x1010, 0) == no_list);                          // lists that end nowhere,
  CHECK(damaged(0x1010, heap.At(HandMade::kBytes)) == no_list);  // where nothing is mapped,
  CHECK(damaged(0x1010, 0x4141414141414141) == no_list);         // or in the program's text,
  CHECK(damaged(0x1010, heap.At(0x1000)) == no_list);            // and one that never ends
  CHECK_FALSE(whole);
  // A size that was written over reaches across another free chunk.
  CHECK(damaged(0x3008, 0x4001) == Shown{true, false, false, true});
  // A top that ends within a page, or beyond the arena.
  CHECK(damaged(HandMade::kTopAt + 8, 0x1235) == Shown{true, true, true, false});
  CHECK(damaged(HandMade::kTopAt + 8, (2 << 20) + 1) == Shown{true, true, true, false});
  CHECK(shown() == Shown{true, true, true, true});
}

TEST_CASE("an arena is found at its place while fast lists are in use", "[process][glibc_heap]") {
  HandMade heap;
  // As if the arena began two bins before, with a fast list for its top and its map for threads.
  for (size_t word = 2; word < 14; ++word) {
    if (word != 12) heap.data()[HandMade::kBase + word] = heap.At(0x2000);
  }
  const auto figures = heap.reader().Read();
  REQUIRE(figures);
  CHECK(figures->system_bytes == HandMade::kBytes);
  CHECK(heap.Holds(HandMade::kTopAt));
}

TEST_CASE("whatever is written over a heap, reading it does no harm", "[process][glibc_heap]") {
  HandMade heap;
  std::mt19937_64 random(1);
  for (int i = 0; i < 2000; ++i) {
    heap.Link(5, {0x1000, 0x3000}, 0x100);
    heap.Link(7, {0x5000, 0x5800, 0x6000}, 0x200);
    const std::array<uint64_t, 6> words = {
        random(),
        random() % (4 << 20),
        heap.At(random() % HandMade::kBytes / 16 * 16),
        0,
        reinterpret_cast<uintptr_t>(&heap.data()[random() % heap.data().size() / 2 * 2]),
        ~uint64_t{15}};
    const uint64_t word = words[random() % words.size()];
    uint64_t& place = random() % 2 == 0 ? heap.data()[random() % heap.data().size()]
                                        : heap.Word((0x1000 + random() % 0x5200) / 8 * 8);
    const uint64_t was = place;
    place = word;
    const auto figures = heap.reader().Read();
    if (figures) CHECK(figures->free_bytes <= figures->system_bytes);
    (void)heap.Holds(0x2000);
    place = was;
  }
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
