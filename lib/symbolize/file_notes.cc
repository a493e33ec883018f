#include "symbolize/file_notes.h"

#include <sys/stat.h>

#include <cerrno>
#include <optional>

#include "base/root_identity.h"
#include "symbolize/mapped_module.h"
#include "symbolize/module_files.h"

namespace heapgauge::symbolize {
namespace {

enum class OnDisk { kSame, kAnother, kGone, kUnknown };

OnDisk Look(const ModuleAddress& module) {
  const auto file = elf::ElfImage::OpenFile(module.module.c_str());
  if (file) {
    const bool same =
        file->build_id() == module.build_id &&
        (!module.build_id.empty() || module.head.bytes == 0 || BeginsSo(*file, module.head));
    return same ? OnDisk::kSame : OnDisk::kAnother;
  }
  struct stat status;
  if (stat(module.module.c_str(), &status) == 0) return OnDisk::kUnknown;
  return errno == ENOENT || errno == ENOTDIR ? OnDisk::kGone : OnDisk::kUnknown;
}

}  // namespace

std::string ReplacedNote(const ModuleAddress& module, const std::string& debug_root, bool lines) {
  const std::string& path = module.module;
  // In another root the names mean other files.
  if (!path.starts_with('/') || RootHasChanged()) return {};
  const OnDisk on_disk = Look(module);
  if (on_disk == OnDisk::kSame || on_disk == OnDisk::kUnknown) return {};
  std::string note = path + (on_disk == OnDisk::kGone ? " is gone from the disk"
                                                      : " is another build on disk by now");
  const auto binary =
      module.build_id.empty() ? FindMapped({}, module.head) : FindBinary(path, module.build_id);
  if (binary && !binary->path.empty() && (lines || !module.build_id.empty())) {
    return note + "; names are those of the build that runs, which is still mapped.";
  }
  if (FindDebugFile(path, module.build_id, nullptr, debug_root)) {
    return note + "; names are those of the build that runs, from its debug file.";
  }
  note += binary
              ? " than the one that runs: of that, only the names that it offers to other modules"
                " are left, and no lines."
              : " than the one that ran: that one has no names left.";
  return note + (lines && !module.build_id.empty()
                     ? " Its debug file under " + debug_root + "/.build-id/" +
                           module.build_id.substr(0, 2) + " would name the others."
                     : "");
}

}  // namespace heapgauge::symbolize
