// One ELF file, read piecewise and with suspicion: every figure in it may be damaged.
//
// The file is read with pread, not mapped: were it cut short under a mapping (a library copied over
// in place), the host would die of SIGBUS.  It also keeps our memory at a few pages, whatever the
// file's size.
#ifndef HEAPGAUGE_ELF_ELF_IMAGE_H_
#define HEAPGAUGE_ELF_ELF_IMAGE_H_

#include <link.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/descriptor.h"

namespace heapgauge::elf {

class ElfImage final {
 public:
  using Section = ElfW(Shdr);

  // What .gnu_debuglink says: the name of a separate debug file and the CRC-32 of its content.
  struct DebugLink {
    std::string name;
    uint32_t crc = 0;
  };

  // Nothing if it can't be read or isn't an ELF file of this machine's class and byte order.
  static std::optional<ElfImage> OpenFile(const char* path);
  // An image in memory (the vdso, a test's); it must outlive this object.
  static std::optional<ElfImage> FromMemory(std::span<const uint8_t> bytes);

  // A module as the loader left it.
  struct Loaded {
    uintptr_t begin = 0;  // of all its segments
    uintptr_t end = 0;
    uintptr_t bias = 0;     // run-time address - address in the ELF file
    uintptr_t dynamic = 0;  // its dynamic section
  };
  // What is left of a module whose file can't be opened any more: the table of the names that it
  // offers to others (.dynsym), in memory.  No other section, no build-id.  Pages that are gone
  // are not touched.
  static std::optional<ElfImage> FromLoaded(const Loaded& module);

  // Bytes read, fewer at the end of the file.
  size_t Read(uint64_t offset, void* to, size_t size) const;
  bool ReadExactly(uint64_t offset, void* to, size_t size) const {
    return Read(offset, to, size) == size;
  }
  // The NUL-terminated string there; "" if it has no end within kMaxString or the file.
  std::string ReadString(uint64_t offset) const;

  // Empty if the table is missing or damaged.
  const std::vector<Section>& sections() const { return sections_; }
  const Section* FindSection(uint32_t type) const;
  const Section* FindSection(std::string_view name) const;

  const std::string& build_id() const { return build_id_; }  // hex, "" if none
  std::optional<DebugLink> ReadDebugLink() const;
  // CRC-32 as .gnu_debuglink means it; nothing for files over kMaxCrcBytes or unreadable.
  std::optional<uint32_t> Crc() const;

  // What one image may cost in all, whatever its figures say: half a second of reading, or of
  // finding nothing in a file of holes.  A browser's symbol tables have 150 MiB.  Past it nothing
  // is read.
  static constexpr uint64_t kMaxReadBytes = uint64_t{512} * 1024 * 1024;
  // A read of a few bytes costs as much as one of this many.
  static constexpr uint64_t kLeastCharge = 1024;
  static constexpr size_t kMaxString = size_t{64} * 1024;
  // Half a second of reading; a file this large has a build-id, which needs no checksum.
  static constexpr uint64_t kMaxCrcBytes = uint64_t{256} * 1024 * 1024;

 private:
  ElfImage(Descriptor file, std::span<const uint8_t> memory)
      : file_(std::move(file)), memory_(memory) {}
  bool Parse();
  void ParseSections(const ElfW(Ehdr) & header);
  void ParseBuildId(const ElfW(Ehdr) & header);
  bool TakeBuildId(uint64_t offset, uint64_t size, uint64_t alignment);

  Descriptor file_;
  mutable uint64_t readable_bytes_ = kMaxReadBytes;  // what is left of it
  std::span<const uint8_t> memory_;                  // used where file_ is not valid
  bool loaded_ = false;                              // memory_ has holes
  std::vector<Section> sections_;
  uint64_t section_names_at_ = 0;
  uint64_t section_names_size_ = 0;
  std::string build_id_;
};

}  // namespace heapgauge::elf

#endif  // HEAPGAUGE_ELF_ELF_IMAGE_H_
