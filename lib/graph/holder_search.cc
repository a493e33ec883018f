#include "graph/holder_search.h"

#include <algorithm>
#include <cstring>

#include "base/clock.h"

namespace heapgauge {
namespace {

// Tags that programs keep in the upper bits of a pointer.
constexpr uint64_t kAddressBits = (uint64_t{1} << 48) - 1;
constexpr size_t kWord = sizeof(uint64_t);

}  // namespace

HolderSearch::HolderSearch(size_t memory_limit_bytes) noexcept
    : memory_(std::max(kLeastMemory, memory_limit_bytes)),
      around_(memory_),
      chunks_(memory_),
      blocks_(memory_),
      late_(memory_),
      late_at_(memory_),
      questions_(memory_),
      kernel_words_(memory_),
      queue_(memory_),
      hits_(memory_),
      found_words_(memory_),
      hit_of_(memory_),
      room_(memory_) {
  const uintptr_t self = reinterpret_cast<uintptr_t>(this);
  memory_.set_owner({self, self + sizeof(*this)});
}

bool HolderSearch::Ask(uintptr_t block) noexcept { return questions_.Add(block); }

void HolderSearch::Release() noexcept {
  around_.Release();
  chunks_.Release();
  blocks_.Release();
  late_.Release();
  late_at_.Release();
  questions_.Release();
  kernel_words_.Release();
  queue_.Release();
  hits_.Release();
  found_words_.Release();
  hit_of_.Release();
  room_.Release();
  phase_ = Phase::kDone;
}

bool HolderSearch::Begin(const LiveTable& live) noexcept {
  const uint64_t began = ThreadCpuNs();
  live_ = &live;
  failed_ = false;
  too_late_ = false;
  whole_ = false;
  samples_known_ = false;
  drained_ = level_end_ = offset_ = range_ = 0;
  in_order_ = true;
  last_queued_ = 0;
  level_sort_.Begin(nullptr, 0);  // the last look may have been given up in the midst of it
  at_ = 0;
  longest_step_ns_ = 0;
  bytes_before_ = reader_.bytes_read();
  swapped_before_ = reader_.swapped();
  if (!reader_.Works()) return false;
  blocks_.Release();
  queue_.Clear();
  hits_.Clear();
  found_words_.Clear();
  hit_of_.Release();
  steps_back_ = 0;
  late_.Clear();
  late_at_.Clear();
  if (!room_.Resize(kRoomBytes)) return false;
  reader_.Begin();
  const bool looked = around_.Look(reader_, room_.data(), kRoomBytes);
  if (looked) {
    const AddressRange& data = around_.c_library_data();
    glibc_.Find(data.begin, data.end);
    whole_ = chunks_.Begin(glibc_, around_, reader_);
  }
  reader_.End();
  phase_ = Phase::kBlocks;
  cpu_ns_ = longest_step_ns_ = ThreadCpuNs() - began;
  return looked;
}

// Live samples that no heap has: of other allocators, of mappings that were cut.
bool HolderSearch::AddSamples() noexcept {
  bool room = true;
  live_->ForEach([&](uintptr_t block, const LiveSample& sample) {
    room = room && blocks_.AddUnknown(block, sample.bytes);
  });
  return room;
}

uintptr_t HolderSearch::WordAt(const char* at) noexcept {
  uint64_t word;
  std::memcpy(&word, at, kWord);
  return word & kAddressBits;
}

// What is heap of an allocator that can't be walked: anonymous mappings with a live block in them.
// Its own records lie there, too, and point to every block.
bool HolderSearch::KeepOutHeaps() noexcept {
  for (const Mapping& mapping : around_.maps()) {
    if (mapping.named || mapping.skipped) continue;
    const size_t next = blocks_.FirstBehind(mapping.range.begin);
    if (next == blocks_.size()) break;
    if (blocks_[static_cast<uint32_t>(next)].begin < mapping.range.end &&
        !around_.KeepOut(mapping.range)) {
      return false;
    }
  }
  return true;
}

// The heaps are walked.
bool HolderSearch::EndWalk() noexcept {
  walked_ = whole_ && !chunks_.too_many();
  // When the process ends, free chunks that look as if in use would be among them.
  if (at_end_ || chunks_.too_many()) blocks_.Release();
  if (chunks_.too_many()) {
    whole_ = false;
    return true;
  }
  for (const AddressRange& heap : chunks_.known()) {
    if (!around_.KeepOut(heap)) return false;
  }
  whole_ = whole_ && !chunks_.known().empty();
  return true;
}

// In two rounds: what the walk has found, then samples that are not among it.
bool HolderSearch::SealBlocks() noexcept {
  if (blocks_.SealStep()) return true;
  if (blocks_.no_room()) return false;
  if (!samples_known_) {
    samples_known_ = true;
    return AddSamples();
  }
  phase_ = Phase::kRoots;
  range_ = 0;
  at_ = 0;
  if (at_end_ && !walked_ && !KeepOutHeaps()) return false;
  if (!around_.MakeUnknown()) return false;
  missing_ = at_end_ ? SIZE_MAX : 0;
  for (const uintptr_t question : questions_) {
    const uint32_t found = blocks_.Find(question);
    if (found == BlockMap::kNone || blocks_[found].begin != question) continue;
    if (blocks_[found].wanted == 0) ++missing_;
    blocks_[found].wanted = 1;
  }
  return true;
}

void HolderSearch::Reach(uintptr_t word, uintptr_t at, const Hit* hit, uint32_t from,
                         uint32_t depth) noexcept {
  const uintptr_t address = word & kAddressBits;
  const uint32_t found = blocks_.IsOutside(address) ? BlockMap::kNone : blocks_.Find(address);
  if (found == BlockMap::kNone) return ReachLate(address, hit, from, depth);
  if (blocks_[found].reached != 0) return;
  Reached(found, hit, from, depth);
  if (blocks_[found].wanted == 0) return;
  --missing_;
  failed_ = !found_words_.Add({at, found}) || failed_;
}

void HolderSearch::Reached(uint32_t number, const Hit* hit, uint32_t from,
                           uint32_t depth) noexcept {
  Block& block = At(number);
  block.reached = 1;
  block.depth = depth;
  if (hit != nullptr) {
    block.from_root = 1;
    block.from = static_cast<uint32_t>(hits_.size());
    failed_ = !hits_.Add(*hit) || failed_;
  } else {
    block.from = from;
  }
  failed_ = !queue_.Add(number) || failed_;
  in_order_ = in_order_ && number > last_queued_;
  last_queued_ = number;
}

void HolderSearch::Scan(const char* bytes, size_t count, uintptr_t at, uint32_t root) noexcept {
  for (size_t i = (kWord - at % kWord) % kWord; i + kWord <= count; i += kWord) {
    uint64_t word;
    std::memcpy(&word, bytes + i, kWord);
    if (word == 0 || around_.main_arena.Holds(at + i)) continue;
    const Hit hit{at + i, root};
    Reach(word, hit.word, &hit, 0, 1);
  }
}

void HolderSearch::ScanBlock(const char* bytes, size_t count, uint32_t number) noexcept {
  const Block block = At(number);
  const size_t first = (kWord - (block.begin + offset_) % kWord) % kWord;
  for (size_t i = first; i + kWord <= count; i += kWord) {
    uint64_t word;
    std::memcpy(&word, bytes + i, kWord);
    if (word != 0) Reach(word, block.begin + offset_ + i, nullptr, number, block.depth + 1);
  }
}

void HolderSearch::ScanRoot() noexcept {
  if (range_ == around_.roots().size()) {
    phase_ = Phase::kDrainRoots;
    return;
  }
  const Root& root = around_.roots()[range_];
  const uint32_t number = static_cast<uint32_t>(range_);
  if (root.place == RootKind::kRegister) {
    const Hit hit{0, number};
    Reach(root.word, 0, &hit, 0, 1);
    ++range_;
    return;
  }
  if (at_ < root.range.begin) at_ = root.range.begin;
  at_ = reader_.NextResident(at_, root.range.end);
  const size_t bytes = std::min<size_t>(kRoomBytes, root.range.end - at_);
  if (bytes > 0 && reader_.Read(at_, bytes, room_.data())) Scan(room_.data(), bytes, at_, number);
  at_ += bytes;
  if (at_ < root.range.end) return;
  at_ = 0;
  ++range_;
}

void HolderSearch::ScanUnknown() noexcept {
  if (range_ == around_.unknown().size()) {
    phase_ = Phase::kDrainUnknown;
    return;
  }
  const AddressRange& range = around_.unknown()[range_];
  if (at_ < range.begin) at_ = range.begin;
  at_ = reader_.NextResident(at_, range.end);
  uintptr_t skip = range.end;
  const uintptr_t ours = at_ < range.end ? memory_.NotOurs(at_, range.end, &skip) : at_;
  const uintptr_t end = std::min<uintptr_t>(ours, at_ + kRoomBytes);
  // Blocks speak for themselves, once they are reached.
  size_t next = blocks_.FirstBehind(at_);
  const auto block = [&]() -> const Block& { return blocks_[static_cast<uint32_t>(next)]; };
  if (end <= at_) {
    at_ = std::max(at_, skip);
  } else if (next < blocks_.size() && block().begin <= at_ && block().end() >= end) {
    at_ = block().end();
  } else {
    const bool read = reader_.Read(at_, end - at_, room_.data());
    for (uintptr_t from = at_; read && from < end;) {
      uintptr_t to = end;
      if (next < blocks_.size() && block().begin < end) {
        to = std::max(from, block().begin);
        Scan(room_.data() + (from - at_), to - from, from, kUnknownRoot);
        from = block().end();
        ++next;
      } else {
        Scan(room_.data() + (from - at_), to - from, from, kUnknownRoot);
        from = to;
      }
    }
    at_ = end;
  }
  if (at_ < range.end) return;
  at_ = 0;
  ++range_;
}

// What was reached from the blocks of one depth has the next one: the order within is free.  In that
// of addresses neighbours are read together, which is most of what a look costs.
bool HolderSearch::StartLevel() noexcept {
  if (drained_ == level_end_) {
    level_end_ = queue_.size();
    if (!in_order_) level_sort_.Begin(queue_.data() + drained_, level_end_ - drained_);
    in_order_ = true;
    last_queued_ = 0;
  }
  if (level_sort_.done()) return true;
  level_sort_.Step(kSortStep);
  return false;
}

void HolderSearch::Drain(Phase next) noexcept {
  if (drained_ == queue_.size() || missing_ == 0) {
    phase_ = missing_ == 0 ? Phase::kSortFound : next;
    if (phase_ == Phase::kSortFound) found_sort_.Begin(found_words_.data(), found_words_.size());
    level_end_ = drained_;
    range_ = 0;
    at_ = 0;
    return;
  }
  if (!StartLevel()) return;
  const Block& first = At(queue_[drained_]);
  if (first.bytes > kRoomBytes) {
    offset_ = reader_.NextResident(first.begin + offset_, first.end()) - first.begin;
    const size_t bytes = std::min<size_t>(kRoomBytes, first.bytes - offset_);
    if (bytes > 0 && reader_.Read(first.begin + offset_, bytes, room_.data())) {
      ScanBlock(room_.data(), bytes, queue_[drained_]);
    }
    offset_ += bytes;
    if (offset_ < first.bytes) return;
    offset_ = 0;
    ++drained_;
    return;
  }
  OwnReader::Piece pieces[OwnReader::kMostPieces];
  size_t count = 0;
  size_t bytes = 0;
  const size_t begin = drained_;
  for (; drained_ < level_end_; ++drained_) {
    const Block& block = At(queue_[drained_]);
    const uintptr_t end = count > 0 ? pieces[count - 1].end() : 0;
    const bool beside = count > 0 && block.begin >= end && block.begin - end <= kBeside;
    if (!beside && count == OwnReader::kMostPieces) break;
    const size_t more = beside ? block.end() - end : size_t{block.bytes};
    if (bytes + more > kRoomBytes) break;
    bytes += more;
    if (beside) {
      pieces[count - 1].bytes += more;
    } else {
      pieces[count++] = {block.begin, block.bytes};
    }
  }
  reader_.Gather(pieces, count, room_.data());
  const char* at = room_.data();
  size_t piece = 0;
  for (size_t i = begin; i < drained_; ++i) {
    const Block block = At(queue_[i]);
    while (piece < count && (block.begin < pieces[piece].from || block.end() > pieces[piece].end()))
      at += pieces[piece++].bytes;
    if (piece == count) break;
    const char* const from = at + (block.begin - pieces[piece].from);
    uint64_t words[84];
    const size_t size = block.bytes;
    const bool may_be_cache = size >= 640 && size <= sizeof(words);
    if (may_be_cache) std::memcpy(words, from, size / kWord * kWord);
    if (!may_be_cache || !GlibcBlocks::IsThreadCache(words, size)) ScanBlock(from, size, queue_[i]);
  }
}

bool HolderSearch::Unit() noexcept {
  switch (phase_) {
    case Phase::kBlocks:
      if (whole_ && chunks_.Step(reader_, blocks_, room_.data(), kRoomBytes)) return true;
      phase_ = Phase::kSeal;
      return EndWalk();
    case Phase::kSeal:
      return SealBlocks();
    case Phase::kRoots:
      ScanRoot();
      return true;
    case Phase::kDrainRoots:
      Drain(Phase::kUnknown);
      return true;
    case Phase::kUnknown:
      ScanUnknown();
      return true;
    case Phase::kDrainUnknown:
      Drain(Phase::kKernel);
      return true;
    case Phase::kKernel:
      ScanKernel();
      return true;
    case Phase::kDrainKernel:
      Drain(Phase::kSortFound);
      return true;
    case Phase::kSortFound:
      if (found_sort_.done()) phase_ = Phase::kDone;
      found_sort_.Step(kSortStep);
      return true;
    case Phase::kDone:
      break;
  }
  return false;
}

bool HolderSearch::Step(uint64_t cpu_ns) noexcept {
  if (phase_ == Phase::kDone) return false;
  const uint64_t began = ThreadCpuNs();
  reader_.Begin();
  top_looks_ = 0;
  uint64_t took = 0;
  do {
    if (!Unit() || failed_ || reader_.broken()) {
      failed_ = true;
      phase_ = Phase::kDone;
    }
    took = ThreadCpuNs() - began;
  } while (phase_ != Phase::kDone && took < cpu_ns);
  reader_.End();
  cpu_ns_ += took;
  longest_step_ns_ = std::max(longest_step_ns_, took);
  return phase_ != Phase::kDone;
}

}  // namespace heapgauge
