#include "symbolize/main_executable.h"

#include <limits.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <unistd.h>

#include <array>
#include <memory>
#include <string_view>
#include <vector>

#include "elf/maps.h"

namespace heapgauge::symbolize {
namespace {

constexpr std::string_view kDeleted = " (deleted)";

void DropDeletedMark(std::string& path) {
  // A file may really be called so: the mark is the kernel's only if no such file exists.
  if (path.ends_with(kDeleted) && access(path.c_str(), F_OK) != 0) {
    path.resize(path.size() - kDeleted.size());
  }
}

}  // namespace

std::string AbsolutePath(const std::string& path) {
  if (path.empty() || path.front() == '/') return path;
  const std::unique_ptr<char, decltype(&free)> resolved(realpath(path.c_str(), nullptr), &free);
  return resolved ? std::string(resolved.get()) : path;
}

std::string MainExecutablePath() {
  std::array<char, PATH_MAX> buffer;
  const ssize_t length = readlink("/proc/thread-self/exe", buffer.data(), buffer.size());
  if (length > 0 && static_cast<size_t>(length) < buffer.size()) {
    std::string path(buffer.data(), static_cast<size_t>(length));
    DropDeletedMark(path);
    return path;
  }
  const unsigned long given = getauxval(AT_EXECFN);  // NOLINT(google-runtime-int): its type
  if (given == 0) return {};
  return AbsolutePath(reinterpret_cast<const char*>(given));
}

std::string MappedFileAt(uintptr_t address) {
  std::vector<char> room(MapsReader::kRoomForAll);
  MapsReader maps(MapsReader::kSelf, room);
  for (MapsLine line; maps.Next(&line);) {
    if (!line.range.Holds(address)) continue;
    if (!line.path.starts_with('/')) break;
    std::string path(line.path);
    DropDeletedMark(path);
    return path;
  }
  return {};
}

}  // namespace heapgauge::symbolize
