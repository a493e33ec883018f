// Who holds these blocks?  One look through the memory of the process, in slices, while it goes on.
//
//   blocks   which blocks there are: glibc's chunks where they can be walked, and every live sample
//   roots    each word of a root that points into a block reaches it
//   drain    each word of a block that was reached, likewise; in order, so that the first way found
//            to a block is a shortest one
//   unknown  then the words of memory of which nothing is known, and again what hangs on it
//   kernel   last those that the kernel keeps for the program, if something is missing still
//
// What nothing reaches is lost: no pointer to it was found, or only in blocks that are lost
// themselves.  A word counts when it lies at a multiple of eight; one that points inside a block
// counts, as does one past its end; the upper sixteen bits and the lowest bits may be a tag.
//
//   late     a block that was given out after the blocks were walked is in no map, and the newest of
//            a list that grows always is one: where a word points to such a one, it is taken in then
//
// H1  No memory of the host's heap is used, no lock of its taken but the loader's, no page touched
//     that is not resident.
// H2  The program goes on meanwhile: what moves from one place to another while this looks may be
//     missed.  So nothing is to be called lost that was not missed twice, some time apart.
//
// Report thread only.
#ifndef HEAPGAUGE_GRAPH_HOLDER_SEARCH_H_
#define HEAPGAUGE_GRAPH_HOLDER_SEARCH_H_

#include <cstddef>
#include <cstdint>
#include <functional>

#include "graph/block_map.h"
#include "graph/glibc_blocks.h"
#include "graph/own_reader.h"
#include "graph/sliced_sort.h"
#include "graph/surroundings.h"
#include "process/glibc_heap.h"
#include "store/live_table.h"

namespace heapgauge {

class HolderSearch final {
 public:
  // Of all arrays together; 24 bytes a block is the most of it.
  static constexpr size_t kLeastMemory = size_t{16} << 20;

  explicit HolderSearch(size_t memory_limit_bytes) noexcept;
  HolderSearch(const HolderSearch&) = delete;
  HolderSearch& operator=(const HolderSearch&) = delete;

  // Whether memory can be read that way at all.
  bool Works() noexcept { return reader_.Works(); }

  // Which blocks are asked about, before Begin().  False: no room.
  bool Ask(uintptr_t block) noexcept;
  size_t asked() const noexcept { return questions_.size(); }
  void ClearQuestions() noexcept { questions_.Clear(); }

  // All live blocks are known and asked about, instead: the process ends (Surroundings::SetEnd()),
  // and what is no live block is none.
  void SetEnd(pid_t thread, uintptr_t frame, uintptr_t signal_stack) noexcept {
    at_end_ = true;
    around_.SetEnd(thread, frame, signal_stack);
  }

  // The first slice.  False: it can't be done here, or there is no room.
  bool Begin(const LiveTable& live) noexcept;
  // After Begin(): the rest is read in a copy of the process; 0: in this one again.
  void ReadCopy(pid_t copy) noexcept { reader_.SetCopy(copy); }
  // The next, of about so much processor time.  True: there is more to do.
  bool Step(uint64_t cpu_ns) noexcept;
  // Gives all memory back.
  void Release() noexcept;

  // After the last slice.
  enum class Answer : uint8_t {
    kGone,     // it is no block any more
    kLost,     // nothing reaches it
    kHeld,     // from a root
    kUnknown,  // from memory of which nothing is known, or by the kernel
  };
  struct Holder {
    Answer answer = Answer::kGone;
    RootKind place = RootKind::kUnknown;
    pid_t thread = 0;
    uintptr_t word = 0;  // address of the word in the root, where the way begins
    uint32_t depth = 0;  // 1: that word points to the block itself
  };
  Holder HolderOf(uintptr_t block) noexcept;
  // The word that points to a block that was asked about, the first one that was found; 0: none was, or
  // all blocks are asked about.
  uintptr_t WordTo(uintptr_t block) const noexcept;
  // From one block to the one before it on its way: how often HolderOf() has gone so far.
  uint64_t steps_back() const noexcept { return steps_back_; }
  // Whether the answer is kLost.
  bool IsLost(uintptr_t block) const noexcept;
  // Of a block that is held: the blocks between, from the root on; returns how many, the first
  // `room` of them.
  size_t PathTo(uintptr_t block, Block* path, size_t room) const noexcept;
  // The same, the last `room` of them, from the block on.
  size_t LastOfPath(uintptr_t block, Block* path, size_t room) const noexcept;
  // What lies in [begin, end), as it is now; what is not there reads as zero.
  bool ReadMemory(uintptr_t begin, size_t bytes, void* to) noexcept;
  // The root that has this word; nullptr: none has.
  const Root* RootAt(uintptr_t word) const noexcept;
  // 0: it is no block.
  uint64_t BytesOf(uintptr_t block) const noexcept {
    const uint32_t number = blocks_.Find(block);
    return number == BlockMap::kNone ? 0 : uint64_t{blocks_[number].bytes};
  }
  // Whether the blocks between are known; else only what is sampled is.
  bool whole() const noexcept { return whole_; }
  // It went to its end.
  bool finished() const noexcept { return phase_ == Phase::kDone && !failed_; }

  // Of a block that is lost: calls visit(address) with the blocks that it points to itself.
  template <typename Visit>
  void ForEachTarget(uintptr_t block, Visit&& visit);

  // Calls visit(address) with all blocks that nothing reaches.
  template <typename Visit>
  void ForEachLost(Visit&& visit) const {
    for (uint32_t i = 0; i < blocks_.size(); ++i) {
      if (blocks_[i].reached == 0) visit(blocks_[i].begin);
    }
  }

  uint64_t cpu_ns() const noexcept { return cpu_ns_; }  // of this search so far
  uint64_t bytes_read() const noexcept { return reader_.bytes_read() - bytes_before_; }
  uint64_t longest_step_ns() const noexcept { return longest_step_ns_; }
  size_t blocks() const noexcept { return blocks_.size(); }
  const Surroundings& surroundings() const noexcept { return around_; }

 private:
  static constexpr size_t kRoomBytes = size_t{128} * 1024;
  static constexpr uint32_t kUnknownRoot = ~uint32_t{0};
  // In numbers of blocks: of late_.
  static constexpr uint32_t kLate = uint32_t{1} << 31;
  static constexpr size_t kMostLate = size_t{1} << 16;
  static constexpr int kMostTopLooks = 32;  // of a slice
  static constexpr size_t kSortStep = 16384;
  static constexpr uint64_t kFewSteps = 16384;  // HolderOf()
  // Two blocks are read in one piece with what lies between: the kernel takes as long for a piece of
  // its own.
  static constexpr uintptr_t kBeside = 1024;
  enum class Phase : uint8_t {
    kBlocks,
    kSeal,
    kRoots,
    kDrainRoots,
    kUnknown,
    kDrainUnknown,
    kKernel,
    kDrainKernel,
    kSortFound,
    kDone
  };
  struct Hit {
    uintptr_t word;
    uint32_t root;  // of the surroundings, or kUnknownRoot
  };
  struct FoundWord {
    uintptr_t word;
    uint32_t block;
  };
  struct ByBlock {
    bool operator()(const FoundWord& a, const FoundWord& b) const noexcept {
      return a.block < b.block;
    }
  };

  // A pointer may lie in the swap, which is not read.
  bool AllRead() const noexcept { return reader_.swapped() == swapped_before_ && !too_late_; }
  static uintptr_t WordAt(const char* at) noexcept;
  bool Unit() noexcept;
  bool EndWalk() noexcept;
  bool SealBlocks() noexcept;
  bool AddSamples() noexcept;
  bool KeepOutHeaps() noexcept;
  void ScanRoot() noexcept;
  void ScanUnknown() noexcept;
  void ScanKernel() noexcept;
  bool StartLevel() noexcept;
  void Drain(Phase next) noexcept;
  // `at`: where the word lies.
  void Reach(uintptr_t word, uintptr_t at, const Hit* hit, uint32_t from, uint32_t depth) noexcept;
  void Reached(uint32_t number, const Hit* hit, uint32_t from, uint32_t depth) noexcept;
  void ReachLate(uintptr_t address, const Hit* hit, uint32_t from, uint32_t depth) noexcept;
  uint32_t LateBlockAt(uintptr_t address) noexcept;
  uint32_t FindLate(uintptr_t begin) noexcept;
  uint32_t InFreeChunk(const GlibcBlocks::Heap& heap, uintptr_t address) noexcept;
  uint32_t BehindTop(GlibcBlocks::Heap& heap, uintptr_t address) noexcept;
  uint32_t AddLate(uintptr_t begin, uint64_t bytes) noexcept;
  uint64_t ChunkAt(uintptr_t chunk, uintptr_t end, bool* in_use) noexcept;
  Block& At(uint32_t number) noexcept {
    return (number & kLate) != 0 ? late_[number & ~kLate] : blocks_[number];
  }
  const Block& At(uint32_t number) const noexcept {
    return (number & kLate) != 0 ? late_[number & ~kLate] : blocks_[number];
  }
  const Hit& HitOf(uint32_t number) noexcept;
  uint32_t* KnownHit(uint32_t number) noexcept;
  void Scan(const char* bytes, size_t count, uintptr_t at, uint32_t root) noexcept;
  void ScanBlock(const char* bytes, size_t count, uint32_t block) noexcept;

  SearchMemory memory_;
  OwnReader reader_;
  GlibcHeap glibc_;
  Surroundings around_;
  GlibcBlocks chunks_;
  BlockMap blocks_;
  MappedArray<Block> late_;
  MappedArray<uint32_t> late_at_;  // numbers in late_ plus one, by address: open addressing
  MappedArray<uintptr_t> questions_;
  MappedArray<uint64_t> kernel_words_;
  MappedArray<uint32_t> queue_;
  MappedArray<Hit> hits_;
  MappedArray<FoundWord> found_words_;  // of the blocks that are asked about; sorted in the end
  SlicedSort<FoundWord, ByBlock> found_sort_;
  MappedArray<uint32_t>
      hit_of_;  // by block, those of late_ behind all others: plus one, 0: not known
  MappedArray<char> room_;
  const LiveTable* live_ = nullptr;
  Phase phase_ = Phase::kDone;
  SlicedSort<uint32_t, std::less<>> level_sort_;
  size_t level_end_ = 0;      // in the queue: behind the blocks of the depth at hand
  uint32_t last_queued_ = 0;  // and whether those behind are in the order of addresses
  bool in_order_ = true;
  bool samples_known_ = false;
  bool walked_ = false;  // the heaps, and all of them
  bool whole_ = false;
  bool at_end_ = false;
  bool failed_ = false;
  int top_looks_ = 0;      // in this slice
  bool too_late_ = false;  // there was no room for all that is late: nothing is called lost
  size_t missing_ = 0;     // of the blocks asked about
  size_t drained_ = 0;     // of the queue
  size_t offset_ = 0;      // in the block at hand, where that is large
  size_t range_ = 0;       // of the roots, then of unknown memory
  uintptr_t at_ = 0;       // in that
  uint64_t steps_back_ = 0;
  uint64_t cpu_ns_ = 0;
  uint64_t longest_step_ns_ = 0;
  uint64_t bytes_before_ = 0;
  uint64_t swapped_before_ = 0;
};

template <typename Visit>
void HolderSearch::ForEachTarget(uintptr_t block, Visit&& visit) {
  const uint32_t number = blocks_.Find(block);
  if (number == BlockMap::kNone) return;
  const uintptr_t end = blocks_[number].end();
  reader_.Begin();
  for (uintptr_t at = block; at < end; at += kRoomBytes) {
    const size_t bytes = end - at < kRoomBytes ? end - at : kRoomBytes;
    if (!reader_.Read(at, bytes, room_.data())) continue;
    for (size_t i = 0; i + sizeof(uintptr_t) <= bytes; i += sizeof(uintptr_t)) {
      const uint32_t found = blocks_.Find(WordAt(room_.data() + i));
      if (found != BlockMap::kNone && found != number) visit(blocks_[found].begin);
    }
  }
  reader_.End();
}

}  // namespace heapgauge

#endif  // HEAPGAUGE_GRAPH_HOLDER_SEARCH_H_
