// What a look has found (holder_search.h).
#include <algorithm>

#include "graph/holder_search.h"

namespace heapgauge {

// Not by HolderOf(), which goes all the way back: for each block of a long list that takes for ever.
bool HolderSearch::IsLost(uintptr_t address) const noexcept {
  const uint32_t found = failed_ ? BlockMap::kNone : blocks_.Find(address);
  return found != BlockMap::kNone && blocks_[found].begin == address &&
         blocks_[found].reached == 0 && AllRead();
}

// nullptr: they are not kept, or there is no room.
uint32_t* HolderSearch::KnownHit(uint32_t number) noexcept {
  const size_t at = (number & kLate) != 0 ? blocks_.size() + (number & ~kLate) : size_t{number};
  return at < hit_of_.size() ? &hit_of_[at] : nullptr;
}

// The word of a root in which the way to a block begins.  Who asks for many blocks of a long list
// would follow all of it for each: from some steps on it is kept for every block passed.
const HolderSearch::Hit& HolderSearch::HitOf(uint32_t number) noexcept {
  if (steps_back_ > kFewSteps && hit_of_.empty()) {
    queue_.Release();  // of the same size, and of no more use
    hit_of_.Resize(blocks_.size() + late_.size());
  }
  uint32_t at = number;
  const uint32_t* known = KnownHit(at);
  for (; At(at).from_root == 0 && (known == nullptr || *known == 0); known = KnownHit(at)) {
    at = At(at).from;
    ++steps_back_;
  }
  const uint32_t hit = At(at).from_root != 0 ? At(at).from : *known - 1;
  for (uint32_t passed = number; passed != at; passed = At(passed).from) {
    if (uint32_t* const keep = KnownHit(passed); keep != nullptr) *keep = hit + 1;
  }
  return hits_[hit];
}

HolderSearch::Holder HolderSearch::HolderOf(uintptr_t address) noexcept {
  Holder holder;
  if (failed_) return holder;
  const uint32_t at = blocks_.Find(address);
  if (at == BlockMap::kNone || blocks_[at].begin != address) return holder;
  if (blocks_[at].reached == 0) {
    holder.answer = AllRead() ? Answer::kLost : Answer::kUnknown;
    return holder;
  }
  holder.depth = blocks_[at].depth;
  const Hit& hit = HitOf(at);
  holder.word = hit.word;
  if (hit.root == kUnknownRoot) {
    holder.answer = Answer::kUnknown;
    return holder;
  }
  const Root& root = around_.roots()[hit.root];
  holder.answer = Answer::kHeld;
  holder.place = root.place;
  holder.thread = root.thread;
  return holder;
}

uintptr_t HolderSearch::WordTo(uintptr_t address) const noexcept {
  const uint32_t block = blocks_.Find(address);
  const FoundWord* const found =
      std::lower_bound(found_words_.begin(), found_words_.end(), FoundWord{0, block}, ByBlock());
  return found != found_words_.end() && found->block == block ? found->word : 0;
}

bool HolderSearch::ReadMemory(uintptr_t begin, size_t bytes, void* to) noexcept {
  reader_.Begin();
  const bool read = reader_.Read(begin, bytes, to);
  reader_.End();
  return read;
}

const Root* HolderSearch::RootAt(uintptr_t word) const noexcept {
  for (const Root& root : around_.roots()) {
    if (root.range.Holds(word)) return &root;
  }
  return nullptr;
}

size_t HolderSearch::LastOfPath(uintptr_t address, Block* path, size_t room) const noexcept {
  uint32_t at = blocks_.Find(address);
  if (failed_ || at == BlockMap::kNone || blocks_[at].reached == 0) return 0;
  size_t count = 0;
  for (; At(at).from_root == 0 && count < room; ++count) {
    at = At(at).from;
    path[count] = At(at);
  }
  return count;
}

size_t HolderSearch::PathTo(uintptr_t address, Block* path, size_t room) const noexcept {
  uint32_t at = blocks_.Find(address);
  if (failed_ || at == BlockMap::kNone || blocks_[at].reached == 0) return 0;
  const size_t count = blocks_[at].depth - 1;
  while (At(at).from_root == 0) {
    at = At(at).from;
    const size_t place = At(at).depth - 1;
    if (place < room) path[place] = At(at);
  }
  return count;
}

}  // namespace heapgauge
