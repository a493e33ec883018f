#include "shim/mapped_blocks.h"

#include <cstdint>

#include "core_api/core_api.h"
#include "shim/next_allocator.h"

namespace heapgauge {
namespace {

// The threshold is 128 KiB at first, and grows no further than to the second.
constexpr size_t kLeast = (size_t{128} << 10) - 2 * Control::kAlignment;
constexpr size_t kHighestThreshold = size_t{4} * 1024 * 1024 * sizeof(long);
// What a request with alignment asks for beyond one without, and the rounding of a mapping.
constexpr size_t kMore = 3 * Control::kAlignment;

// A flag in the size before each of glibc's blocks.
bool IsMapped(const void* block) noexcept {
  constexpr size_t kMappedFlag = 2;
  return (static_cast<const size_t*>(block)[-1] & kMappedFlag) != 0;
}

bool IsRecognisable(const void* block) noexcept {
  return Control::Recognisable(reinterpret_cast<uintptr_t>(block));
}

void* Aligned(size_t bytes) noexcept { return g_next.memalign(Control::kAlignment, bytes); }

}  // namespace

bool MayBeMapped(size_t bytes) noexcept {
  return bytes >= kLeast && bytes < kHighestThreshold && g_next.is_c_library &&
         !g_next.is_debugging;
}

void* RecognisableLarge(size_t bytes) noexcept {
  void* const plain = g_hot.malloc(bytes);
  if (plain == nullptr || IsRecognisable(plain)) return plain;  // mapped, as a rule
  g_hot.free(plain);
  void* const aligned = Aligned(bytes);
  if (aligned == nullptr || !IsMapped(aligned)) return aligned;
  // The threshold lies between both: it is raised by as much as is needed, once for this size.
  // (One that the program has set itself stays, and so does the mapping.)
  g_hot.free(g_hot.malloc(bytes + kMore));
  void* const again = Aligned(bytes);
  if (again == nullptr) return aligned;
  g_hot.free(aligned);
  return again;
}

}  // namespace heapgauge
