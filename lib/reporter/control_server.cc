#include "reporter/control_server.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

#include "base/raw_log.h"
#include "control/control_message.h"
#include "control/control_place.h"

namespace heapgauge {
namespace {

constexpr uint64_t kFirstLookNs = 200'000'000;
constexpr uint64_t kIdleLookNs = 250'000'000;
// After a question: the next one often comes at once, or else a while later.
constexpr uint64_t kBusyLookNs = 20'000'000;
constexpr size_t kMostClients = 8;
constexpr uint64_t kIdleNs = 5'000'000'000;
constexpr int kBacklog = 8;

// A name in `directory` as an address, whatever the length of the path before it.
bool AddressIn(int directory, const std::string& name, sockaddr_un* address) {
  *address = {};
  address->sun_family = AF_UNIX;
  const int length = snprintf(address->sun_path, sizeof(address->sun_path),
                              "/proc/thread-self/fd/%d/%s", directory, name.c_str());
  return length > 0 && static_cast<size_t>(length) < sizeof(address->sun_path);
}

const sockaddr* Plain(const sockaddr_un& address) {
  return reinterpret_cast<const sockaddr*>(&address);
}

Descriptor MakeSocket() {
  return Descriptor(
      AboveStandard(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)));
}

// Somebody listens there: a process of another container, which has the same number.
bool IsAlive(const sockaddr_un& address) {
  const Descriptor asking = MakeSocket();
  return connect(asking.get(), Plain(address), sizeof(address)) == 0 ||
         (errno != ECONNREFUSED && errno != ENOENT);
}

// The directory, made if it is not there; invalid where it is not this user's alone.
Descriptor OpenDirectory(const std::string& path, std::string* problem) {
  if (mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) {
    *problem = std::strerror(errno);
    return {};
  }
  Descriptor directory(
      AboveStandard(open(path.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)));
  struct stat status {};
  if (!directory.valid() || fstat(directory.get(), &status) != 0) {
    *problem = std::strerror(errno);
    return {};
  }
  if (status.st_uid != geteuid() || (status.st_mode & 077) != 0) {
    *problem = "it belongs to another user, or others may enter it";
    return {};
  }
  return directory;
}

bool MayAsk(int client) {
  ucred peer{};
  socklen_t size = sizeof(peer);
  return getsockopt(client, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 &&
         (peer.uid == geteuid() || peer.uid == 0);
}

}  // namespace

void ControlServer::Begin(uint64_t now_ns, std::string runtime_directory) {
  wanted_ = true;
  runtime_directory_ = std::move(runtime_directory);
  next_look_ns_ = now_ns + kFirstLookNs;
}

void ControlServer::End() noexcept {
  wanted_ = false;
  if (socket_.valid()) unlinkat(directory_.get(), name_.c_str(), 0);
  clients_.clear();
  socket_ = {};
  directory_ = {};
}

uint64_t ControlServer::NextLookNs(uint64_t deadline_ns) const noexcept {
  return wanted_ ? std::min(deadline_ns, next_look_ns_) : deadline_ns;
}

// Under another name first, which is then put in the place of what is left of a process that had
// this one's number.
bool ControlServer::ListenAs(const std::string& name) {
  sockaddr_un address;
  if (!AddressIn(directory_.get(), name, &address)) return false;
  if (IsAlive(address)) return false;
  const std::string interim = "." + name;
  if (!AddressIn(directory_.get(), interim, &address)) return false;
  unlinkat(directory_.get(), interim.c_str(), 0);
  Descriptor made = MakeSocket();
  if (!made.valid() || bind(made.get(), Plain(address), sizeof(address)) != 0) return false;
  const bool good =
      fchmodat(directory_.get(), interim.c_str(), 0600, 0) == 0 &&
      listen(made.get(), kBacklog) == 0 &&
      renameat(directory_.get(), interim.c_str(), directory_.get(), name.c_str()) == 0;
  if (!good) {
    unlinkat(directory_.get(), interim.c_str(), 0);
    return false;
  }
  name_ = name;
  socket_ = std::move(made);
  return true;
}

bool ControlServer::Listen() {
  const std::string path = ControlDirectory(runtime_directory_, geteuid());
  std::string problem;
  directory_ = OpenDirectory(path, &problem);
  for (int attempt = 1; directory_.valid() && attempt <= kMostControlNames; ++attempt) {
    if (ListenAs(ControlName(getpid(), attempt))) return true;
    problem = std::strerror(errno);
  }
  directory_ = {};
  RawLog(LogLevel::kInfo, "no control socket in %.200s: %s", path.c_str(), problem.c_str());
  return false;
}

// For one more, by those who ask nothing; else who comes waits.
void ControlServer::MakeRoom(uint64_t now_ns) noexcept {
  if (clients_.size() < kMostClients) return;
  const auto oldest =
      std::min_element(clients_.begin(), clients_.end(), [](const Client& a, const Client& b) {
        return a.waits != b.waits ? !a.waits : a.last_ns < b.last_ns;
      });
  if (!oldest->waits && oldest->last_ns + kIdleNs < now_ns) Drop(oldest->number);
}

void ControlServer::Accept(uint64_t now_ns) {
  for (;;) {
    MakeRoom(now_ns);
    if (clients_.size() >= kMostClients) return;
    Descriptor client(
        AboveStandard(accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK)));
    if (!client.valid()) return;
    if (!MayAsk(client.get())) {
      const std::string packet = MakeRefusal("it is another user's");
      send(client.get(), packet.data(), packet.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
      continue;
    }
    clients_.push_back({++clients_so_far_, std::move(client), false, now_ns});
  }
}

std::vector<ControlServer::Question> ControlServer::Look(uint64_t now_ns) {
  std::vector<Question> questions;
  if (!wanted_ || now_ns < next_look_ns_) return questions;
  if (!socket_.valid() && !Listen()) {
    wanted_ = false;
    return questions;
  }
  Accept(now_ns);
  char room[kMostControlBytes];
  std::vector<int> gone;
  for (Client& client : clients_) {
    if (client.waits) continue;
    const ssize_t got = recv(client.socket.get(), room, sizeof(room), MSG_DONTWAIT | MSG_TRUNC);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) continue;
    if (got <= 0) {
      gone.push_back(client.number);
      continue;
    }
    client.waits = true;
    client.last_ns = now_ns;
    const std::string_view packet(room, std::min(static_cast<size_t>(got), sizeof(room)));
    questions.push_back({client.number, static_cast<size_t>(got) > sizeof(room)
                                            ? std::vector<std::string>()
                                            : ParseQuestion(packet)});
  }
  for (const int number : gone) Drop(number);
  for (const Client& client : clients_) busy_ns_ = std::max(busy_ns_, client.last_ns);
  next_look_ns_ = now_ns + std::clamp((now_ns - busy_ns_) / 4, kBusyLookNs, kIdleLookNs);
  return questions;
}

void ControlServer::Drop(int client) noexcept {
  std::erase_if(clients_, [&](const Client& one) { return one.number == client; });
}

void ControlServer::Answer(int client, const std::string& packet, int file) noexcept {
  const auto found = std::find_if(clients_.begin(), clients_.end(),
                                  [&](const Client& one) { return one.number == client; });
  if (found == clients_.end()) return;
  found->waits = false;
  iovec text{const_cast<char*>(packet.data()), packet.size()};
  msghdr message{};
  message.msg_iov = &text;
  message.msg_iovlen = 1;
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  if (file >= 0) {
    message.msg_control = control;
    message.msg_controllen = sizeof(control);
    cmsghdr* const part = CMSG_FIRSTHDR(&message);
    part->cmsg_level = SOL_SOCKET;
    part->cmsg_type = SCM_RIGHTS;
    part->cmsg_len = CMSG_LEN(sizeof(int));
    std::memcpy(CMSG_DATA(part), &file, sizeof(file));
  }
  if (sendmsg(found->socket.get(), &message, MSG_DONTWAIT | MSG_NOSIGNAL) < 0) Drop(client);
}

}  // namespace heapgauge
