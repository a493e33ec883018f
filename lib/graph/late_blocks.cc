// Blocks that were given out after the blocks of the heap were walked (holder_search.h): behind what
// was the last chunk then, or out of a chunk that was free.
#include "graph/glibc_chunk.h"
#include "graph/holder_search.h"

namespace heapgauge {
namespace {

// How far before an address a block's begin is looked for, and how many chunks of what was one.
constexpr uintptr_t kMostInside = 8192;
constexpr int kMostOfOne = 64;
constexpr uint64_t kSpread = 0x9E3779B97F4A7C15;  // the golden ratio's, as hashes take it

}  // namespace

// The size of a chunk that ends at or before `end`; 0: there is none.
uint64_t HolderSearch::ChunkAt(uintptr_t chunk, uintptr_t end, bool* in_use) noexcept {
  uint64_t own = 0;
  uint64_t next = 0;
  const uintptr_t at = chunk + sizeof(own);
  if (!reader_.Read(at, sizeof(own), &own)) {
    reader_.Forget(at);
    if (!reader_.Read(at, sizeof(own), &own)) return 0;
  }
  const uint64_t size = own & ~GlibcChunk::kFlags;
  if (size < GlibcChunk::kLeast || size % GlibcChunk::kAlign != 0 ||
      (own & GlibcChunk::kMapped) != 0 || size > end - chunk)
    return 0;
  if (!reader_.Read(at + size, sizeof(next), &next)) {
    reader_.Forget(at + size);
    if (!reader_.Read(at + size, sizeof(next), &next)) return 0;
  }
  *in_use = (next & GlibcChunk::kBeforeInUse) != 0;
  return size;
}

// By its begin; kNone: not known.
uint32_t HolderSearch::FindLate(uintptr_t begin) noexcept {
  for (size_t slot = (begin * kSpread) >> 40;; ++slot) {
    const uint32_t number = late_at_[slot % late_at_.size()];
    if (number == 0) return BlockMap::kNone;
    if (late_[number - 1].begin == begin) return (number - 1) | kLate;
  }
}

uint32_t HolderSearch::AddLate(uintptr_t begin, uint64_t bytes) noexcept {
  Block block;
  block.begin = begin;
  block.bytes = bytes;
  if (late_.size() == kMostLate || !late_.Add(block)) {
    too_late_ = true;
    return BlockMap::kNone;
  }
  size_t slot = (begin * kSpread) >> 40;
  while (late_at_[slot % late_at_.size()] != 0) ++slot;
  late_at_[slot % late_at_.size()] = static_cast<uint32_t>(late_.size());
  return static_cast<uint32_t>(late_.size() - 1) | kLate;
}

uint32_t HolderSearch::LateBlockAt(uintptr_t address) noexcept {
  GlibcBlocks::Heap* heap = nullptr;
  for (GlibcBlocks::Heap& one : chunks_.heaps()) {
    if (address >= one.first + GlibcChunk::kHeader && address < one.limit) heap = &one;
  }
  if (heap == nullptr) return BlockMap::kNone;
  if (late_at_.empty() && !late_at_.Resize(2 * kMostLate)) {
    too_late_ = true;
    return BlockMap::kNone;
  }
  return address < heap->last + GlibcChunk::kHeader ? InFreeChunk(*heap, address)
                                                    : BehindTop(*heap, address);
}

// What lies between two blocks was one free chunk, and may be several by now.
uint32_t HolderSearch::InFreeChunk(const GlibcBlocks::Heap& heap, uintptr_t address) noexcept {
  const size_t next = blocks_.FirstBehind(address);
  uintptr_t end = heap.last;
  if (next < blocks_.size() && blocks_[static_cast<uint32_t>(next)].begin < heap.last)
    end = blocks_[static_cast<uint32_t>(next)].begin - GlibcChunk::kHeader;
  uintptr_t chunk = heap.first;
  if (next > 0 && blocks_[static_cast<uint32_t>(next - 1)].begin >= heap.first)
    chunk = blocks_[static_cast<uint32_t>(next - 1)].begin -
            GlibcChunk::kHeader;  // whose header tells its size
  for (int i = 0; i < kMostOfOne && chunk + GlibcChunk::kHeader <= address; ++i) {
    bool in_use = false;
    const uint64_t size = ChunkAt(chunk, end, &in_use);
    if (size == 0) break;
    if (address < chunk + size + sizeof(uint64_t)) {
      if (!in_use) break;
      const uint32_t known = FindLate(chunk + GlibcChunk::kHeader);
      return known != BlockMap::kNone
                 ? known
                 : AddLate(chunk + GlibcChunk::kHeader, size - sizeof(uint64_t));
    }
    chunk += size;
  }
  return BlockMap::kNone;
}

// Chunks are walked as far as the address, and no farther: those before it were given out before it
// was, so that their headers are written.
uint32_t HolderSearch::BehindTop(GlibcBlocks::Heap& heap, uintptr_t address) noexcept {
  if (address >= heap.top && top_looks_ < kMostTopLooks) {
    chunks_.FindTops(glibc_);
    ++top_looks_;
  }
  while (heap.walked < heap.top && heap.walked + GlibcChunk::kHeader <= address) {
    bool in_use = false;
    const uint64_t size = ChunkAt(heap.walked, heap.top, &in_use);
    if (size == 0) return BlockMap::kNone;
    if (in_use) AddLate(heap.walked + GlibcChunk::kHeader, size - sizeof(uint64_t));
    heap.walked += size;
  }
  if (address >= heap.walked + GlibcChunk::kHeader) return BlockMap::kNone;
  for (uintptr_t begin = address / GlibcChunk::kAlign * GlibcChunk::kAlign;
       address - begin < kMostInside; begin -= GlibcChunk::kAlign) {
    const uint32_t found = FindLate(begin);
    if (found != BlockMap::kNone) return address <= At(found).end() ? found : BlockMap::kNone;
  }
  return BlockMap::kNone;
}

void HolderSearch::ReachLate(uintptr_t address, const Hit* hit, uint32_t from,
                             uint32_t depth) noexcept {
  // Where not all blocks are known, unknown memory is looked through for what leads on.  At the end
  // of the process no block comes.
  if (!whole_ || at_end_) return;
  const uint32_t found = LateBlockAt(address);
  if (found == BlockMap::kNone || At(found).reached != 0) return;
  reader_.Forget(At(found).begin);
  reader_.Forget(address);
  Reached(found, hit, from, depth);
}

}  // namespace heapgauge
