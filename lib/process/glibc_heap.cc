#include "process/glibc_heap.h"

#include <algorithm>
#include <array>
#include <cstddef>

#include "base/clock.h"

namespace heapgauge {
namespace {

constexpr size_t kWord = 8;
constexpr size_t kFastBins = 10;
constexpr size_t kBins = 127;
constexpr size_t kBinsAt = 112;  // of malloc_state; behind the mutex, flags, fast bins and two more
constexpr size_t kHeaderWords = 2;
constexpr size_t kLeastChunk = 32;
constexpr size_t kPage = 4096;
constexpr uint64_t kFlags = 7;
constexpr uint64_t kMostThreads = 1 << 24;
constexpr int kTries = 3;
constexpr size_t kAtATime = PipeCopy::kMostBytes / 32;  // chunks

static_assert(sizeof(void*) == kWord);

// prev_size, size, and the two pointers of a free chunk.
using Chunk = std::array<uint64_t, 4>;
static_assert(sizeof(Chunk) * kAtATime == PipeCopy::kMostBytes &&
              kAtATime <= PipeCopy::kMostPlaces);

bool Plausible(uintptr_t chunk) noexcept { return chunk >= 4096 && chunk % 16 == 0; }

// One list on its way.
struct Cursor {
  uintptr_t at = 0;      // the chunk that is read next
  uintptr_t before = 0;  // what its back pointer must say; fast lists have none
  uintptr_t head = 0;    // where the list ends; 0 for fast lists
  uint64_t fast_bytes = 0;
  uint64_t sum = 0;
  uint32_t list = 0;
};

enum class Step : uint8_t { kOn, kEnd, kBroken };

Step Follow(const Chunk& chunk, uint64_t most, Cursor& cursor) noexcept {
  const uint64_t bytes = chunk[1] & ~kFlags;
  if (bytes < kLeastChunk || bytes % 16 != 0 || bytes > most - cursor.sum) return Step::kBroken;
  if (cursor.head == 0) {
    if (bytes != cursor.fast_bytes) return Step::kBroken;
    cursor.sum += bytes;
    // From glibc 2.32 on the pointer is mixed with its own address; before, it is plain.
    const uint64_t mixed = chunk[2] ^ ((cursor.at + kHeaderWords * kWord) >> 12);
    if (chunk[2] == 0 || mixed == 0) return Step::kEnd;
    cursor.at = Plausible(mixed) ? mixed : chunk[2];
    return Plausible(cursor.at) ? Step::kOn : Step::kBroken;
  }
  if (chunk[3] != cursor.before) return Step::kBroken;
  cursor.sum += bytes;
  cursor.before = cursor.at;
  cursor.at = chunk[2];
  if (cursor.at == cursor.head) return Step::kEnd;
  return Plausible(cursor.at) ? Step::kOn : Step::kBroken;
}

}  // namespace

// From the fast bins on.
struct GlibcHeap::Arena {
  std::array<uint64_t, kFastBins> fast;
  uint64_t top;
  uint64_t last_remainder;
  std::array<uint64_t, 2 * kBins> bins;
  std::array<uint64_t, 2> map;
  uint64_t next;
  uint64_t next_free;
  uint64_t threads;
  uint64_t system_bytes;
  uint64_t most_bytes;

  static constexpr size_t kAt = kBinsAt - (kFastBins + 2) * kWord;

  // A list's head is a chunk whose pointers are the two words of its bin.
  static uintptr_t Head(uintptr_t base, size_t bin) noexcept {
    return base + kBinsAt + 2 * kWord * bin - kHeaderWords * kWord;
  }

  bool Read(const PipeCopy& copy, uintptr_t base) noexcept;
  // Whether `top` still was the top when its header was read, and ends where a top does.
  bool IsTop(const PipeCopy& copy, uintptr_t base, uint64_t bytes) const noexcept {
    uintptr_t now = 0;
    return bytes >= kLeastChunk && (top + bytes) % kPage == 0 &&
           copy.Copy(&now, base + kAt + offsetof(Arena, top), sizeof(now)) && now == top;
  }
  void Count(const PipeCopy& copy, uintptr_t base, size_t& chunks_left, Figures& figures,
             FreeRanges& ranges) const noexcept;
  // Whether the arenas, from `base` on, lead back to it.  An arena that is taken for one some bins
  // before or behind its place looks like one otherwise, while lists stand there that are in use.
  bool IsInCircle(const PipeCopy& copy, uintptr_t base) const noexcept {
    uintptr_t at = next;
    for (size_t i = 0; i < kMostArenas && at != base; ++i) {
      const uintptr_t here = at;
      if (!Plausible(here) || !copy.Copy(&at, here + kAt + offsetof(Arena, next), sizeof(at))) {
        return false;
      }
    }
    return at == base;
  }
  // malloc puts nothing into the last of its lists; of all others each may be in use.
  bool IsOne(uintptr_t base) const noexcept {
    const uintptr_t last = Head(base, kBins - 1);
    if (bins[2 * kBins - 2] != last || bins[2 * kBins - 1] != last) return false;
    return std::all_of(bins.begin(), bins.end(), Plausible) && Plausible(top) &&
           threads < kMostThreads && system_bytes <= most_bytes;
  }
};

bool GlibcHeap::Arena::Read(const PipeCopy& copy, uintptr_t base) noexcept {
  return base >= kWord && copy.Copy(this, base + kAt, sizeof(*this)) && IsOne(base);
}

bool GlibcHeap::FindMain(const PipeCopy& copy) noexcept {
  if (main_ != 0) return true;
  for (uintptr_t page = data_begin_; page < data_end_; page += PipeCopy::kMostBytes - kWord) {
    std::array<uint64_t, PipeCopy::kMostBytes / kWord> words;
    const size_t bytes = std::min<size_t>(sizeof(words), data_end_ - page);
    if (bytes < 2 * kWord || !copy.Copy(words.data(), page, bytes)) continue;
    for (size_t i = 0; i + 1 < bytes / kWord; ++i) {
      // Two words of an empty list, perhaps of the last one.
      if (words[i] != words[i + 1] || words[i] != page + i * kWord - kHeaderWords * kWord) continue;
      const uintptr_t base = page + i * kWord - 2 * kWord * (kBins - 1) - kBinsAt;
      Arena arena;
      if (base < data_begin_ || !arena.Read(copy, base)) continue;
      if (!arena.IsInCircle(copy, base)) continue;
      main_ = base;
      return true;
    }
  }
  return false;
}

void GlibcHeap::Arena::Count(const PipeCopy& copy, uintptr_t base, size_t& chunks_left,
                             Figures& figures, FreeRanges& ranges) const noexcept {
  const size_t mark = ranges.mark();
  uint64_t header[kHeaderWords] = {};
  uint64_t sum = 0;
  if (top != Head(base, 0)) {  // else it has none yet
    const bool read = copy.Copy(header, top, sizeof(header));
    const uint64_t bytes = header[1] & ~kFlags;
    if (read && bytes <= system_bytes) {
      sum = bytes;
      if (IsTop(copy, base, bytes)) ranges.Add(top, bytes, kBins + kFastBins);
    } else {
      figures.whole = false;
    }
  }
  std::array<Cursor, kBins + kFastBins> cursors;
  size_t running = 0;
  for (size_t bin = 0; bin < kBins; ++bin) {
    const uintptr_t head = Head(base, bin);
    if (bins[2 * bin] != head) {
      cursors[running] = {bins[2 * bin], head, head, 0, 0, static_cast<uint32_t>(running)};
      ++running;
    }
  }
  for (size_t bin = 0; bin < kFastBins; ++bin) {
    if (Plausible(fast[bin])) {
      const auto list = static_cast<uint32_t>(running);
      cursors[running++] = {fast[bin], 0, 0, kLeastChunk + 16 * bin, 0, list};
    }
  }
  // All lists go one step at a time, so that the kernel is asked once for all of them.
  while (running > 0) {
    if (chunks_left < running) {
      figures.whole = false;
      for (size_t i = 0; i < running; ++i) {
        sum += cursors[i].sum;
        ranges.TakeBack(mark, cursors[i].list);
      }
      break;
    }
    chunks_left -= running;
    std::array<Chunk, kBins + kFastBins> chunks;
    std::array<uintptr_t, kBins + kFastBins> from;
    for (size_t i = 0; i < running; ++i) from[i] = cursors[i].at;
    std::array<bool, kBins + kFastBins> read{};
    for (size_t i = 0; i < running; i += kAtATime) {
      copy.Copy(&chunks[i], &from[i], std::min(kAtATime, running - i), sizeof(Chunk), &read[i]);
    }
    size_t left = 0;
    for (size_t i = 0; i < running; ++i) {
      Cursor cursor = cursors[i];
      const Step step = read[i] ? Follow(chunks[i], system_bytes, cursor) : Step::kBroken;
      if (step == Step::kBroken) {
        ranges.TakeBack(mark, cursor.list);
      } else {
        ranges.Add(cursors[i].at, chunks[i][1] & ~kFlags, cursor.list);
      }
      if (step == Step::kOn) {
        cursors[left++] = cursor;
        continue;
      }
      sum += cursor.sum;
      figures.whole = figures.whole && step == Step::kEnd;
    }
    running = left;
  }
  figures.free_bytes += std::min(sum, system_bytes);
}

std::optional<uint64_t> GlibcHeap::SystemBytes() noexcept {
  const PipeCopy copy;
  if (!copy.valid() || !FindMain(copy)) return std::nullopt;
  uint64_t sum = 0;
  uintptr_t base = main_;
  for (size_t arenas = 0; arenas < kMostArenas; ++arenas) {
    Arena arena;
    if (!arena.Read(copy, base)) break;
    sum += arena.system_bytes;
    base = arena.next;
    if (base == main_) break;
  }
  if (sum == 0) return std::nullopt;
  return sum;
}

std::optional<GlibcHeap::Figures> GlibcHeap::Read() noexcept {
  const PipeCopy copy;
  if (!copy.valid() || !FindMain(copy)) return std::nullopt;
  free_ranges_.Begin(MonotonicNs());
  Figures figures;
  size_t chunks_left = kMostChunks;
  uintptr_t base = main_;
  do {
    Arena arena;
    Figures best;
    best.whole = false;
    const size_t mark = free_ranges_.mark();
    for (int i = 0; i < kTries && !best.whole; ++i) {
      if (!arena.Read(copy, base)) break;
      Figures now;
      now.system_bytes = arena.system_bytes;
      free_ranges_.TakeBackAll(mark);
      arena.Count(copy, base, chunks_left, now, free_ranges_);
      if (now.whole || now.free_bytes >= best.free_bytes) best = now;
    }
    if (best.system_bytes == 0 && !best.whole) {  // no arena, or one that is damaged itself
      figures.whole = false;
      break;
    }
    figures.system_bytes += best.system_bytes;
    figures.free_bytes += best.free_bytes;
    figures.whole = figures.whole && best.whole;
    base = arena.next;
  } while (base != main_ && ++figures.arenas < kMostArenas);
  free_ranges_.End();
  if (figures.system_bytes == 0 && !figures.whole) return std::nullopt;
  return figures;
}

size_t GlibcHeap::Places(Place* places, size_t room) noexcept {
  const PipeCopy copy;
  if (!copy.valid() || !FindMain(copy)) return 0;
  size_t count = 0;
  uintptr_t base = main_;
  do {
    Arena arena;
    if (count == room || !arena.Read(copy, base)) break;
    const bool has_top = arena.top != Arena::Head(base, 0);
    places[count++] = {base, has_top ? arena.top : 0, arena.system_bytes};
    base = arena.next;
  } while (base != main_);
  return count;
}

}  // namespace heapgauge
