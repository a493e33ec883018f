#include "control/control_client.h"

#include <absl/strings/str_cat.h>
#include <absl/strings/str_join.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "control/control_place.h"

namespace heapgauge {
namespace {

namespace fs = std::filesystem;

constexpr size_t kMostAttached = size_t{256} << 20;
constexpr char kEnded[] = "it has ended, or gives no answers any more";

std::string ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

// $XDG_RUNTIME_DIR as `pid` was started with it.
std::string RuntimeDirectoryOf(pid_t pid) {
  constexpr std::string_view kName = "XDG_RUNTIME_DIR=";
  std::istringstream variables(ReadFile("/proc/" + std::to_string(pid) + "/environ"));
  for (std::string variable; std::getline(variables, variable, '\0');) {
    if (variable.starts_with(kName)) return variable.substr(kName.size());
  }
  return {};
}

std::string StatusField(pid_t pid, std::string_view name) {
  std::istringstream lines(ReadFile("/proc/" + std::to_string(pid) + "/status"));
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with(name) && line.size() > name.size() && line[name.size()] == ':')
      return line.substr(name.size() + 1);
  }
  return {};
}

// What the process calls itself: the last number, of its own namespace.
pid_t PidInside(pid_t pid) {
  std::istringstream numbers(StatusField(pid, "NSpid"));
  pid_t inside = pid;
  for (pid_t number; numbers >> number;) inside = number;
  return inside;
}

uid_t EffectiveUserOf(pid_t pid) {
  std::istringstream numbers(StatusField(pid, "Uid"));
  uid_t real = 0;
  uid_t effective = 0;
  numbers >> real >> effective;
  return effective;
}

// A path of any length: the directory is opened first.
int ConnectTo(const std::string& path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string::npos) return -1;
  const Descriptor directory(open(path.substr(0, slash).c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!directory.valid()) return -1;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string way = "/proc/self/fd/" + std::to_string(directory.get()) + path.substr(slash);
  if (way.size() >= sizeof(address.sun_path)) {
    errno = ENAMETOOLONG;
    return -1;
  }
  std::memcpy(address.sun_path, way.c_str(), way.size() + 1);
  const int made = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (made < 0) return -1;
  if (connect(made, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0) return made;
  const int why = errno;
  close(made);
  errno = why;
  return -1;
}

std::string Attached(int file) {
  struct stat status {};
  if (fstat(file, &status) != 0 || !S_ISREG(status.st_mode) || status.st_size < 0 ||
      static_cast<size_t>(status.st_size) > kMostAttached) {
    return {};
  }
  std::string text(static_cast<size_t>(status.st_size), '\0');
  size_t at = 0;
  while (at < text.size()) {
    const ssize_t got = pread(file, text.data() + at, text.size() - at, static_cast<off_t>(at));
    if (got <= 0) break;
    at += static_cast<size_t>(got);
  }
  text.resize(at);
  return text;
}

absl::Status WhyNone(pid_t pid, const std::string& path, int why) {
  const std::string process = absl::StrCat("process ", pid);
  if (kill(pid, 0) != 0 && errno == ESRCH) return absl::NotFoundError(absl::StrCat("no ", process));
  if (why == EACCES || why == EPERM) {
    return absl::PermissionDeniedError(
        absl::StrCat(process, " belongs to another user; ask as that user or as root"));
  }
  if (why == EAGAIN) {
    return absl::ResourceExhaustedError(
        absl::StrCat(process, " is asked by too many at once; try again"));
  }
  return absl::FailedPreconditionError(absl::StrCat(
      process, " has no control socket (", path,
      "): it is not tracked, has not been sampled yet, or runs with HEAPGAUGE_CONTROL=off"));
}

// Once answers come from there, it is alive.
bool IsStale(const std::string& path) {
  const int made = ConnectTo(path);
  if (made >= 0) close(made);
  return made < 0 && errno == ECONNREFUSED;
}

void FindBelow(const fs::path& directory, std::vector<std::string>* found) {
  std::error_code failure;
  for (fs::directory_iterator it(directory, failure), end; !failure && it != end;
       it.increment(failure)) {
    if (it->path().extension() != kControlSuffix) continue;
    if (IsStale(it->path().string())) {
      unlink(it->path().c_str());
    } else {
      found->push_back(it->path().string());
    }
  }
}

}  // namespace

std::optional<ControlClient> ControlClient::Connect(const std::string& path) {
  const int made = ConnectTo(path);
  if (made < 0) return std::nullopt;
  return ControlClient(Descriptor(made));
}

absl::StatusOr<ControlClient> ControlClient::Connect(pid_t pid) {
  const std::string root = "/proc/" + std::to_string(pid) + "/root";
  const uid_t user = EffectiveUserOf(pid);
  const pid_t inside = PidInside(pid);
  std::vector<std::string> directories = {ControlDirectory(RuntimeDirectoryOf(pid), user, root),
                                          ControlDirectory("", user, root)};
  // Its root can't be entered without the right to trace it.
  if (access((root + "/tmp").c_str(), X_OK) != 0) {
    const char* const runtime = getenv("XDG_RUNTIME_DIR");
    directories = {ControlDirectory(runtime != nullptr ? runtime : "", user),
                   ControlDirectory("", user)};
  }
  int why = ENOENT;
  for (const std::string& directory : directories) {
    for (int attempt = 1; attempt <= kMostControlNames; ++attempt) {
      std::optional<ControlClient> client = Connect(directory + "/" + ControlName(inside, attempt));
      if (!client) {
        if (errno == ENOENT && attempt > 1) break;
        if (errno != ENOENT && errno != ECONNREFUSED) why = errno;
        continue;
      }
      // The name may be that of a process with the same number in another container.
      if (client->peer() == pid) return *std::move(client);
    }
  }
  return WhyNone(pid, directories[0] + "/" + ControlName(inside), why);
}

pid_t ControlClient::peer() const {
  ucred peer{};
  socklen_t size = sizeof(peer);
  return getsockopt(socket_.get(), SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 ? peer.pid : 0;
}

absl::StatusOr<ControlAnswer> ControlClient::Ask(const std::vector<std::string>& question,
                                                 std::chrono::milliseconds patience) {
  if (absl::Status sent = Send(question); !sent.ok()) return sent;
  return Receive(patience);
}

absl::Status ControlClient::Send(const std::vector<std::string>& question) {
  const std::string packet = absl::StrJoin(question, "\t");
  if (send(socket_.get(), packet.data(), packet.size(), MSG_NOSIGNAL) ==
      static_cast<ssize_t>(packet.size())) {
    return absl::OkStatus();
  }
  return errno == EPIPE
             ? absl::UnavailableError(kEnded)
             : absl::UnavailableError(absl::StrCat("it can't be asked: ", std::strerror(errno)));
}

absl::StatusOr<ControlAnswer> ControlClient::Receive(std::chrono::milliseconds patience) {
  attached_.clear();
  const auto until = std::chrono::steady_clock::now() + patience;
  std::string room(kMostControlBytes, '\0');
  for (;;) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        until - std::chrono::steady_clock::now());
    pollfd waiting{socket_.get(), POLLIN, 0};
    const int ready = poll(&waiting, 1, static_cast<int>(std::max<int64_t>(0, left.count())));
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0) {
      return absl::DeadlineExceededError(
          "no answer came in time; is it stopped, or the machine overloaded?");
    }
    iovec text{room.data(), room.size()};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))];
    msghdr message{};
    message.msg_iov = &text;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof(control);
    const ssize_t got = recvmsg(socket_.get(), &message, MSG_CMSG_CLOEXEC);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) continue;
    for (cmsghdr* part = CMSG_FIRSTHDR(&message); got > 0 && part != nullptr;
         part = CMSG_NXTHDR(&message, part)) {
      if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
      int file;
      std::memcpy(&file, CMSG_DATA(part), sizeof(file));
      const Descriptor taken(file);
      attached_ = Attached(taken.get());
    }
    if (got <= 0) return absl::UnavailableError(kEnded);
    std::optional<ControlAnswer> answer =
        ParseAnswer(std::string_view(room).substr(0, static_cast<size_t>(got)));
    if (answer) return *std::move(answer);
    return absl::InternalError(
        "its answer is not understood: is its heapgauge of another version?");
  }
}

std::vector<std::string> FindControlSockets() {
  std::vector<std::string> found;
  std::vector<fs::path> directories;
  if (const char* const runtime = getenv("XDG_RUNTIME_DIR"))
    directories.emplace_back(fs::path(runtime) / "heapgauge");
  std::error_code failure;
  for (const auto& [parent, prefix] :
       {std::pair<fs::path, std::string>{"/tmp", "heapgauge-"}, {"/run/user", ""}}) {
    for (fs::directory_iterator it(parent, failure), end; !failure && it != end;
         it.increment(failure)) {
      if (!it->path().filename().string().starts_with(prefix)) continue;
      directories.push_back(prefix.empty() ? it->path() / "heapgauge" : it->path());
    }
    failure.clear();
  }
  std::vector<fs::path> seen;
  for (const fs::path& directory : directories) {
    const fs::path whole = fs::weakly_canonical(directory, failure);
    if (std::find(seen.begin(), seen.end(), whole) != seen.end()) continue;
    seen.push_back(whole);
    FindBelow(directory, &found);
  }
  return found;
}

}  // namespace heapgauge
