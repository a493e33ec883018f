#include "symbolize/debuginfod_settings.h"

#include <unistd.h>

#include <algorithm>

#include "base/descriptor.h"

namespace heapgauge::symbolize {
namespace {

constexpr size_t kMostBytes = size_t{1} << 20;
constexpr std::string_view kServers = "DEBUGINFOD_URLS=";
constexpr std::string_view kOwn = "DEBUGINFOD_";
// Where the cache is, and how servers are reached.
constexpr std::string_view kOthers[] = {
    "HOME=", "XDG_CACHE_HOME=", "http_proxy=", "https_proxy=", "no_proxy=", "all_proxy="};

}  // namespace

bool IsDebuginfodSetting(std::string_view setting) {
  return setting.starts_with(kOwn) || std::ranges::any_of(kOthers, [&](std::string_view name) {
           return setting.starts_with(name);
         });
}

std::vector<std::string> DebuginfodSettings() {
  const Descriptor file = Descriptor::OpenToRead("/proc/thread-self/environ");
  if (!file.valid()) return {};
  std::string text;
  char piece[4096];
  for (ssize_t got; text.size() < kMostBytes && (got = read(file.get(), piece, sizeof piece)) > 0;)
    text.append(piece, static_cast<size_t>(got));
  std::vector<std::string> settings;
  bool has_server = false;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\0', at), text.size());
    const std::string_view setting = std::string_view(text).substr(at, end - at);
    at = end + 1;
    if (!IsDebuginfodSetting(setting)) continue;
    settings.emplace_back(setting);
    has_server |= setting.starts_with(kServers) && setting.size() > kServers.size();
  }
  if (!has_server) settings.clear();
  return settings;
}

}  // namespace heapgauge::symbolize
