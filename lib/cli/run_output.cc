#include "cli/run_output.h"

#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string_view>
#include <system_error>

#include "base/basename.h"
#include "cli/message.h"
#include "report/directory_owner.h"
#include "report/output_directory.h"

namespace heapgauge::cli {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kSecondNs = 1'000'000'000;

int64_t InNs(const timespec& time) { return time.tv_sec * kSecondNs + time.tv_nsec; }

// When the directory's newest report was written [ns]; 0 if it holds none.
int64_t ReportTime(const std::string& directory) {
  int64_t newest = 0;
  for (const char* name : {"reports.jsonl", "reports.jsonl.1", "report.txt"}) {
    struct stat status {};
    if (stat(fmt::format("{}/{}", directory, name).c_str(), &status) == 0 && status.st_size > 0) {
      newest = std::max(newest, InNs(status.st_mtim));
    }
  }
  return newest;
}

uint64_t SizeOf(const std::string& path) {
  struct stat status {};
  return lstat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode)
             ? static_cast<uint64_t>(status.st_size)
             : 0;
}

// Lines behind the first `skipped` bytes; all of them if the file is a new one.  0: there is none.
uint64_t CountLines(const std::string& path, uint64_t skipped) {
  const uint64_t size = SizeOf(path);
  if (size == 0) return 0;
  std::ifstream file(path, std::ios::binary);
  if (size >= skipped) file.seekg(static_cast<std::streamoff>(skipped));
  return static_cast<uint64_t>(
      std::count(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>(), '\n'));
}

bool IsNumber(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

// Could `name` come from `pattern`, with any executable and any host, and with this pid (any if 0)?
bool Matches(std::string_view pattern, std::string_view name, pid_t pid) {
  if (pattern.empty()) return name.empty();
  const char key = pattern[0] == '%' && pattern.size() > 1 ? pattern[1] : '\0';
  if (key != 'e' && key != 'p' && key != 'h') {
    if (name.empty() || name[0] != pattern[0]) return false;
    return Matches(pattern.substr(key == '%' ? 2 : 1), name.substr(1), pid);
  }
  for (size_t length = 1; length <= name.size(); ++length) {
    const std::string_view value = name.substr(0, length);
    if (key == 'p' && !IsNumber(value)) return false;
    if (key == 'p' && pid != 0 && value != std::to_string(pid)) continue;
    if (Matches(pattern.substr(2), name.substr(length), pid)) return true;
  }
  return false;
}

std::string ParentOf(const std::string& path) {
  const std::string parent = path.substr(0, path.rfind('/'));
  return parent.empty() ? "/" : parent;
}

// Written a moment ago: what counts as new goes by whole seconds, as some file systems' times do.
std::map<std::string, int64_t> FindEarlier(const RunOutput& output) {
  std::map<std::string, int64_t> found;
  const int64_t lately = InNs(FileClock()) - 2 * kSecondNs;
  const std::string_view name_pattern = Basename(output.pattern);
  std::error_code failure;
  for (fs::directory_iterator it(ParentOf(output.path), failure), end; !failure && it != end;
       it.increment(failure)) {
    if (!Matches(name_pattern, it->path().filename().string(), 0)) continue;
    const int64_t time = ReportTime(it->path().string());
    if (time >= lately) found.emplace(it->path().string(), time);
  }
  return found;
}

// A run that wrote nothing leaves nothing behind.  Only ever an empty file and an empty directory
// are removed.
void TakeMarkAway(const std::string& directory) {
  const std::string mark = directory + "/reports.jsonl";
  struct stat status {};
  if (lstat(mark.c_str(), &status) == 0 && S_ISREG(status.st_mode) && status.st_size == 0) {
    unlink(mark.c_str());
    unlink((directory + "/owner").c_str());
    rmdir(directory.c_str());
  }
}

}  // namespace

namespace {

// `path`, or the next name that is no other process's, as the library will find it too; *path is
// that one.
int OpenFree(const std::string& pattern, std::string* path, std::string* error) {
  Claimant claimant;
  claimant.pid = getpid();
  claimant.instance = InstanceOf(claimant.pid);
  claimant.began = FileClock();
  claimant.name_has_pid = pattern.find("%p") != std::string::npos;
  const std::string wanted = *path;
  constexpr int kMostNames = 100;
  for (int number = 1;; ++number) {
    const int directory = OpenReportDirectory(*path, true, error);
    if (directory < 0) return -1;
    const bool locked = LockDirectory(directory) != DirectoryLock::kAnothers;
    if (number == kMostNames || (locked && MayOwn(directory, claimant))) {
      // Under the lock that closing it gives back.
      NameOwner(directory, claimant.instance);
      return directory;
    }
    close(directory);
    if (claimant.name_has_pid) {
      *path = fmt::format("{}.{}", wanted, number + 1);
    } else if (number == 1) {
      *path = fmt::format("{}.{}", wanted, claimant.pid);
    } else {
      *path = fmt::format("{}.{}.{}", wanted, claimant.pid, number);
    }
  }
}

}  // namespace

RunOutput PrepareOutput(const std::string& pattern, const std::string& executable) {
  const std::string exe(Basename(executable));
  RunOutput output{pattern, ExpandOutputPattern(pattern, exe, getpid(), HostName()), false, 0, {}};
  std::string error;
  int directory = OpenFree(pattern, &output.path, &error);
  if (directory < 0) {
    output.pattern = FallbackOutput(pattern, true);
    output.path = ExpandOutputPattern(output.pattern, exe, getpid(), HostName());
    std::string second_error;
    directory = OpenFree(output.pattern, &output.path, &second_error);
    if (directory >= 0) {
      Say(fmt::format("{}; reports go to {}", error, output.path));
    } else {
      Say(fmt::format("{}, and {}; there will be no report", error, second_error));
      return {pattern, "", false, 0, {}};
    }
  }
  output.made_mark = MarkReportExpected(directory);
  output.children_bytes = SizeOf(output.path + "/children.jsonl");
  close(directory);
  output.earlier = FindEarlier(output);
  return output;
}

std::string Encode(const RunOutput& output) {
  std::string text = fmt::format("{:d} {} {} {} {} {}{}", output.made_mark, output.children_bytes,
                                 output.earlier.size(), output.path.size(), output.pattern.size(),
                                 output.path, output.pattern);
  for (const auto& [path, time] : output.earlier) {
    text += fmt::format("{} {} {}", time, path.size(), path);
  }
  return text;
}

RunOutput Decode(const std::string& text) {
  int mark = 0;
  size_t count = 0;
  size_t sizes[2] = {};
  int begin = 0;
  unsigned long long children = 0;
  if (std::sscanf(text.c_str(), "%d %llu %zu %zu %zu%n", &mark, &children, &count, &sizes[0],
                  &sizes[1], &begin) != 5) {
    return {};
  }
  size_t at = static_cast<size_t>(begin) + 1;
  // False when there is not as much.
  const auto take = [&](size_t size, std::string* to) {
    if (at > text.size() || size > text.size() - at) return false;
    *to = text.substr(at, size);
    at += size;
    return true;
  };
  RunOutput output;
  output.made_mark = mark != 0;
  output.children_bytes = children;
  if (!take(sizes[0], &output.path) || !take(sizes[1], &output.pattern)) return {};
  for (; count > 0; --count) {
    long long time = 0;
    size_t size = 0;
    std::string path;
    if (at >= text.size() ||
        std::sscanf(text.c_str() + at, "%lld %zu%n", &time, &size, &begin) != 2)
      break;
    at += static_cast<size_t>(begin) + 1;
    if (!take(size, &path)) break;
    output.earlier.emplace(std::move(path), time);
  }
  return output;
}

FoundReports FindReports(const RunOutput& output, pid_t pid, time_t since) {
  FoundReports found;
  if (output.path.empty()) return found;
  const auto is_new = [&](const std::string& path) {
    const int64_t time = ReportTime(path);
    const auto earlier = output.earlier.find(path);
    return time >= since * kSecondNs &&
           (earlier == output.earlier.end() || earlier->second != time);
  };
  if (is_new(output.path)) found.own = output.path;
  if (found.own.empty() && output.made_mark) TakeMarkAway(output.path);

  const std::string_view name_pattern = Basename(output.pattern);
  std::error_code failure;
  for (fs::directory_iterator it(ParentOf(output.path), failure), end; !failure && it != end;
       it.increment(failure)) {
    const std::string path = it->path().string();
    const std::string name = it->path().filename().string();
    if (path == output.path || !Matches(name_pattern, name, 0) || !is_new(path)) continue;
    // CMD may have become another program (env, a shell's exec): same pid, another name.
    if (found.own.empty() && Matches(name_pattern, name, pid)) {
      found.own = path;
    } else {
      found.others.push_back(path);
    }
  }
  // Children that lived on have their directories below.
  const std::string own = found.own.empty() ? output.path : found.own;
  for (fs::directory_iterator it(own, failure), end; !failure && it != end; it.increment(failure)) {
    const std::string path = it->path().string();
    if (is_new(path)) found.others.push_back(path);
  }
  std::sort(found.others.begin(), found.others.end());
  found.short_children =
      CountLines(own + "/children.jsonl", own == output.path ? output.children_bytes : 0);
  if (found.short_children > 0) found.children = own;
  return found;
}

}  // namespace heapgauge::cli
