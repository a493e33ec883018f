// Labels of the live heap: interned sets of "key=value", the context of threads, calls and paths.
//
// One for the process, never destroyed.  Behind heapgauge.h's calls, so any thread of the program;
// and inside hooks for Of().  No lock, no allocation from the watched heap.
//
// A label is a key and a value; a set has one label for each of its keys, at most kMostOfSet.  Both
// are small numbers (text_table.h), 0 is none.  A thread's set is in its state and kept with each
// sample; blocks that are not sampled pay nothing.
//
// B1  Where a label or a set finds no room its value is "other": memory is bounded whatever the
//     program puts into labels.
// B2  Which set follows from a set and a label is remembered in one word, so that a hit is read
//     whole or not at all.
#ifndef HEAPGAUGE_LABELS_LABELS_H_
#define HEAPGAUGE_LABELS_LABELS_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/atomic.h"
#include "base/macros.h"
#include "base/page_arena.h"
#include "core_api/core_api.h"
#include "labels/call_path.h"
#include "labels/circle_book.h"
#include "labels/text_table.h"

namespace heapgauge {

class Labels final {
 public:
  static constexpr size_t kKeyBytes = 64;
  static constexpr size_t kValueBytes = 256;  // what is longer is cut
  static constexpr size_t kMostOfSet = 16;
  static constexpr uint32_t kMostKeys = 254;
  static constexpr uint32_t kMostLabels = 16384;
  static constexpr uint32_t kMostSets = 32768;
  static constexpr uint32_t kMostPaths = 4096;
  static constexpr uint32_t kMostTurns = 1024;
  static constexpr std::string_view kPeerKey = "peer";
  static constexpr std::string_view kCircleKey = "circle";
  static constexpr std::string_view kOther = "other";

  static constexpr Labels& Get() noexcept { return instance_; }

  constexpr Labels() noexcept = default;
  Labels(const Labels&) = delete;
  Labels& operator=(const Labels&) = delete;

  // At most a sixteenth of `memory_limit_bytes` is taken of the arena.
  void Initialize(PageArena& arena, size_t memory_limit_bytes) noexcept;
  // This process's name among services, a text that stays.  Before other threads may ask.
  void SetService(const char* service) noexcept { service_ = service; }

  // 0: the key is empty.
  uint16_t Label(const char* key, const char* value) noexcept;
  uint16_t Label(std::string_view key, std::string_view value) noexcept;
  // Of an attribute that the program publishes under a key's number (thread_context.h); what the
  // number stands for is not known yet.
  uint16_t Published(unsigned char number, std::string_view value) noexcept {
    const char key[] = {kPublishedMark, static_cast<char>(number)};
    return Label(std::string_view(key, sizeof key), value);
  }
  // What a number stands for, from now on.  Report thread; a forked child still knows it.
  void NamePublished(unsigned char number, std::string_view name) noexcept {
    // relaxed: a number of keys_, which are valid wherever they get (X2).
    published_names_[number].store(keys_.Intern(name.substr(0, kKeyBytes)),
                                   std::memory_order_relaxed);
  }
  // Empty: not known.
  std::string_view NameOfPublished(int number) const noexcept {
    if (number < 0 || number >= static_cast<int>(published_names_.size())) return {};
    // relaxed: as above.
    return keys_.At(published_names_[static_cast<size_t>(number)].load(std::memory_order_relaxed));
  }
  // The set `set` with `label`, which takes the place of one of the same key.
  HG_ALWAYS_INLINE uint16_t With(uint16_t set, uint16_t label) noexcept {
    const uint32_t asked = (uint32_t{set} << 16) | label;
    const Step& step = steps_[StepOf(asked)];
    const uint64_t known = step.load(std::memory_order_relaxed);  // relaxed: B2
    if (HG_LIKELY(static_cast<uint32_t>(known >> 32) == asked)) return static_cast<uint16_t>(known);
    return SlowWith(set, label);
  }

  heapgauge_scope Push(ThreadState& self, uint32_t label) noexcept;
  heapgauge_scope BeginCall(ThreadState& self, const char* peer) noexcept;
  heapgauge_scope AcceptCall(ThreadState& self, const char* baggage, int* depth) noexcept;
  // The length of `baggage` with our member; `room` or more: `out` is empty.
  size_t CallBaggage(const ThreadState& self, const char* baggage, char* out,
                     size_t room) const noexcept;

  // Reading, for reports.
  // As paths have it.  Made each time: most processes are never asked.
  ServiceName Service() const noexcept;
  bool InUse() const noexcept { return sets_.last() != 0; }
  uint32_t last_set() const noexcept { return sets_.last(); }
  // The labels of a set, by key.
  template <typename Visit>
  void ForEachOf(uint16_t set, const Visit& visit) const {
    const std::string_view members = sets_.At(set);
    for (size_t i = 0; i + 1 < members.size(); i += 2) visit(MemberAt(members, i));
  }
  std::string_view KeyOf(uint16_t label) const noexcept;
  // The number that stands for the key; negative: the key is a name.
  int PublishedNumber(uint16_t label) const noexcept {
    const std::string_view key = KeyOf(label);
    const bool published = key.size() == 2 && key[0] == kPublishedMark;
    return published ? static_cast<unsigned char>(key[1]) : -1;
  }
  std::string_view ValueOf(uint16_t label) const noexcept;
  CircleBook& circles() noexcept { return circles_; }
  // Labels and sets that became "other".
  uint64_t lost() const noexcept {
    return lost_.load(std::memory_order_relaxed);  // relaxed: a figure
  }

 private:
  using Step = Atomic<uint64_t>;
  static constexpr unsigned kStepBits = 12;
  static constexpr char kPublishedMark = '\0';  // no key of a program's begins with it

  static Labels instance_;

  static size_t StepOf(uint32_t asked) noexcept {
    return (asked * 0x9E3779B1U) >> (32 - kStepBits);
  }
  static uint16_t MemberAt(std::string_view members, size_t at) noexcept {
    return static_cast<uint16_t>(static_cast<unsigned char>(members[at]) |
                                 (static_cast<unsigned char>(members[at + 1]) << 8));
  }
  HG_COLD uint16_t SlowWith(uint16_t set, uint16_t label) noexcept;
  uint16_t MakeSet(uint16_t set, uint16_t label) noexcept;
  uint16_t LabelOther() noexcept;
  unsigned char KeyIndex(uint16_t label) const noexcept;
  void CountLost() noexcept { lost_.fetch_add(1, std::memory_order_relaxed); }  // relaxed: a figure
  // What a request that has begun a further turn is labelled with.
  uint16_t CircleLabel(const CallPath& path, const CallPath::Turn& turn) noexcept;
  static constexpr uint16_t kTurn = 0x8000;  // of a path's number: it is in turns_
  uint16_t KeepPath(const CallPath& path, std::string_view own, size_t before) noexcept;
  const TextTable& TableOf(uint16_t path) const noexcept {
    return (path & kTurn) != 0 ? turns_ : paths_;
  }
  std::string_view PathAt(uint16_t path) const noexcept {
    return TableOf(path).At(static_cast<uint16_t>(path & ~kTurn));
  }
  uint16_t TurnsAt(uint16_t path) const noexcept {
    return TableOf(path).NoteAt(static_cast<uint16_t>(path & ~kTurn));
  }
  // The services passed, this one included; `own` is used where there are no others.
  std::string_view PathOf(const ThreadState& self, ServiceName* own) const noexcept;

  std::array<Atomic<uint16_t>, 256> published_names_{};
  TextTable keys_;
  TextTable labels_;  // a key's index in one byte, then the value
  TextTable sets_;    // labels in two bytes each, by key
  // With our own name at the end; the note is how often it is there before.  Those with our name
  // before find room, its end from there on, when foreign names have used up what there is.
  TextTable paths_;
  TextTable turns_;
  CircleBook circles_;
  const char* service_ = nullptr;
  Atomic<uint64_t> lost_{0};
  std::array<Step, size_t{1} << kStepBits> steps_{};
};

}  // namespace heapgauge

#endif  // HEAPGAUGE_LABELS_LABELS_H_
