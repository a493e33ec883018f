// Small sampled blocks between two lives.
//
// A sampled block lies at the start of a page, so that free() knows it by its address.  Given back
// to the allocator it would soon be an ordinary block at an address that looks sampled: small
// chunks are handed out again as they are, the last released first.  After some thousand samples
// most frees of a program with a small working set would have to ask the filter (it was 92 % of
// them in bench/workloads/bignum_churn).  So a small one stays with us when it dies and serves the
// next small sample: as many are kept as samples ever lived at once, up to what the table holds.
//
// K1  Nothing of ours lies in a kept block: what the program writes there after its free() harms
//     nobody but itself.
// K2  A kept block counts in the sample filter, so a second free() of it comes by the slow path,
//     where Unkeep() tells.  The allocator is then told of both, and finds out what it would have
//     found out.
//
// Any thread, also in signal handlers: nobody waits, and a fork leaves nothing locked behind.
#ifndef HEAPGAUGE_SHIM_KEPT_BLOCKS_H_
#define HEAPGAUGE_SHIM_KEPT_BLOCKS_H_

#include <cstddef>

namespace heapgauge {

// Once, before the first sample.  Not where the allocator checks or fills what is released, because
// somebody asked it to.
void AllowKeeping() noexcept;

// What to ask the allocator for when a sampled block of `bytes` is wanted: a size that can be kept.
size_t KeepableSize(size_t bytes) noexcept;

// A block of at least `bytes` at the start of a page, or nullptr.
void* TakeKept(size_t bytes) noexcept;

// Keeps a block that is about to be released, and that the program had asked for with `bytes`;
// false: the caller releases it.
bool Keep(void* block, size_t bytes) noexcept;

// True when the block was kept, and it is no longer: the program releases it for the second time.
// *bytes: what it had asked for.
bool Unkeep(void* block, size_t* bytes) noexcept;

}  // namespace heapgauge

#endif  // HEAPGAUGE_SHIM_KEPT_BLOCKS_H_
