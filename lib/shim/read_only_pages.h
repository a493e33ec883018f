#ifndef HEAPGAUGE_SHIM_READ_ONLY_PAGES_H_
#define HEAPGAUGE_SHIM_READ_ONLY_PAGES_H_

#include <sys/mman.h>

#include <cstddef>
#include <cstdint>

#include "base/address_range.h"
#include "elf/maps.h"

namespace heapgauge {

// What of the address space is read-only, as the kernel tells it.  Read once in a pass, when it
// is first asked for: such pages stay read-only, for the loader makes them so when it is done with
// a module.
class ReadOnlyPages final {
 public:
  constexpr ReadOnlyPages() noexcept = default;
  ~ReadOnlyPages() {
    if (ranges_ != nullptr) munmap(ranges_, kMost * sizeof(AddressRange));
  }
  ReadOnlyPages(const ReadOnlyPages&) = delete;
  ReadOnlyPages& operator=(const ReadOnlyPages&) = delete;

  bool Holds(const AddressRange& range) noexcept {
    if (!read_) Read();
    for (size_t i = 0; i < count_; ++i) {
      if (ranges_[i].Holds(range.begin)) return range.end <= ranges_[i].end;
    }
    return false;
  }

 private:
  static constexpr size_t kMost = size_t{1} << 20;  // of mappings; costs what is there

  void Read() noexcept {
    read_ = true;
    void* const room = mmap(nullptr, kMost * sizeof(AddressRange), PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (room == MAP_FAILED) return;
    ranges_ = static_cast<AddressRange*>(room);
    char text[4096];
    MapsReader maps(MapsReader::kSelf, text);
    for (MapsLine line; count_ < kMost && maps.Next(&line);) {
      if (line.readable && !line.writable) ranges_[count_++] = line.range;
    }
  }

  bool read_ = false;
  AddressRange* ranges_ = nullptr;
  size_t count_ = 0;
};

}  // namespace heapgauge

#endif  // HEAPGAUGE_SHIM_READ_ONLY_PAGES_H_
