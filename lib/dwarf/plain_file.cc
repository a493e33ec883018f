#include "dwarf/plain_file.h"

#include <dlfcn.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <span>
#include <vector>

namespace heapgauge::dwarf {
namespace {

using Section = elf::ElfImage::Section;

constexpr uint32_t kCompressedZstd = 2;  // ELFCOMPRESS_ZSTD; older <elf.h> has no name for it

// Of a library that is loaded by name: its interface in C has not changed since 1.0.
struct Zstd {
  size_t (*decompress)(void* to, size_t room, const void* from, size_t size) = nullptr;
  unsigned (*is_error)(size_t code) = nullptr;

  bool Load() {
    void* const library = dlopen("libzstd.so.1", RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) return false;
    reinterpret_cast<void*&>(decompress) = dlsym(library, "ZSTD_decompress");
    reinterpret_cast<void*&>(is_error) = dlsym(library, "ZSTD_isError");
    return decompress != nullptr && is_error != nullptr;
  }
};

std::optional<ElfW(Chdr)> ZstdHeader(const elf::ElfImage& image, const Section& section) {
  ElfW(Chdr) header;
  if ((section.sh_flags & SHF_COMPRESSED) == 0 || section.sh_type == SHT_NOBITS ||
      section.sh_size < sizeof header ||
      !image.ReadExactly(section.sh_offset, &header, sizeof header) ||
      header.ch_type != kCompressedZstd) {
    return std::nullopt;
  }
  return header;
}

// A file or memory, mapped whole.
class Mapping final {
 public:
  Mapping(const Descriptor& file, uint64_t bytes, int protection) : bytes_(bytes) {
    void* const place =
        bytes == 0 ? MAP_FAILED : mmap(nullptr, bytes, protection, MAP_SHARED, file.get(), 0);
    if (place != MAP_FAILED) begin_ = static_cast<uint8_t*>(place);
  }
  ~Mapping() {
    if (begin_ != nullptr) munmap(begin_, bytes_);
  }
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;

  bool valid() const { return begin_ != nullptr; }
  // Those bytes, if all of them are there.
  uint8_t* At(uint64_t offset, uint64_t size) const {
    return offset <= bytes_ && size <= bytes_ - offset ? begin_ + offset : nullptr;
  }

 private:
  uint8_t* begin_ = nullptr;
  uint64_t bytes_;
};

// What is read: a section that is not in memory when the program runs, or a note.
bool IsWanted(const Section& section) {
  return section.sh_type != SHT_NOBITS && section.sh_type != SHT_NULL &&
         ((section.sh_flags & SHF_ALLOC) == 0 || section.sh_type == SHT_NOTE);
}

// Where each section goes: behind each other, after the headers.
struct Plan {
  std::vector<Section> sections;  // as they will be
  uint64_t bytes = 0;
};

Plan MakePlan(const elf::ElfImage& image, uint64_t headers, uint64_t most) {
  Plan plan;
  plan.bytes = headers;
  for (Section section : image.sections()) {
    if (const auto header = ZstdHeader(image, section)) {
      section.sh_size = header->ch_size;
      section.sh_addralign = header->ch_addralign;
      section.sh_flags &= ~uint64_t{SHF_COMPRESSED};
    }
    if (IsWanted(section)) {
      plan.bytes = (plan.bytes + 15) / 16 * 16;
      section.sh_offset = plan.bytes;
      if (section.sh_size > most || plan.bytes > most - section.sh_size) {
        plan.bytes = most + 1;
        return plan;
      }
      plan.bytes += section.sh_size;
    } else if (section.sh_type != SHT_NOBITS && section.sh_type != SHT_NULL) {
      section.sh_type = SHT_NOBITS;  // its content is left out
    }
    plan.sections.push_back(section);
  }
  return plan;
}

}  // namespace

bool HasZstdSections(const elf::ElfImage& image) {
  return std::ranges::any_of(image.sections(), [&](const Section& section) {
    return ZstdHeader(image, section).has_value();
  });
}

PlainFile MakePlain(const elf::ElfImage& image, const std::string& path, uint64_t most_bytes) {
  PlainFile made;
  const auto fail = [&](const char* why) -> PlainFile&& {
    made.problem = path + ": debug sections compressed with zstd" + why;
    made.file = Descriptor();
    return std::move(made);
  };
  Zstd zstd;
  if (!zstd.Load()) return fail(", and libzstd.so.1 is not there to read them");
  const Descriptor file = Descriptor::OpenToRead(path.c_str());
  struct stat status;
  if (!file.valid() || fstat(file.get(), &status) != 0) return fail(" can't be read");
  const Mapping from(file, static_cast<uint64_t>(status.st_size), PROT_READ);
  ElfW(Ehdr) header;
  if (!from.valid() || !image.ReadExactly(0, &header, sizeof header)) return fail(" can't be read");
  const uint64_t table_bytes = image.sections().size() * sizeof(Section);
  const uint64_t segment_bytes = uint64_t{header.e_phnum} * sizeof(ElfW(Phdr));
  const Plan plan = MakePlan(image, sizeof header + segment_bytes + table_bytes, most_bytes);
  if (plan.bytes > most_bytes) return fail(" would take more memory than may be used");

  made.bytes = plan.bytes;
  made.file = Descriptor(memfd_create("plain", MFD_CLOEXEC));
  if (!made.file.valid() || ftruncate(made.file.get(), static_cast<off_t>(plan.bytes)) != 0) {
    return fail(" found no memory");
  }
  const Mapping to(made.file, plan.bytes, PROT_READ | PROT_WRITE);
  if (!to.valid()) return fail(" found no memory");
  const uint8_t* const segments = from.At(header.e_phoff, segment_bytes);
  header.e_phoff = sizeof header;
  header.e_shoff = sizeof header + segment_bytes;
  if (segments != nullptr) std::memcpy(to.At(header.e_phoff, 0), segments, segment_bytes);
  std::memcpy(to.At(0, 0), &header, sizeof header);
  std::memcpy(to.At(header.e_shoff, 0), plan.sections.data(), table_bytes);
  for (size_t i = 0; i < plan.sections.size(); ++i) {
    const Section& old = image.sections()[i];
    const Section& section = plan.sections[i];
    if (!IsWanted(old)) continue;
    const uint8_t* const content = from.At(old.sh_offset, old.sh_size);
    uint8_t* const place = to.At(section.sh_offset, section.sh_size);
    if (content == nullptr || place == nullptr) return fail(" are damaged");
    if (!ZstdHeader(image, old)) {
      std::memcpy(place, content, section.sh_size);
      continue;
    }
    const size_t got = zstd.decompress(place, section.sh_size, content + sizeof(ElfW(Chdr)),
                                       old.sh_size - sizeof(ElfW(Chdr)));
    if (zstd.is_error(got) != 0 || got != section.sh_size) return fail(" are damaged");
  }
  return made;
}

}  // namespace heapgauge::dwarf
