#include "elf/elf_image.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <limits>

#include "base/readable.h"
#include "elf/build_id.h"
#include "elf/hex.h"

namespace heapgauge::elf {
namespace {

constexpr size_t kMaxSections = 65536;  // 4 MiB of table; real files have dozens
constexpr size_t kMaxNoteBytes = size_t{64} * 1024;

constexpr unsigned char kNativeClass = sizeof(void*) == 8 ? ELFCLASS64 : ELFCLASS32;
constexpr unsigned char kNativeOrder =
    __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? ELFDATA2LSB : ELFDATA2MSB;

// Not a local static: its guard would be inherited busy by a child that is forked meanwhile.
constexpr auto kCrcTable = [] {
  std::array<uint32_t, 256> table{};
  for (uint32_t i = 0; i < 256; ++i) {
    uint32_t value = i;
    for (int bit = 0; bit < 8; ++bit) value = (value >> 1) ^ ((value & 1) ? 0xEDB88320U : 0U);
    table[i] = value;
  }
  return table;
}();

}  // namespace

std::optional<ElfImage> ElfImage::OpenFile(const char* path) {
  Descriptor file = Descriptor::OpenToRead(path);
  if (!file.valid()) return std::nullopt;
  ElfImage image(std::move(file), {});
  if (!image.Parse()) return std::nullopt;
  return image;
}

std::optional<ElfImage> ElfImage::FromMemory(std::span<const uint8_t> bytes) {
  ElfImage image(Descriptor(), bytes);
  if (!image.Parse()) return std::nullopt;
  return image;
}

size_t ElfImage::Read(uint64_t offset, void* to, size_t size) const {
  const uint64_t charge = std::max<uint64_t>(size, kLeastCharge);
  if (charge > readable_bytes_) return 0;
  readable_bytes_ -= charge;
  if (!file_.valid()) {
    if (offset >= memory_.size() || size == 0) return 0;
    const size_t length = std::min<uint64_t>(size, memory_.size() - offset);
    if (loaded_) return CopyReadable(to, memory_.data() + offset, length) ? length : 0;
    std::memcpy(to, memory_.data() + offset, length);
    return length;
  }
  size_t done = 0;
  while (done < size) {
    const uint64_t at = offset + done;
    if (at < offset || at > uint64_t{std::numeric_limits<off_t>::max()}) break;
    const ssize_t got =
        pread(file_.get(), static_cast<uint8_t*>(to) + done, size - done, static_cast<off_t>(at));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    done += static_cast<size_t>(got);
  }
  return done;
}

std::string ElfImage::ReadString(uint64_t offset) const {
  std::string text;
  std::array<char, 256> piece;
  while (text.size() < kMaxString) {
    const size_t got = Read(offset + text.size(), piece.data(), piece.size());
    if (got == 0) break;
    const void* const end = std::memchr(piece.data(), '\0', got);
    if (end != nullptr) {
      text.append(piece.data(), static_cast<size_t>(static_cast<const char*>(end) - piece.data()));
      return text;
    }
    text.append(piece.data(), got);
  }
  return {};
}

bool ElfImage::Parse() {
  ElfW(Ehdr) header;
  if (!ReadExactly(0, &header, sizeof header) ||
      std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 ||
      header.e_ident[EI_CLASS] != kNativeClass || header.e_ident[EI_DATA] != kNativeOrder) {
    return false;
  }
  ParseSections(header);
  ParseBuildId(header);
  return true;
}

void ElfImage::ParseSections(const ElfW(Ehdr) & header) {
  if (header.e_shoff == 0 || header.e_shentsize != sizeof(Section)) return;
  Section first;
  if (!ReadExactly(header.e_shoff, &first, sizeof first)) return;
  // Counts that don't fit the header are in the first section's (gABI, "extended numbering").
  const uint64_t count = header.e_shnum != 0 ? header.e_shnum : first.sh_size;
  const uint64_t names = header.e_shstrndx != SHN_XINDEX ? header.e_shstrndx : first.sh_link;
  if (count > kMaxSections) return;
  sections_.resize(count);
  if (!ReadExactly(header.e_shoff, sections_.data(), count * sizeof(Section))) {
    sections_.clear();
    return;
  }
  if (names < count) {
    section_names_at_ = sections_[names].sh_offset;
    section_names_size_ = sections_[names].sh_size;
  }
}

bool ElfImage::TakeBuildId(uint64_t offset, uint64_t size, uint64_t alignment) {
  std::vector<uint8_t> notes(std::min<uint64_t>(size, kMaxNoteBytes));
  notes.resize(Read(offset, notes.data(), notes.size()));
  build_id_ = ToHex(FindBuildId(notes, alignment));
  return !build_id_.empty();
}

void ElfImage::ParseBuildId(const ElfW(Ehdr) & header) {
  // Sections first: in a separate debug file the program headers still tell the binary's offsets.
  for (const Section& section : sections_) {
    if (section.sh_type == SHT_NOTE &&
        TakeBuildId(section.sh_offset, section.sh_size, section.sh_addralign)) {
      return;
    }
  }
  if (header.e_phentsize != sizeof(ElfW(Phdr))) return;
  for (uint64_t i = 0; i < header.e_phnum; ++i) {
    ElfW(Phdr) segment;
    if (!ReadExactly(header.e_phoff + i * sizeof segment, &segment, sizeof segment)) return;
    if (segment.p_type == PT_NOTE &&
        TakeBuildId(segment.p_offset, segment.p_filesz, segment.p_align)) {
      return;
    }
  }
}

const ElfImage::Section* ElfImage::FindSection(uint32_t type) const {
  const auto found = std::find_if(sections_.begin(), sections_.end(),
                                  [&](const Section& section) { return section.sh_type == type; });
  return found == sections_.end() ? nullptr : &*found;
}

const ElfImage::Section* ElfImage::FindSection(std::string_view name) const {
  std::string there(name.size() + 1, '\0');
  const auto found = std::find_if(sections_.begin(), sections_.end(), [&](const Section& section) {
    return section.sh_name < section_names_size_ &&
           ReadExactly(section_names_at_ + section.sh_name, there.data(), there.size()) &&
           std::string_view(there.data(), name.size()) == name && there.back() == '\0';
  });
  return found == sections_.end() ? nullptr : &*found;
}

std::optional<ElfImage::DebugLink> ElfImage::ReadDebugLink() const {
  const Section* const section = FindSection(".gnu_debuglink");
  if (section == nullptr || section->sh_type == SHT_NOBITS) return std::nullopt;
  DebugLink link;
  link.name = ReadString(section->sh_offset);
  // The name is a file name; with a slash it could lead anywhere.
  if (link.name.empty() || link.name.find('/') != std::string::npos) return std::nullopt;
  const uint64_t crc_at = section->sh_offset + ((link.name.size() + 1 + 3) & ~uint64_t{3});
  if (!ReadExactly(crc_at, &link.crc, sizeof link.crc)) return std::nullopt;
  return link;
}

std::optional<uint32_t> ElfImage::Crc() const {
  std::vector<uint8_t> buffer(size_t{64} * 1024);
  uint32_t crc = 0xFFFFFFFFU;
  for (uint64_t at = 0; at < kMaxCrcBytes;) {
    const size_t got = Read(at, buffer.data(), buffer.size());
    if (got == 0) return ~crc;
    for (size_t i = 0; i < got; ++i) crc = kCrcTable[(crc ^ buffer[i]) & 0xFF] ^ (crc >> 8);
    at += got;
  }
  return std::nullopt;
}

}  // namespace heapgauge::elf
