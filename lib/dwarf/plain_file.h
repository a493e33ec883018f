// Files with debug sections that were compressed with zstd, which libdw before 0.189, and later ones
// built without it, can't read: the same file in memory, with those sections inflated.
//
// libzstd is loaded when the first of them comes: as a rule none does.  zlib, in both its forms
// (SHF_COMPRESSED, .zdebug_*), is libelf's business, which refuses what claims to be impossibly
// large.
#ifndef HEAPGAUGE_DWARF_PLAIN_FILE_H_
#define HEAPGAUGE_DWARF_PLAIN_FILE_H_

#include <cstdint>
#include <string>

#include "base/descriptor.h"
#include "elf/elf_image.h"

namespace heapgauge::dwarf {

// Whether the file has debug sections in zstd.
bool HasZstdSections(const elf::ElfImage& image);

struct PlainFile {
  Descriptor file;      // in memory, to be read from its beginning; not valid: there is none
  uint64_t bytes = 0;   // that it takes
  std::string problem;  // why there is none, for people
};

// What is needed to read its debug information: headers, notes, and what is not loaded into
// memory.  At most `most_bytes`, whatever the sections claim to hold; the work is bounded by that.
PlainFile MakePlain(const elf::ElfImage& image, const std::string& path, uint64_t most_bytes);

}  // namespace heapgauge::dwarf

#endif  // HEAPGAUGE_DWARF_PLAIN_FILE_H_
