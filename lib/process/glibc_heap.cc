#include "process/glibc_heap.h"

#include <algorithm>
#include <array>

namespace heapgauge {
namespace {

constexpr size_t kWord = 8;
constexpr size_t kFastBins = 10;
constexpr size_t kBins = 127;
constexpr size_t kBinsAt = 112;  // of malloc_state; behind the mutex, flags, fast bins and two more
constexpr size_t kHeaderWords = 2;
constexpr size_t kLeastChunk = 32;
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
  void Count(const PipeCopy& copy, uintptr_t base, size_t& chunks_left,
             Figures& figures) const noexcept;
  bool IsOne(uintptr_t base) const noexcept {
    size_t empty = 0;
    for (size_t bin = 0; bin < kBins; ++bin) {
      const uint64_t first = bins[2 * bin];
      const uint64_t last = bins[2 * bin + 1];
      if (first == Head(base, bin) && last == first) {
        ++empty;
      } else if (!Plausible(first) || !Plausible(last)) {
        return false;
      }
    }
    return empty >= kBins / 8 && Plausible(top) && threads < kMostThreads &&
           system_bytes <= most_bytes;
  }
};

bool GlibcHeap::Arena::Read(const PipeCopy& copy, uintptr_t base) noexcept {
  return base >= kWord && copy.Copy(this, base + kAt, sizeof(*this)) && IsOne(base);
}

bool GlibcHeap::FindMain(const PipeCopy& copy) noexcept {
  if (main_ != 0) return true;
  for (uintptr_t page = data_begin_; page < data_end_; page += PipeCopy::kMostBytes - kWord) {
    // Two words of an empty list of many: the last bins hold what is larger than half a megabyte.
    std::array<uint64_t, PipeCopy::kMostBytes / kWord> words;
    const size_t bytes = std::min<size_t>(sizeof(words), data_end_ - page);
    if (bytes < 2 * kWord || !copy.Copy(words.data(), page, bytes)) continue;
    for (size_t i = 0; i + 1 < bytes / kWord; ++i) {
      if (words[i] != words[i + 1] || words[i] != page + i * kWord - kHeaderWords * kWord) continue;
      for (size_t bin = 0; bin < kBins; ++bin) {
        const uintptr_t base = page + i * kWord - 2 * kWord * bin - kBinsAt;
        Arena arena;
        if (base < data_begin_ || !arena.Read(copy, base)) continue;
        main_ = base;
        return true;
      }
    }
  }
  return false;
}

void GlibcHeap::Arena::Count(const PipeCopy& copy, uintptr_t base, size_t& chunks_left,
                             Figures& figures) const noexcept {
  uint64_t header[kHeaderWords] = {};
  uint64_t sum = 0;
  if (top != Head(base, 0)) {  // else it has none yet
    const bool read = copy.Copy(header, top, sizeof(header));
    const uint64_t bytes = header[1] & ~kFlags;
    if (read && bytes <= system_bytes) {
      sum = bytes;
    } else {
      figures.whole = false;
    }
  }
  std::array<Cursor, kBins + kFastBins> cursors;
  size_t running = 0;
  for (size_t bin = 0; bin < kBins; ++bin) {
    const uintptr_t head = Head(base, bin);
    if (bins[2 * bin] != head) cursors[running++] = {bins[2 * bin], head, head, 0, 0};
  }
  for (size_t bin = 0; bin < kFastBins; ++bin) {
    if (Plausible(fast[bin])) cursors[running++] = {fast[bin], 0, 0, kLeastChunk + 16 * bin, 0};
  }
  // All lists go one step at a time, so that the kernel is asked once for all of them.
  while (running > 0) {
    if (chunks_left < running) {
      figures.whole = false;
      for (size_t i = 0; i < running; ++i) sum += cursors[i].sum;
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

std::optional<GlibcHeap::Figures> GlibcHeap::Read() noexcept {
  const PipeCopy copy;
  if (!copy.valid() || !FindMain(copy)) return std::nullopt;
  Figures figures;
  size_t chunks_left = kMostChunks;
  uintptr_t base = main_;
  do {
    Arena arena;
    Figures best;
    best.whole = false;
    for (int i = 0; i < kTries && !best.whole; ++i) {
      if (!arena.Read(copy, base)) break;
      Figures now;
      now.system_bytes = arena.system_bytes;
      arena.Count(copy, base, chunks_left, now);
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
  if (figures.system_bytes == 0 && !figures.whole) return std::nullopt;
  return figures;
}

}  // namespace heapgauge
