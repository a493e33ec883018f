#include "dwarf/debuginfod.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <unistd.h>

#include <chrono>

#include "symbolize/debuginfod_settings.h"

namespace heapgauge::dwarf {
namespace {

using Clock = std::chrono::steady_clock;

// For all files of one request together: the asker waits, and has names without them.
constexpr std::chrono::seconds kPatience{3};

struct Client;
Clock::time_point g_deadline;

// Of a library that is loaded by name: its interface has not changed since 0.178.
struct Library {
  Client* (*begin)() = nullptr;
  void (*end)(Client*) = nullptr;
  void (*set_progress)(Client*, int (*)(Client*, long, long)) = nullptr;  // NOLINT: its types
  int (*find)(Client*, const unsigned char* id, int size, char** path) = nullptr;

  bool Load() {
    void* const library = dlopen("libdebuginfod.so.1", RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) return false;
    reinterpret_cast<void*&>(begin) = dlsym(library, "debuginfod_begin");
    reinterpret_cast<void*&>(end) = dlsym(library, "debuginfod_end");
    reinterpret_cast<void*&>(set_progress) = dlsym(library, "debuginfod_set_progressfn");
    reinterpret_cast<void*&>(find) = dlsym(library, "debuginfod_find_debuginfo");
    return begin != nullptr && end != nullptr && set_progress != nullptr && find != nullptr;
  }
};

}  // namespace

void SetDebuginfod(const std::vector<std::string>& settings) {
  unsetenv("DEBUGINFOD_URLS");  // if this program is run by hand
  for (const std::string& setting : settings) {
    const size_t equals = setting.find('=');
    if (equals == std::string::npos || !symbolize::IsDebuginfodSetting(setting)) continue;
    setenv(setting.substr(0, equals).c_str(), setting.c_str() + equals + 1, 1);
  }
  // Where the asker has no wish: a server that is slow is none, and no file may fill the disk.
  setenv("DEBUGINFOD_TIMEOUT", "2", 0);
  setenv("DEBUGINFOD_MAXSIZE", "1073741824", 0);
}

std::string AskDebuginfod(const std::string& build_id) {
  const char* const servers = getenv("DEBUGINFOD_URLS");
  if (servers == nullptr || *servers == '\0' || build_id.empty()) return {};
  if (g_deadline == Clock::time_point{}) g_deadline = Clock::now() + kPatience;
  Library library;
  if (Clock::now() >= g_deadline || !library.Load()) return {};
  Client* const client = library.begin();
  if (client == nullptr) return {};
  library.set_progress(client, [](Client*, long, long) {  // NOLINT: its types
    return Clock::now() >= g_deadline ? 1 : 0;
  });
  char* path = nullptr;
  // Size 0: the id is text.
  const int file =
      library.find(client, reinterpret_cast<const unsigned char*>(build_id.c_str()), 0, &path);
  library.end(client);
  std::string found;
  if (file >= 0) {
    close(file);
    if (path != nullptr) found = path;
  }
  free(path);
  return found;
}

}  // namespace heapgauge::dwarf
