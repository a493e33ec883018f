#include "graph/block_map.h"

#include <algorithm>

namespace heapgauge {

bool BlockMap::Add(uintptr_t begin, uint64_t bytes) noexcept {
  if (blocks_.size() >= kNone - 1) return false;
  Block block;
  block.begin = begin;
  block.bytes = bytes;
  return blocks_.Add(block);
}

void BlockMap::ShrinkTo(size_t count) noexcept {
  if (count < blocks_.size()) blocks_.Resize(count);
}

void BlockMap::Release() noexcept {
  blocks_.Release();
  regions_.Release();
  pages_.Release();
  below_ = highest_ = 0;
}

bool BlockMap::Seal() noexcept {
  const auto before = [](const Block& a, const Block& b) {
    return a.begin < b.begin || (a.begin == b.begin && a.bytes > b.bytes);
  };
  if (!std::is_sorted(blocks_.begin(), blocks_.end(), before)) {
    std::sort(blocks_.begin(), blocks_.end(), before);
  }
  // Of two that overlap the walk that met the second one was wrong about the first, or it is the
  // same twice.
  size_t kept = 0;
  for (size_t i = 0; i < blocks_.size(); ++i) {
    if (kept > 0 && blocks_[i].begin < blocks_[kept - 1].end()) continue;
    blocks_[kept++] = blocks_[i];
  }
  blocks_.Resize(kept);
  regions_.Clear();
  pages_.Clear();
  below_ = highest_ = 0;
  if (kept == 0) return true;
  below_ = blocks_[0].begin - 1;
  highest_ = blocks_[kept - 1].end() + 1;
  for (size_t i = 0; i < kept;) {
    size_t end = i + 1;
    while (end < kept && blocks_[end].begin - blocks_[end - 1].end() < kGap) ++end;
    Region region;
    region.begin = blocks_[i].begin / kPage * kPage;
    region.end = blocks_[end - 1].end() + 1;
    region.pages = pages_.size();
    const size_t count = (region.end - region.begin + kPage - 1) / kPage;
    if (!pages_.Resize(region.pages + count) || !regions_.Add(region)) return false;
    size_t first = i;
    for (size_t page = 0; page < count; ++page) {
      const uintptr_t begin = region.begin + page * kPage;
      while (first + 1 < end && blocks_[first].end() < begin) ++first;
      pages_[region.pages + page] = static_cast<uint32_t>(first);
    }
    i = end;
  }
  return true;
}

uint32_t BlockMap::Find(uintptr_t address) const noexcept {
  if (IsOutside(address)) return kNone;
  const Region* const after =
      std::upper_bound(regions_.begin(), regions_.end(), address,
                       [](uintptr_t at, const Region& region) { return at < region.begin; });
  if (after == regions_.begin()) return kNone;
  const Region& region = after[-1];
  if (address >= region.end) return kNone;
  // B2: the last block that begins at or before the address.
  const size_t page = (address - region.begin) / kPage;
  const Block* const first = blocks_.data() + pages_[region.pages + page];
  const Block* last = blocks_.end();
  if (region.begin + (page + 1) * kPage < region.end) {
    last = std::min(last, blocks_.data() + pages_[region.pages + page + 1] + 1);
  }
  const Block* const next = std::upper_bound(
      first, last, address, [](uintptr_t at, const Block& block) { return at < block.begin; });
  if (next == first) return kNone;
  const uintptr_t at_end = next[-1].end();
  const bool is_in = address < at_end || (address == at_end && at_end % kPage != 0);
  return is_in ? static_cast<uint32_t>(next - 1 - blocks_.data()) : kNone;
}

size_t BlockMap::FirstBehind(uintptr_t address) const noexcept {
  const Block* const found =
      std::upper_bound(blocks_.begin(), blocks_.end(), address,
                       [](uintptr_t at, const Block& block) { return at < block.end(); });
  return static_cast<size_t>(found - blocks_.data());
}

}  // namespace heapgauge
