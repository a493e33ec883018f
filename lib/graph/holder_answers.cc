// What a look has found (holder_search.h).
#include "graph/holder_search.h"

namespace heapgauge {

// Not by HolderOf(), which goes all the way back: for each block of a long list that takes for ever.
bool HolderSearch::IsLost(uintptr_t address) const noexcept {
  const uint32_t found = failed_ ? BlockMap::kNone : blocks_.Find(address);
  return found != BlockMap::kNone && blocks_[found].begin == address &&
         blocks_[found].reached == 0 && AllRead();
}

HolderSearch::Holder HolderSearch::HolderOf(uintptr_t address) const noexcept {
  Holder holder;
  if (failed_) return holder;
  uint32_t at = blocks_.Find(address);
  if (at == BlockMap::kNone || blocks_[at].begin != address) return holder;
  if (blocks_[at].reached == 0) {
    holder.answer = AllRead() ? Answer::kLost : Answer::kUnknown;
    return holder;
  }
  holder.depth = blocks_[at].depth;
  while (At(at).from_root == 0) at = At(at).from;
  const Hit& hit = hits_[At(at).from];
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
