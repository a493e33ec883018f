#include "trace/last_walks.h"

#include <algorithm>

#include "trace/stack_hash.h"

namespace heapgauge {
namespace {

// Powers of the polynomial's base.
constexpr auto kPowers = [] {
  std::array<uint64_t, WalkRecord::kEntries + 1> powers{};
  powers[0] = 1;
  for (size_t i = 1; i < powers.size(); ++i) powers[i] = powers[i - 1] * kStackHashBase;
  return powers;
}();

HG_NO_SANITIZE_ADDRESS bool OnStack(const WalkState& state) noexcept {
  if (reinterpret_cast<const uintptr_t*>(state.stack_pointer)[-1] != state.address) return false;
  return state.saved_at == 0 ||
         *reinterpret_cast<const uintptr_t*>(state.saved_at) == state.frame_pointer;
}

}  // namespace

size_t WalkRecord::Compare(size_t wanted, uintptr_t stack_high, uintptr_t* out) noexcept {
  const size_t end = std::min(kEntries, at_ + wanted);
  // Stack pointers grow outward, and so do the words that led to them.
  if (entries_[end - 1].stack_pointer > stack_high) return 0;
  size_t same = at_;
  do {
    *out++ = entries_[same++].address;
  } while (same < end && OnStack(entries_[same]));
  const size_t joined = same - at_;
  whole_ = joined == wanted || (same == kEntries && ends_);
  if (!whole_) {
    // From here on it is another stack: what is the same of the old one begins the new record.
    std::copy_n(entries_.begin() + at_, joined, fresh_states_.begin() + fresh_);
    fresh_ += joined;
    at_ = kEntries;
  }
  return joined;
}

void WalkRecord::DropOutermost() noexcept {
  constexpr size_t kDropped = kMostFrames;
  dropped_ = hash_[kEntries - kDropped];
  std::copy_backward(entries_.begin(), entries_.end() - kDropped, entries_.end());
  std::copy_backward(hash_.begin(), hash_.end() - kDropped, hash_.end());
  top_ += kDropped;
  at_ += kDropped;
  ends_ = false;
}

uint64_t WalkRecord::Finish(size_t depth, bool ends) noexcept {
  if (at_ == kEntries) {
    dropped_ = 0;
    ends_ = ends;
  } else if (at_ < fresh_) {
    DropOutermost();
  }
  top_ = at_ - fresh_;
  uint64_t polynomial = at_ == kEntries ? dropped_ : hash_[at_];
  for (size_t i = fresh_; i-- > 0;) {
    polynomial = PushFrame(polynomial, fresh_states_[i].address);
    entries_[top_ + i] = fresh_states_[i];
    hash_[top_ + i] = polynomial;
  }
  const size_t outside = top_ + depth;
  polynomial -= kPowers[depth] * (outside < kEntries ? hash_[outside] : dropped_);
  return FinishStackHash(polynomial, depth);
}

void LastWalks::Initialize(PageArena& arena) noexcept {
  // relaxed: whoever loses the race wastes address space, once.
  if (records_.load(std::memory_order_relaxed) != nullptr) return;
  constexpr size_t kBytes = sizeof(WalkRecord) << kRecordBits;
  if (kBytes > arena.limit_bytes() / kMostOfLimit) return;
  void* const memory = arena.Allocate(kBytes);
  // release: zeroed memory is behind it.  Zero is a valid record: of no thread's stack.
  if (memory != nullptr)
    records_.store(static_cast<WalkRecord*>(memory), std::memory_order_release);
}

WalkRecord* LastWalks::Borrow(const ThreadState& self) noexcept {
  // acquire: pairs with the release in Initialize().
  WalkRecord* const records = records_.load(std::memory_order_acquire);
  if (records == nullptr || !self.stack_known) return nullptr;
  WalkRecord& record = records[(self.stack_high * 0x9E3779B97F4A7C15U) >> (64 - kRecordBits)];
  // acquire: pairs with the release in GiveBack(); the former borrower's writes are done.
  if (record.busy_.exchange(true, std::memory_order_acquire)) return nullptr;
  // relaxed: as with a walk in progress.
  const uint32_t generation = generation_.load(std::memory_order_relaxed);
  if (record.stack_high_ != self.stack_high || record.generation_ != generation) {
    record.stack_high_ = self.stack_high;
    record.generation_ = generation;
    record.Clear();
  }
  return &record;
}

void LastWalks::GiveBack(WalkRecord* record) noexcept {
  if (record != nullptr) record->busy_.store(false, std::memory_order_release);  // as above
}

void LastWalks::AfterForkInChild() noexcept {
  WalkRecord* const records = records_.load(std::memory_order_relaxed);  // relaxed: one thread
  if (records == nullptr) return;
  for (size_t i = 0; i < size_t{1} << kRecordBits; ++i) {
    // A record that was in use may be half written.
    if (!records[i].busy_.load(std::memory_order_relaxed)) continue;
    records[i].stack_high_ = 0;
    records[i].busy_.store(false, std::memory_order_relaxed);
  }
}

}  // namespace heapgauge
