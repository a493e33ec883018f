#include "symbolize/module_files.h"

#include <link.h>
#include <sys/auxv.h>
#include <unistd.h>

#include <algorithm>
#include <initializer_list>
#include <utility>

#include "base/root_identity.h"
#include "elf/module_layout.h"
#include "elf/module_memory.h"
#include "symbolize/main_executable.h"
#include "symbolize/mapped_module.h"

namespace heapgauge::symbolize {
namespace {

std::optional<ElfFile> OpenIfSame(std::string path, const std::string& build_id) {
  if (build_id.empty() && RootHasChanged())
    return std::nullopt;  // there, another file has that name
  auto image = elf::ElfImage::OpenFile(path.c_str());
  if (!image || (!build_id.empty() && image->build_id() != build_id)) return std::nullopt;
  return ElfFile{std::move(path), std::move(*image)};
}

// The kernel maps the vdso's whole image, section headers included, in whole pages.
std::optional<ElfFile> OpenVdso(const std::string& build_id) {
  const uintptr_t begin = getauxval(AT_SYSINFO_EHDR);
  CheckedMemory memory;
  ModuleLayout layout;
  if (begin == 0 || !ReadLayoutAt(memory, begin, &layout)) return std::nullopt;
  const auto page = static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  const uint64_t size = (layout.extent.end - begin + page - 1) / page * page;
  auto image = elf::ElfImage::FromMemory({reinterpret_cast<const uint8_t*>(begin), size});
  if (!image || image->build_id() != build_id) return std::nullopt;
  return ElfFile{{}, std::move(*image)};
}

std::string DirectoryOf(const std::string& path) { return path.substr(0, path.rfind('/') + 1); }

std::optional<ElfFile> FindByLink(const std::string& path, const std::string& build_id,
                                  const elf::ElfImage& binary, const std::string& root) {
  const auto link = binary.ReadDebugLink();
  if (!link || !path.starts_with('/')) return std::nullopt;
  const std::string directory = DirectoryOf(path);
  for (const std::string& candidate : {directory + link->name, directory + ".debug/" + link->name,
                                       root + directory + link->name}) {
    if (candidate == path) continue;  // a link may bear the binary's own name
    auto file = OpenIfSame(candidate, build_id);
    if (!file) continue;
    if (build_id.empty() && file->image.Crc() != link->crc) continue;
    return file;
  }
  return std::nullopt;
}

}  // namespace

std::optional<ElfFile> FindBinary(const std::string& path, const std::string& build_id) {
  if (path.empty()) return std::nullopt;
  if (path == kVdsoPath) return OpenVdso(build_id);
  if (auto file = OpenIfSame(path, build_id)) return file;
  if (path == MainExecutablePath()) {
    // By number, not "self": the helper opens it too.  This thread's: the first one may have left.
    auto file = OpenIfSame("/proc/" + std::to_string(gettid()) + "/exe", build_id);
    if (file) return file;
  }
  return FindMapped(build_id);
}

std::optional<ElfFile> FindDebugFile(const std::string& path, const std::string& build_id,
                                     const elf::ElfImage* binary, const std::string& root) {
  if (build_id.size() > 2) {
    const std::string name =
        root + "/.build-id/" + build_id.substr(0, 2) + '/' + build_id.substr(2);
    if (auto file = OpenIfSame(name + ".debug", build_id)) return file;
  }
  if (binary == nullptr) return std::nullopt;
  return FindByLink(path, build_id, *binary, root);
}

}  // namespace heapgauge::symbolize
