// Every form of operator new and delete, with the alignment that each promises.
#include <new>
#include <vector>

#include "victim.h"

namespace {

struct alignas(64) Line {
  char bytes[192];
};

void* Keep(void* block, size_t bytes, size_t alignment) {
  VICTIM_REQUIRE(block != nullptr);
  VICTIM_REQUIRE(reinterpret_cast<uintptr_t>(block) % alignment == 0);
  memset(block, 0x5A, bytes);
  victim_hold(bytes);
  return block;
}

void OneRound(size_t n) {
  constexpr std::align_val_t k64{64};
  constexpr std::align_val_t k4096{4096};
  const std::nothrow_t& no = std::nothrow;
  // 16 is glibc's promise; others give a small block the alignment that its size can need.
  const size_t usual = n < 32 ? 8 : 16;
  void* plain = Keep(::operator new(n), n, usual);
  void* array = Keep(::operator new[](n + 1), n + 1, usual);
  void* quiet = Keep(::operator new(n + 2, no), n + 2, usual);
  void* quiet_array = Keep(::operator new[](n + 3, no), n + 3, usual);
  void* aligned = Keep(::operator new(n + 4, k64), n + 4, 64);
  void* aligned_array = Keep(::operator new[](n + 5, k64), n + 5, 64);
  void* aligned_quiet = Keep(::operator new(n + 6, k4096, no), n + 6, 4096);
  void* aligned_quiet_array = Keep(::operator new[](n + 7, k4096, no), n + 7, 4096);
  void* sized = Keep(::operator new(n + 8), n + 8, usual);
  void* sized_array = Keep(::operator new[](n + 9), n + 9, usual);
  void* sized_aligned = Keep(::operator new(n + 10, k64), n + 10, 64);
  void* sized_aligned_array = Keep(::operator new[](n + 11, k64), n + 11, 64);
  Line* line = static_cast<Line*>(Keep(new Line, sizeof(Line), 64));
  victim_check("all forms of new");

  ::operator delete(plain);
  ::operator delete[](array);
  ::operator delete(quiet, no);
  ::operator delete[](quiet_array, no);
  ::operator delete(aligned, k64);
  ::operator delete[](aligned_array, k64);
  ::operator delete(aligned_quiet, k4096, no);
  ::operator delete[](aligned_quiet_array, k4096, no);
  ::operator delete(sized, n + 8);
  ::operator delete[](sized_array, n + 9);
  ::operator delete(sized_aligned, n + 10, k64);
  ::operator delete[](sized_aligned_array, n + 11, k64);
  delete line;
  for (size_t i = 0; i < 12; ++i) victim_drop(n + i);
  victim_drop(sizeof(Line));
  ::operator delete(nullptr);
  ::operator delete[](nullptr, k64);
  victim_check("all forms of delete");
}

}  // namespace

int main() {
  for (size_t n : {1, 24, 500, 5000, 70000, 300000}) {
    for (size_t i = 0; i < 20; ++i) OneRound(n + i);
  }
  void* zero = ::operator new(0);
  void* other_zero = ::operator new(0);
  VICTIM_REQUIRE(zero != nullptr && zero != other_zero);
  ::operator delete(other_zero);
  ::operator delete(zero);
  // Blocks of no bytes are blocks, and count none.
  Keep(::operator new(0), 0, 1);
  Keep(::operator new[](0, std::nothrow), 0, 1);
  Keep(::operator new (0, std::align_val_t{64}), 0, 64);
  Keep(::operator new (0, std::align_val_t{4096}, std::nothrow), 0, 4096);
  Keep(::operator new[](0, std::align_val_t{64}), 0, 64);
  Keep(::operator new[](0, std::align_val_t{64}, std::nothrow), 0, 64);
  ::operator delete (Keep(::operator new (0, std::align_val_t{128}), 0, 128),
                     std::align_val_t{128});
  victim_drop(0);
  Keep(::operator new(12345), 12345, 16);
  victim_finish();
  puts("operators done");
  return 0;
}
