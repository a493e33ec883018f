#include "graph/block_map.h"

#include <algorithm>

namespace heapgauge {

bool BlockMap::Add(uintptr_t begin, uint64_t bytes) noexcept {
  if (blocks_.size() + late_.size() >= kNone - 1) return false;
  Block block;
  block.begin = begin;
  block.bytes = bytes;
  stage_ = Stage::kSort;
  const bool in_order =
      blocks_.empty() || (begin > blocks_.end()[-1].begin && begin >= blocks_.end()[-1].end());
  return in_order ? blocks_.Add(block) : late_.Add(block);
}

bool BlockMap::AddUnknown(uintptr_t begin, uint64_t bytes) noexcept {
  const uint32_t found = Find(begin);
  if (found != kNone && (begin == blocks_[found].begin || begin < blocks_[found].end()))
    return true;
  return Add(begin, bytes);
}

void BlockMap::ReturnTo(const Mark& mark) noexcept {
  if (mark.blocks < blocks_.size()) blocks_.Resize(mark.blocks);
  if (mark.late < late_.size()) late_.Resize(mark.late);
}

void BlockMap::Release() noexcept {
  blocks_.Release();
  late_.Release();
  regions_.Release();
  pages_.Release();
  below_ = highest_ = 0;
  stage_ = Stage::kSort;
  next_ = 0;
  no_room_ = false;
}

void BlockMap::StartStage(Stage stage) noexcept {
  stage_ = stage;
  next_ = kept_ = 0;
  if (stage == Stage::kMerge) {
    // The longer one takes in the other.
    if (late_.size() > blocks_.size()) late_.Swap(blocks_);
    next_ = blocks_.size();
    kept_ = next_ + late_.size();
    no_room_ = !blocks_.Resize(kept_);
  }
  if (stage == Stage::kIndex) {
    late_.Release();
    regions_.Clear();
    pages_.Clear();
    next_page_ = 0;
  }
  if (stage == Stage::kDone || no_room_) {
    stage_ = Stage::kDone;
    blocks_.Resize(no_room_ ? 0 : blocks_.size());
    below_ = highest_ = 0;
    if (blocks_.empty()) return;
    below_ = blocks_[0].begin - 1;
    highest_ = blocks_.end()[-1].end() + 1;
  }
}

bool BlockMap::SealStep() noexcept {
  switch (stage_) {
    case Stage::kSort:
      if (late_.empty()) {
        StartStage(Stage::kIndex);
      } else if (next_ == 0) {
        sort_.Begin(late_.data(), late_.size());
        next_ = 1;
      } else if (!sort_.done()) {
        sort_.Step(kStep);
      } else {
        StartStage(Stage::kMerge);
      }
      break;
    case Stage::kMerge:
      Merge();
      break;
    case Stage::kIndex:
      Index();
      break;
    case Stage::kDone:
      break;
  }
  return stage_ != Stage::kDone;
}

// From the end on, into the room behind.
void BlockMap::Merge() noexcept {
  const Before before;
  for (size_t i = 0; i < kStep && next_ < kept_; ++i) {
    const Block& last = late_.end()[-1];
    if (next_ > 0 && before(last, blocks_[next_ - 1])) {
      blocks_[--kept_] = blocks_[--next_];
    } else {
      blocks_[--kept_] = last;
      late_.Resize(late_.size() - 1);
    }
  }
  if (next_ == kept_) StartStage(Stage::kIndex);
}

void BlockMap::Index() noexcept {
  const size_t end = std::min(blocks_.size(), next_ + kStep);
  for (; next_ < end; ++next_) {
    // Of two that overlap the walk that met the second one was wrong about the first, or it is the
    // same twice.
    const Block block = blocks_[next_];
    if (kept_ > 0 && block.begin < blocks_[kept_ - 1].end()) continue;
    if (!AddToIndex(block, static_cast<uint32_t>(kept_))) {
      no_room_ = true;
      return StartStage(Stage::kDone);
    }
    blocks_[kept_++] = block;
  }
  if (next_ < blocks_.size()) return;
  blocks_.Resize(kept_);
  StartStage(Stage::kDone);
}

bool BlockMap::AddToIndex(const Block& block, uint32_t number) noexcept {
  if (block.bytes >= kGap) return regions_.Add({block.begin, block.end() + 1, kLarge, number});
  const bool open = !regions_.empty() && regions_.end()[-1].pages != kLarge;
  if (!open || block.begin - blocks_[number - 1].end() >= kGap) {
    if (!regions_.Add({block.begin, 0, pages_.size(), number})) return false;
    next_page_ = block.begin / kPage * kPage;
  }
  regions_.end()[-1].end = block.end() + 1;
  for (; next_page_ <= block.end(); next_page_ += kPage) {
    if (!pages_.Add(number)) return false;
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
  const Block* first = blocks_.data() + region.first;
  const Block* last = first + 1;
  if (region.pages != kLarge) {
    const size_t page = address / kPage - region.begin / kPage;
    first = blocks_.data() + pages_[region.pages + page];
    last = blocks_.end();
    if ((address / kPage + 1) * kPage < region.end)
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
