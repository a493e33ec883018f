#include "symbolize/main_executable.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <unistd.h>

#include <array>
#include <cinttypes>
#include <memory>
#include <string_view>

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
  const std::unique_ptr<FILE, decltype(&fclose)> maps(fopen("/proc/thread-self/maps", "re"),
                                                      &fclose);
  if (!maps) return {};
  char* line = nullptr;
  size_t capacity = 0;
  std::string path;
  for (ssize_t length; (length = getline(&line, &capacity, maps.get())) > 0;) {
    uintptr_t begin = 0;
    uintptr_t end = 0;
    int path_at = 0;
    if (sscanf(line, "%" SCNxPTR "-%" SCNxPTR " %*s %*s %*s %*s %n", &begin, &end, &path_at) < 2) {
      continue;
    }
    if (address < begin || address >= end) continue;
    if (path_at > 0 && line[path_at] == '/') {
      path.assign(line + path_at, static_cast<size_t>(length - path_at));
      if (path.ends_with('\n')) path.pop_back();
      DropDeletedMark(path);
    }
    break;
  }
  free(line);
  return path;
}

}  // namespace heapgauge::symbolize
