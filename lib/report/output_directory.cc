#include "report/output_directory.h"

#include <fcntl.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <cstring>

#include "base/basename.h"
#include "report/safe_path.h"

namespace heapgauge {
namespace {

constexpr size_t kMaxValueBytes = 100;

std::string SafeValue(std::string_view value) {
  if (value.size() > kMaxValueBytes) {
    value = value.substr(0, kMaxValueBytes);
    // Not in the middle of a UTF-8 character: drop its continuation bytes, then its head.
    while (!value.empty() && (static_cast<unsigned char>(value.back()) & 0xC0) == 0x80) {
      value.remove_suffix(1);
    }
    if (!value.empty() && (static_cast<unsigned char>(value.back()) & 0x80) != 0) {
      value.remove_suffix(1);
    }
  }
  const bool only_dots = value.find_first_not_of('.') == std::string_view::npos;
  std::string safe;
  for (const char c : value) {
    const auto byte = static_cast<unsigned char>(c);
    safe += c == '/' || byte < 0x20 || byte == 0x7F || (only_dots && c == '.') ? '_' : c;
  }
  return safe.empty() ? "_" : safe;
}

std::string Doubled(std::string_view path) {
  std::string doubled;
  for (const char c : path) doubled.append(c == '%' ? 2 : 1, c);
  return doubled;
}

// Without trailing "/" and "/.", which would make the kernel follow a link in the last component
// after all.
std::string_view WithoutTail(std::string_view path) {
  for (;;) {
    if (path.size() > 1 && path.back() == '/') {
      path.remove_suffix(1);
    } else if (path.size() > 2 && path.substr(path.size() - 2) == "/.") {
      path.remove_suffix(1);
    } else {
      return path;
    }
  }
}

int Refuse(std::string* error, std::string_view what, std::string_view path, int number) {
  if (error != nullptr) {
    error->assign("cannot ").append(what).append(" ").append(path).append(": ");
    std::array<char, 128> text{};
    error->append(strerror_r(number, text.data(), text.size()));
  }
  errno = number;
  return -1;
}

int RefuseUnsafe(std::string* error, std::string_view path, std::string_view why) {
  if (error != nullptr) error->assign(path).append(" ").append(why);
  errno = EPERM;
  return -1;
}

}  // namespace

std::string ExpandOutputPattern(std::string_view pattern, std::string_view exe, int64_t pid,
                                std::string_view host) {
  if (pattern.empty()) pattern = kDefaultOutputPattern;
  std::string path;
  for (size_t i = 0; i < pattern.size(); ++i) {
    const char key = pattern[i] == '%' && i + 1 < pattern.size() ? pattern[i + 1] : '\0';
    switch (key) {
      case 'e':
        path += SafeValue(exe);
        break;
      case 'p':
        path += std::to_string(pid);
        break;
      case 'h':
        path += SafeValue(host);
        break;
      case '%':
        path += '%';
        break;
      default:
        path += pattern[i];
        continue;
    }
    ++i;
  }
  return std::string(WithoutTail(path));
}

std::string ExecutableName(const char* exe_link) {
  std::array<char, PATH_MAX> target{};
  const ssize_t size = readlink(exe_link, target.data(), target.size());
  if (size <= 0) return "unknown";
  std::string_view path(target.data(), static_cast<size_t>(size));
  constexpr std::string_view kDeleted = " (deleted)";
  if (path.size() > kDeleted.size() && path.substr(path.size() - kDeleted.size()) == kDeleted) {
    path.remove_suffix(kDeleted.size());
  }
  path = Basename(path);
  return path.empty() ? "unknown" : std::string(path);
}

std::string ProgramPath() {
  std::array<char, PATH_MAX> target{};
  const ssize_t size = readlink("/proc/self/exe", target.data(), target.size());
  const std::string executable(target.data(), size > 0 ? static_cast<size_t>(size) : 0);
  // The kernel's own record of what exec was given.
  const auto* const given = reinterpret_cast<const char*>(getauxval(AT_EXECFN));
  if (given == nullptr || *given == '\0') return executable;
  struct stat running {};
  struct stat asked {};
  const bool known = !executable.empty() && stat("/proc/self/exe", &running) == 0;
  const bool same =
      stat(given, &asked) == 0 && asked.st_dev == running.st_dev && asked.st_ino == running.st_ino;
  if (known && !same) return executable;
  if (*given == '/') return given;
  std::array<char, PATH_MAX> here{};
  if (getcwd(here.data(), here.size()) == nullptr) return executable;
  std::string_view name(given);
  if (name.substr(0, 2) == "./") name.remove_prefix(2);
  return std::string(here.data()) + "/" + std::string(name);
}

std::string HostName() {
  std::array<char, HOST_NAME_MAX + 1> name{};
  if (gethostname(name.data(), name.size() - 1) != 0 || name[0] == '\0') return "localhost";
  return name.data();
}

std::string AbsoluteOutputPattern(std::string_view pattern) {
  if (!pattern.empty() && pattern.front() == '/') return std::string(pattern);
  std::array<char, PATH_MAX> here{};
  if (getcwd(here.data(), here.size()) == nullptr || here[0] != '/') return {};
  return AbsoluteOutputPattern(pattern, here.data());
}

std::string AbsoluteOutputPattern(std::string_view pattern, std::string_view here) {
  if (pattern.empty()) pattern = kDefaultOutputPattern;
  if (pattern.front() == '/') return std::string(pattern);
  std::string absolute = Doubled(here);
  if (absolute.back() != '/') absolute += '/';
  return absolute.append(pattern);
}

std::string FallbackOutput(std::string_view path, bool is_pattern) {
  path = WithoutTail(path);
  path = Basename(path);
  const char* temporary = secure_getenv("TMPDIR");
  std::string_view directory = temporary == nullptr ? "" : temporary;
  directory = WithoutTail(directory);
  if (directory.empty() || directory.front() != '/') directory = "/tmp";
  std::string fallback = is_pattern ? Doubled(directory) : std::string(directory);
  if (fallback.back() != '/') fallback += '/';
  if (path.empty() || path == "." || path == "..") path = "heapgauge";
  return fallback.append(path);
}

int OpenReportDirectory(const std::string& wanted, bool create, std::string* error) {
  const std::string path(WithoutTail(wanted));
  PathScratch scratch;
  PathAnswer answer;
  const int fd = OpenDirectorySafely(path.c_str(), create, &scratch, &answer);
  if (fd < 0) {
    if (answer.refused != nullptr) return RefuseUnsafe(error, path, answer.refused);
    return Refuse(error, answer.making ? "make" : "open", path, errno);
  }
  if (const char* const unsafe = WhyUnsafe(fd)) {
    close(fd);
    return RefuseUnsafe(error, path, unsafe);
  }
  // A umask such as 0777 would have left us a directory that we can't use.
  if (answer.made) fchmod(fd, 0700);
  return fd;
}

const char* WhyUnsafe(int directory) noexcept {
  struct stat status;
  if (fstat(directory, &status) != 0) return "can't be examined";
  if (status.st_uid != geteuid()) return "belongs to another user";
  if ((status.st_mode & 0022) != 0) {
    return "may be written to by other users (chmod go-w it, or name another directory)";
  }
  return nullptr;
}

bool MarkReportExpected(int directory) {
  const int fd = openat(directory, "reports.jsonl",
                        O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (fd < 0) return false;
  close(fd);
  return true;
}

}  // namespace heapgauge
