// How words of modules are changed, rule by rule (module_words.h).
#include "elf/module_words.h"

#include <sys/mman.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <string_view>
#include <thread>

#include "elf/imports.h"
#include "elf/maps.h"
#include "elf/module_around.h"

namespace heapgauge {
namespace {

constexpr uintptr_t kPageBytes = 4096;

// A module's writable segment of three pages, of which the loader has closed the first.
class Segment final {
 public:
  Segment()
      : begin_(reinterpret_cast<uintptr_t>(mmap(nullptr, 3 * kPageBytes, PROT_READ | PROT_WRITE,
                                                MAP_PRIVATE | MAP_ANONYMOUS, -1, 0))) {
    layout.bias = begin_;
    layout.extent = layout.writable = {begin_, begin_ + 3 * kPageBytes};
    // As linkers have it: what is closed need not begin or end with a page.
    layout.relro = {begin_ + 16, begin_ + kPageBytes + 32};
    for (uintptr_t at = begin_; at < begin_ + 3 * kPageBytes; at += sizeof(uintptr_t)) Word(at) = 1;
    mprotect(reinterpret_cast<void*>(begin_), kPageBytes, PROT_READ);
  }
  ~Segment() { munmap(reinterpret_cast<void*>(begin_), 3 * kPageBytes); }
  Segment(const Segment&) = delete;
  Segment& operator=(const Segment&) = delete;

  static uintptr_t& Word(uintptr_t at) { return *reinterpret_cast<uintptr_t*>(at); }
  uintptr_t closed() const { return begin_ + 64; }
  uintptr_t open() const { return begin_ + kPageBytes + 64; }
  bool IsWritable(uintptr_t at) const {
    char room[MapsReader::kRoomForAll];
    MapsReader maps(MapsReader::kSelf, room);
    for (MapsLine line; maps.Next(&line);) {
      if (line.range.Holds(at)) return line.writable;
    }
    return false;
  }

  ModuleLayout layout;

 private:
  const uintptr_t begin_;
};

struct Answer {
  bool answer;
  int asked = 0;
  AddressRange of = {};
};
bool Ask(const AddressRange& pages, void* data) {
  Answer& it = *static_cast<Answer*>(data);
  ++it.asked;
  it.of = pages;
  return it.answer;
}

}  // namespace

TEST_CASE("a word that has changed since it was judged stays", "[elf][module_words][W1]") {
  Segment segment;
  ModuleWords words(segment.layout, kPageBytes, ModuleWords::kLoaderIsDone, nullptr);
  CHECK_FALSE(words.Change(segment.open(), 2, 3));
  CHECK(Segment::Word(segment.open()) == 1);
  CHECK(words.Change(segment.open(), 1, 3));
  CHECK(Segment::Word(segment.open()) == 3);
  CHECK_FALSE(words.failed());
}

TEST_CASE("a word that others change and call through has good values alone",
          "[elf][module_words][W1]") {
  Segment segment;
  const uintptr_t at = segment.open();
  constexpr uintptr_t kOne = 0x1111111111111111;
  constexpr uintptr_t kOther = 0x2222222222222222;
  Segment::Word(at) = kOne;
  std::atomic<bool> over{false};
  std::atomic<size_t> bad{0};
  std::thread caller([&] {
    while (!over.load()) {
      const uintptr_t now = std::atomic_ref(Segment::Word(at)).load();
      if (now != kOne && now != kOther) ++bad;
    }
  });
  for (int i = 0; i < 20000; ++i) {
    ModuleWords words(segment.layout, kPageBytes, ModuleWords::kLoaderIsDone, nullptr);
    words.Change(at, kOne, kOther);
    words.Change(at, kOther, kOne);
  }
  over.store(true);
  caller.join();
  CHECK(bad.load() == 0);
}

TEST_CASE("words that no header declares writable are left", "[elf][module_words][W2]") {
  Segment segment;
  segment.layout.writable = {segment.open(), segment.open() + 32};
  ModuleWords words(segment.layout, kPageBytes, ModuleWords::kLoaderIsDone, nullptr);
  CHECK_FALSE(words.Change(segment.open() - 8, 1, 2));
  CHECK_FALSE(words.Change(segment.open() + 32, 1, 2));
  CHECK_FALSE(words.Change(segment.closed(), 1, 2));
  CHECK_FALSE(words.Change(segment.open() + 4, 1, 2));  // two halves of words
  CHECK_FALSE(words.Change(0, 1, 2));
  CHECK_FALSE(words.Change(UINTPTR_MAX - 7, 1, 2));
  CHECK(words.Change(segment.open() + 24, 1, 2));
  ModuleLayout nothing;
  ModuleWords none(nothing, kPageBytes, ModuleWords::kLoaderIsDone, nullptr);
  CHECK_FALSE(none.Change(segment.open(), 1, 2));
  CHECK(Segment::Word(segment.open()) == 1);
}

TEST_CASE("pages that are read-only are opened for a pass and closed again",
          "[elf][module_words][W3]") {
  Segment segment;
  Answer answer{true};
  {
    ModuleWords words(segment.layout, kPageBytes, Ask, &answer);
    CHECK(words.Change(segment.open(), 1, 2));
    CHECK(answer.asked == 0);  // not for what is open
    CHECK(words.Change(segment.closed(), 1, 2));
    CHECK(words.Change(segment.closed() + 8, 1, 2));
    CHECK(answer.asked == 1);
    CHECK(answer.of.begin == segment.layout.extent.begin);
    CHECK(answer.of.end == segment.layout.extent.begin + kPageBytes);
    CHECK_FALSE(words.failed());
  }
  CHECK(Segment::Word(segment.closed()) == 2);
  CHECK(Segment::Word(segment.closed() + 8) == 2);
  CHECK_FALSE(segment.IsWritable(segment.closed()));
  CHECK(segment.IsWritable(segment.open()));  // the page that is shared with what stays open
}

TEST_CASE("a module that the loader may still write to keeps its pages as they are",
          "[elf][module_words][W3]") {
  Segment segment;
  const bool writable = GENERATE(false, true);
  if (writable) {  // so they are while the loader is at work
    mprotect(reinterpret_cast<void*>(segment.layout.extent.begin), kPageBytes,
             PROT_READ | PROT_WRITE);
  }
  Answer answer{false};
  {
    ModuleWords words(segment.layout, kPageBytes, Ask, &answer);
    CHECK_FALSE(words.Change(segment.closed(), 1, 2));
    CHECK_FALSE(words.Change(segment.closed() + 8, 1, 2));
    CHECK(answer.asked == 1);
    CHECK(words.failed());
    CHECK(words.Change(segment.open(), 1, 2));  // the rest is nobody's but ours to change
  }
  CHECK(Segment::Word(segment.closed()) == 1);
  CHECK(segment.IsWritable(segment.closed()) == writable);
}

TEST_CASE("pages that can't be opened are left", "[elf][module_words][W3]") {
  Segment segment;
  // The header claims more than is mapped.
  segment.layout.relro.end = segment.layout.extent.end;
  munmap(reinterpret_cast<void*>(segment.layout.extent.begin + 2 * kPageBytes), kPageBytes);
  mprotect(reinterpret_cast<void*>(segment.layout.extent.begin), 2 * kPageBytes, PROT_READ);
  ModuleWords words(segment.layout, kPageBytes, ModuleWords::kLoaderIsDone, nullptr);
  CHECK_FALSE(words.Change(segment.closed() + 2 * kPageBytes, 1, 2));
  CHECK(words.failed());
  CHECK(Segment::Word(segment.open()) == 1);
}

TEST_CASE("an import is led elsewhere and its page is closed again", "[elf][module_words]") {
  const ModuleAround around(&Ask);
  REQUIRE(around.found());
  const ElfModule module(*around.map());
  struct Wanted {
    uintptr_t* slot = nullptr;
  } wanted;
  module.VisitImports(
      [](const ElfModule::Import& import, void* data) {
        if (std::string_view(import.name) == "munmap")
          static_cast<Wanted*>(data)->slot = import.slot;
      },
      &wanted);
  REQUIRE(wanted.slot != nullptr);
  const uintptr_t before = *wanted.slot;
  const Segment segment;
  const auto at = reinterpret_cast<uintptr_t>(wanted.slot);
  const bool writable = segment.IsWritable(at);
  const uintptr_t elsewhere = reinterpret_cast<uintptr_t>(&Ask);
  CHECK(SetImport(module, wanted.slot, elsewhere));
  CHECK(*wanted.slot == elsewhere);
  CHECK(SetImport(module, wanted.slot, before));
  CHECK(*wanted.slot == before);
  CHECK(segment.IsWritable(at) == writable);
}

}  // namespace heapgauge
