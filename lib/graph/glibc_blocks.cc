#include "graph/glibc_blocks.h"

#include <algorithm>
#include <cstring>

#include "graph/glibc_chunk.h"

namespace heapgauge {
namespace {

constexpr uintptr_t kMapUnit = 4096;
constexpr uintptr_t kGrowth = uintptr_t{256} << 20;  // of the main heap, while this looks
constexpr size_t kMostArenas = 1024;
constexpr size_t kMostHeaps = 4096;  // of one arena

struct HeapInfo {  // the begin of it, the same since glibc 2.3
  uint64_t arena;
  uint64_t previous;
  uint64_t size;
};

// Where the main heap ends that this mapping was when the list of mappings was read; 0: it is none.
// It may have grown since: with very many mappings the list takes a while.
uintptr_t MainEnd(const AddressRange& mapping, uintptr_t top, OwnReader& reader) noexcept {
  if (mapping.Holds(top)) return mapping.end;
  if (top < mapping.end || top - mapping.end > kGrowth) return 0;
  uint64_t size = 0;
  if (!reader.Read(top + sizeof(size), sizeof(size), &size)) return 0;
  size &= ~GlibcChunk::kFlags;
  return size != 0 && size <= kGrowth ? top + size : 0;
}

}  // namespace

void GlibcBlocks::Release() noexcept {
  rows_.Release();
  known_.Release();
  heaps_.Release();
  places_.Release();
}

// The record: 64 counts of 16 bits, then as many heads of lists.
bool GlibcBlocks::IsThreadCache(const uint64_t* words, size_t bytes) noexcept {
  constexpr size_t kLists = 64;
  constexpr size_t kBytes = kLists * (sizeof(uint16_t) + sizeof(uint64_t));
  if (bytes < kBytes || bytes > kBytes + GlibcChunk::kAlign) return false;
  uint16_t counts[kLists];
  std::memcpy(counts, words, sizeof(counts));
  const uint64_t* const heads = words + sizeof(counts) / (sizeof(uint64_t));
  for (size_t i = 0; i < kLists; ++i) {
    if ((counts[i] == 0) != (heads[i] == 0)) return false;
  }
  return true;
}

// Heaps other than the main one, newest first.
bool GlibcBlocks::AddHeaps(const GlibcHeap::Place& place, OwnReader& reader) noexcept {
  if (place.top == 0) return true;
  uintptr_t heap = place.top & ~(kHeapAlign - 1);
  uintptr_t top = place.top;
  for (size_t count = 0; heap != 0 && count < kMostHeaps; ++count) {
    HeapInfo info;
    if (!reader.Read(heap, sizeof(info), &info) || info.arena != place.arena ||
        info.size > kHeapAlign) {
      return true;
    }
    const uintptr_t info_bytes = place.arena & (kHeapAlign - 1);
    const bool first = (place.arena & ~(kHeapAlign - 1)) == heap;
    // malloc_state lies behind the first heap's heap_info.
    uintptr_t chunk = first ? place.arena + GlibcHeap::kArenaBytes : heap + info_bytes;
    chunk = (chunk + GlibcChunk::kAlign - 1) & ~(GlibcChunk::kAlign - 1);
    Row row;
    row.begin = heap;
    row.first = chunk;
    row.top = top;
    row.end = heap + info.size;
    row.limit = heap + kHeapAlign;
    row.arena = place.arena;
    if (!rows_.Add(row)) return false;
    if (first) return true;
    top = 0;
    heap = info.previous;
  }
  return true;
}

bool GlibcBlocks::Begin(GlibcHeap& heap, Surroundings& around, OwnReader& reader) noexcept {
  rows_.Clear();
  known_.Clear();
  heaps_.Clear();
  row_ = 0;
  tries_ = 0;
  at_ = 0;
  too_many_ = false;
  if (!places_.Resize(kMostArenas)) return false;
  GlibcHeap::Place* const places = places_.data();
  const size_t count = heap.Places(places, kMostArenas);
  if (count == 0) return false;
  around.main_arena = {places[0].arena, places[0].arena + GlibcHeap::kArenaBytes};
  for (const Mapping& mapping : around.maps()) {
    if (mapping.named || !mapping.writable) continue;
    if (!mapping.is_heap) {
      Row row;
      row.first = mapping.range.begin;
      row.end = mapping.range.end;
      row.mapped = true;
      if (!rows_.Add(row)) return false;
    } else if (const uintptr_t end = MainEnd(mapping.range, places[0].top, reader); end != 0) {
      Row row;
      row.begin = mapping.range.begin;
      row.first = (mapping.range.begin + GlibcChunk::kAlign - 1) & ~(GlibcChunk::kAlign - 1);
      row.top = places[0].top;
      row.end = end;
      row.limit = row.end + kGrowth;
      row.arena = places[0].arena;
      for (const Mapping& other : around.maps()) {
        if (other.range.begin >= row.end) row.limit = std::min(row.limit, other.range.begin);
      }
      if (!rows_.Add(row)) return false;
    }
  }
  for (size_t i = 1; i < count; ++i) {
    if (!AddHeaps(places[i], reader)) return false;
  }
  // What is found in order needs no sorting.
  std::sort(rows_.begin(), rows_.end(),
            [](const Row& a, const Row& b) { return a.first < b.first; });
  return true;
}

// False: a contradiction.
bool GlibcBlocks::Walk(const Row& row, OwnReader& reader, BlockMap& blocks, char* room,
                       size_t room_bytes, bool* ended) noexcept {
  const uintptr_t from = at_;
  const size_t bytes = std::min<size_t>(room_bytes, row.end - from) & ~size_t{7};
  if (bytes < GlibcChunk::kHeader || !reader.Read(from, bytes, room)) return false;
  while (at_ - from + GlibcChunk::kHeader <= bytes) {
    uint64_t word;
    std::memcpy(&word, room + (at_ - from) + 8, sizeof(word));
    const uint64_t size = word & ~GlibcChunk::kFlags;
    if (before_ != 0 && (word & GlibcChunk::kBeforeInUse) != 0 &&
        !blocks.Add(before_ + GlibcChunk::kHeader, at_ - before_ - 8)) {
      too_many_ = true;
      *ended = true;
      return true;
    }
    if (at_ == row.top) {
      *ended = true;
      return true;
    }
    if (row.top == 0 &&
        (size == GlibcChunk::kAlign || size == 0)) {  // the end of a heap that is full
      *ended = true;
      return true;
    }
    if (row.top != 0 && at_ + size > row.top && at_ + size == row.end) {
      *ended = true;  // the top has taken in what was before it
      return true;
    }
    if (size < GlibcChunk::kLeast || size % GlibcChunk::kAlign != 0 ||
        (word & GlibcChunk::kMapped) != 0 || size > row.end - at_ ||
        (row.top != 0 && at_ + size > row.top)) {
      return false;
    }
    before_ = at_;
    at_ += size;
  }
  return true;
}

// Whole pages each; what follows is somebody else's.
bool GlibcBlocks::WalkMapped(const Row& row, OwnReader& reader, BlockMap& blocks) noexcept {
  for (uintptr_t at = row.first; at + kMapUnit <= row.end;) {
    uint64_t header[2];
    if (!reader.Read(at, sizeof(header), header)) return true;
    const uint64_t size = header[1] & ~GlibcChunk::kFlags;
    // The bytes before an aligned chunk are counted in the first word.
    if ((header[1] & GlibcChunk::kFlags) != GlibcChunk::kMapped || header[0] != 0 ||
        size % kMapUnit != 0 || size == 0 || size > row.end - at) {
      return true;
    }
    if (!blocks.Add(at + GlibcChunk::kHeader, size - GlibcChunk::kHeader)) return false;
    at += size;
  }
  return true;
}

bool GlibcBlocks::Step(OwnReader& reader, BlockMap& blocks, char* room,
                       size_t room_bytes) noexcept {
  if (row_ == rows_.size() || too_many_) return false;
  const Row& row = rows_[row_];
  if (row.mapped) {
    too_many_ = !WalkMapped(row, reader, blocks);
    return ++row_ < rows_.size() && !too_many_;
  }
  if (at_ == 0) {
    at_ = row.first;
    before_ = 0;
    mark_ = blocks.mark();
  }
  bool ended = false;
  if (!Walk(row, reader, blocks, room, room_bytes, &ended)) {
    blocks.ReturnTo(mark_);
    at_ = 0;
    if (++tries_ < kTries) return true;
    ended = true;  // W1
  } else if (ended && (!known_.Add({row.begin, row.end}) ||
                       !heaps_.Add({row.first, at_, at_, at_, row.limit, row.arena}))) {
    too_many_ = true;
  }
  if (ended) {
    ++row_;
    at_ = 0;
    tries_ = 0;
  }
  return row_ < rows_.size() && !too_many_;
}

void GlibcBlocks::FindTops(GlibcHeap& heap) noexcept {
  const size_t count = heap.Places(places_.data(), kMostArenas);
  for (Heap& one : heaps_) {
    for (size_t i = 0; i < count; ++i) {
      const GlibcHeap::Place& place = places_[i];
      if (place.arena == one.arena && place.top >= one.walked && place.top < one.limit)
        one.top = place.top;
    }
  }
}

}  // namespace heapgauge
