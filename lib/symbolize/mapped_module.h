// A module of this process whose file has another name by now, or none: an upgrade has put another
// file in its place while the process runs.
#ifndef HEAPGAUGE_SYMBOLIZE_MAPPED_MODULE_H_
#define HEAPGAUGE_SYMBOLIZE_MAPPED_MODULE_H_

#include <optional>
#include <string>

#include "base/content_hash.h"
#include "symbolize/module_files.h"

namespace heapgauge::symbolize {

// The loaded module of this content (a build-id, or how its file begins): its file, by a name that
// it was given since or by /proc/N/map_files, which needs CAP_SYS_ADMIN or CAP_CHECKPOINT_RESTORE.
// Where neither opens it, what is mapped of it: then the ElfFile has no path, and has the names
// that the module offers to others, no more.
std::optional<ElfFile> FindMapped(const std::string& build_id, const FileHead& head = {});

bool BeginsSo(const elf::ElfImage& image, const FileHead& head);

}  // namespace heapgauge::symbolize

#endif  // HEAPGAUGE_SYMBOLIZE_MAPPED_MODULE_H_
