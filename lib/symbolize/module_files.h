// The files that describe a module: its binary and, where symbols were split off, its debug file.
#ifndef HEAPGAUGE_SYMBOLIZE_MODULE_FILES_H_
#define HEAPGAUGE_SYMBOLIZE_MODULE_FILES_H_

#include <optional>
#include <string>

#include "elf/elf_image.h"

namespace heapgauge::symbolize {

inline constexpr char kDebugRoot[] = "/usr/lib/debug";
inline constexpr char kVdsoPath[] = "[vdso]";

struct ElfFile {
  std::string path;
  elf::ElfImage image;
};

// The module's own file.  Nothing unless its build-id is the one asked for: a file that an upgrade
// replaced would give names that look right and are wrong.  Without a build-id any ELF file is
// believed.  A running executable is found through /proc even after it was replaced; a library that
// is still loaded as mapped_module.h says; the vdso in memory.  (What is in memory has no path.)
std::optional<ElfFile> FindBinary(const std::string& path, const std::string& build_id);

// The separate debug file, by build-id (root/.build-id/xx/rest.debug), else by the .gnu_debuglink
// of `binary` (may be null) beside it, in .debug/ and under root.  Checked by build-id, or by its
// CRC where neither has one.
std::optional<ElfFile> FindDebugFile(const std::string& path, const std::string& build_id,
                                     const elf::ElfImage* binary, const std::string& root);

}  // namespace heapgauge::symbolize

#endif  // HEAPGAUGE_SYMBOLIZE_MODULE_FILES_H_
