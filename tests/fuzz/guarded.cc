#include <sys/mman.h>

#include <cstdlib>
#include <cstring>

#include "target.h"

namespace heapgauge::fuzz {

Guarded::Guarded(const uint8_t* data, size_t size) {
  constexpr size_t kPage = 4096;
  const size_t room = (size + kPage - 1) / kPage * kPage;
  mapped_ = room + 2 * kPage;
  mapping_ = mmap(nullptr, mapped_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapping_ == MAP_FAILED) std::abort();
  uint8_t* const inside = static_cast<uint8_t*>(mapping_) + kPage;
  if (room != 0 && mprotect(inside, room, PROT_READ | PROT_WRITE) != 0) std::abort();
  end_ = inside + room;
  begin_ = end_ - size;
  if (size != 0) std::memcpy(const_cast<uint8_t*>(begin_), data, size);
}

Guarded::~Guarded() { munmap(mapping_, mapped_); }

}  // namespace heapgauge::fuzz
