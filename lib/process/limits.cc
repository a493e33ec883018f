#include "process/limits.h"

#include <algorithm>
#include <charconv>

namespace heapgauge {
namespace {

// Takes the text up to `separator` off `rest`.
std::string_view Take(std::string_view& rest, char separator) {
  const size_t end = rest.find(separator);
  const std::string_view taken = rest.substr(0, end);
  rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  return taken;
}

std::string_view Trim(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

// A whole number that is all there is; nullopt otherwise, also when it does not fit.
std::optional<uint64_t> Number(std::string_view text) {
  text = Trim(text);
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// "1234 kB" in bytes.
std::optional<uint64_t> Kilobytes(std::string_view text) {
  text = Trim(text);
  if (!text.ends_with("kB")) return std::nullopt;
  const auto value = Number(text.substr(0, text.size() - 2));
  if (!value || *value > UINT64_MAX / 1024) return std::nullopt;
  return *value * 1024;
}

// mountinfo and cgroup write a space in a path as \040.
std::string Unescape(std::string_view text) {
  std::string plain;
  for (size_t i = 0; i < text.size(); ++i) {
    const auto is_octal = [&](size_t k) {
      return k < text.size() && text[k] >= '0' && text[k] <= '7';
    };
    if (text[i] == '\\' && is_octal(i + 1) && is_octal(i + 2) && is_octal(i + 3)) {
      plain += static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 +
                                 (text[i + 3] - '0'));
      i += 3;
    } else {
      plain += text[i];
    }
  }
  return plain;
}

bool HasItem(std::string_view list, std::string_view item) {
  while (!list.empty()) {
    if (Take(list, ',') == item) return true;
  }
  return false;
}

struct Mount {
  std::string root;  // which part of the hierarchy is mounted
  std::string point;
  int version = 0;  // 0: not a memory cgroup mount
};

// "36 35 98:0 /root /point rw,noatime master:1 - cgroup2 cgroup2 rw,memory"
Mount ParseMount(std::string_view line) {
  Mount mount;
  const size_t dash = line.find(" - ");
  if (dash == std::string_view::npos) return mount;
  std::string_view after = line.substr(dash + 3);
  const std::string_view type = Take(after, ' ');
  Take(after, ' ');
  if (type == "cgroup2") mount.version = 2;
  if (type == "cgroup" && HasItem(Trim(after), "memory")) mount.version = 1;
  for (int field = 0; field < 3; ++field) Take(line, ' ');
  mount.root = Unescape(Take(line, ' '));
  mount.point = Unescape(Take(line, ' '));
  return mount;
}

// The directories from `path` in the hierarchy up to the mount's own.
void Climb(const Mount& mount, std::string path, std::vector<CgroupDirectory>& out) {
  // Inside a cgroup namespace, or with a bind mount, the mount shows the hierarchy from its root
  // on.
  const bool below = path.starts_with(mount.root) &&
                     (path.size() == mount.root.size() || path[mount.root.size()] == '/');
  if (mount.root != "/" && below) path.erase(0, mount.root.size());
  // A path outside the namespace's root is shown with "..": the mount's own level is what can be
  // read.
  if (path.find("..") != std::string::npos) path.clear();
  while (!path.empty() && path.back() == '/') path.pop_back();
  while (!path.empty()) {
    out.push_back({mount.point + path, mount.version});
    path.erase(path.find_last_of('/'));
  }
  out.push_back({mount.point, mount.version});
}

void Consider(std::optional<MemoryLimit>& nearest, uint64_t limit, uint64_t usage,
              const char* source) {
  const MemoryLimit candidate{limit, usage, source};
  if (!nearest || candidate.HeadroomBytes() < nearest->HeadroomBytes()) nearest = candidate;
}

}  // namespace

ProcessStatus ParseProcessStatus(std::string_view text) {
  ProcessStatus status;
  while (!text.empty()) {
    std::string_view line = Take(text, '\n');
    const std::string_view key = Take(line, ':');
    if (key == "VmRSS") status.rss = Kilobytes(line);
    if (key == "RssAnon") status.rss_anon = Kilobytes(line);
    if (key == "RssFile") status.rss_file = Kilobytes(line);
    if (key == "RssShmem") status.rss_shmem = Kilobytes(line);
    if (key == "VmSize") status.virtual_size = Kilobytes(line);
    if (key == "VmData") status.data = Kilobytes(line);
    if (key == "VmStk") status.stack = Kilobytes(line);
    if (key == "VmSwap") status.swap = Kilobytes(line);
    if (key == "HugetlbPages") status.huge = Kilobytes(line);
    if (key == "Threads") status.threads = Number(line);
  }
  return status;
}

std::optional<ProcessStatm> ParseStatm(std::string_view text, uint64_t page_bytes) {
  text = Trim(text);
  uint64_t pages[6] = {};
  for (uint64_t& field : pages) {
    const auto value = Number(Take(text, ' '));
    if (!value || *value > UINT64_MAX / page_bytes) return std::nullopt;
    field = *value * page_bytes;
  }
  return ProcessStatm{pages[0], pages[1], pages[2], pages[5]};
}

MachineMemory ParseMeminfo(std::string_view text) {
  MachineMemory memory;
  while (!text.empty()) {
    std::string_view line = Take(text, '\n');
    const std::string_view key = Take(line, ':');
    if (key == "MemTotal") memory.total = Kilobytes(line);
    if (key == "MemAvailable") memory.available = Kilobytes(line);
  }
  return memory;
}

std::vector<CgroupDirectory> MemoryCgroups(std::string_view cgroup, std::string_view mountinfo) {
  std::string path_v1;
  std::string path_v2;
  while (!cgroup.empty()) {  // "4:memory:/path", v2: "0::/path"
    std::string_view line = Take(cgroup, '\n');
    const std::string_view id = Take(line, ':');
    const std::string_view controllers = Take(line, ':');
    if (id == "0" && controllers.empty()) path_v2 = Unescape(line);
    if (HasItem(controllers, "memory")) path_v1 = Unescape(line);
  }
  std::vector<CgroupDirectory> directories;
  while (!mountinfo.empty()) {
    const Mount mount = ParseMount(Take(mountinfo, '\n'));
    const std::string& path = mount.version == 1 ? path_v1 : path_v2;
    if (mount.version != 0 && path.starts_with('/')) Climb(mount, path, directories);
  }
  return directories;
}

std::optional<CgroupLevel> ParseCgroupLevel(const CgroupTexts& texts) {
  CgroupLevel level;
  const auto usage = Number(texts.usage);
  if (!usage) return std::nullopt;
  level.usage = *usage;
  if (Trim(texts.limit) != "max") {
    level.limit = Number(texts.limit);
    if (!level.limit) return std::nullopt;
    if (*level.limit >= uint64_t{1} << 62) level.limit.reset();  // v1 writes 2^63 less a page
  }
  std::string_view stat = texts.stat;
  const std::string_view cache = texts.version == 1 ? "total_inactive_file" : "inactive_file";
  while (!stat.empty()) {
    std::string_view line = Take(stat, '\n');
    if (Take(line, ' ') != cache) continue;
    if (const auto bytes = Number(line)) level.usage -= std::min(level.usage, *bytes);
  }
  return level;
}

std::optional<MemoryLimit> NearestLimit(const LimitInputs& inputs) {
  std::optional<MemoryLimit> nearest;
  for (const CgroupLevel& level : inputs.cgroups) {
    if (level.limit) Consider(nearest, *level.limit, level.usage, "cgroup");
  }
  if (inputs.rlimit_as && inputs.status.virtual_size) {
    Consider(nearest, *inputs.rlimit_as, *inputs.status.virtual_size, "rlimit");
  }
  if (inputs.rlimit_data && inputs.status.data) {
    Consider(nearest, *inputs.rlimit_data, *inputs.status.data, "rlimit");
  }
  if (inputs.machine.available && inputs.status.rss) {
    // What this process may come to hold: what it has and what is left.
    Consider(nearest, *inputs.status.rss + *inputs.machine.available, *inputs.status.rss, "memory");
  }
  return nearest;
}

}  // namespace heapgauge
