#include "symbolize/mapped_module.h"

#include <stdio.h>
#include <unistd.h>

#include <algorithm>
#include <cinttypes>
#include <memory>
#include <span>
#include <utility>

#include "base/readable.h"
#include "elf/hex.h"
#include "elf/maps.h"
#include "symbolize/module_scan.h"

namespace heapgauge::symbolize {
namespace {

bool HeadIs(const void* begin, size_t size, const FileHead& head) {
  char bytes[FileHead::kMostBytes];
  if (head.bytes == 0 || head.bytes > sizeof bytes || head.bytes > size ||
      !CopyReadable(bytes, begin, head.bytes)) {
    return false;
  }
  ContentHash hash;
  hash.Mix(bytes, head.bytes);
  return hash.Get() == head.hash;
}

bool IsIt(const ScannedModule& module, const std::string& build_id, const FileHead& head) {
  if (!build_id.empty()) {
    return build_id == elf::ToHex({module.build_id.data(), module.build_id_size});
  }
  return module.build_id_size == 0 && HeadIs(reinterpret_cast<const void*>(module.extent.begin),
                                             module.extent.end - module.extent.begin, head);
}

// The mapping that begins there.
struct Mapping {
  std::string range;  // "7f00-7f10", as map_files has it
  std::string path;   // "" for none; the kernel's " (deleted)" is left on it
};

std::optional<Mapping> MappingAt(uintptr_t begin) {
  const auto room = std::make_unique<char[]>(MapsReader::kRoomForAll);
  MapsReader maps(MapsReader::kSelf, {room.get(), MapsReader::kRoomForAll});
  MapsLine line;
  while (maps.Next(&line)) {
    if (line.range.begin != begin) continue;
    char range[64];
    snprintf(range, sizeof range, "%" PRIxPTR "-%" PRIxPTR, line.range.begin, line.range.end);
    return Mapping{range, line.path.starts_with('/') ? std::string(line.path) : std::string()};
  }
  return std::nullopt;
}

std::optional<ElfFile> OpenContent(std::string path, const std::string& build_id,
                                   const FileHead& head) {
  auto image = elf::ElfImage::OpenFile(path.c_str());
  if (!image || image->build_id() != build_id) return std::nullopt;
  if (build_id.empty() && !BeginsSo(*image, head)) return std::nullopt;
  return ElfFile{std::move(path), std::move(*image)};
}

}  // namespace

bool BeginsSo(const elf::ElfImage& image, const FileHead& head) {
  char begin[FileHead::kMostBytes];
  return head.bytes <= sizeof begin && image.ReadExactly(0, begin, head.bytes) &&
         HeadIs(begin, sizeof begin, head);
}

std::optional<ElfFile> FindMapped(const std::string& build_id, const FileHead& head) {
  if (build_id.empty() && head.bytes == 0) return std::nullopt;
  const ModuleScan scan = ScanModules();
  const auto module =
      std::find_if(scan.modules.begin(), scan.modules.end(), [&](const ScannedModule& scanned) {
        return !scanned.cut_short && IsIt(scanned, build_id, head);
      });
  if (module == scan.modules.end()) return std::nullopt;
  const auto page = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
  if (const auto mapping = MappingAt(module->extent.begin / page * page)) {
    if (auto file = OpenContent(mapping->path, build_id, head)) return file;
    // By number, not "self": the helper opens it too.
    std::string file = "/proc/" + std::to_string(gettid()) + "/map_files/" + mapping->range;
    if (auto opened = OpenContent(std::move(file), build_id, head)) return opened;
  }
  auto image = elf::ElfImage::FromLoaded(
      {module->extent.begin, module->extent.end, module->bias, module->dynamic});
  if (!image) return std::nullopt;
  return ElfFile{{}, std::move(*image)};
}

}  // namespace heapgauge::symbolize
