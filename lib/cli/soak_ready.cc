#include "cli/soak_ready.h"

#include <fmt/core.h>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "base/descriptor.h"

namespace heapgauge::cli {
namespace {

namespace fs = std::filesystem;

constexpr int kConnectMs = 500;

bool Connects(const addrinfo& address) {
  const Descriptor socket(
      AboveStandard(::socket(address.ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)));
  if (!socket.valid()) return false;
  if (connect(socket.get(), address.ai_addr, address.ai_addrlen) == 0) return true;
  if (errno != EINPROGRESS) return false;
  pollfd wait{socket.get(), POLLOUT, 0};
  if (poll(&wait, 1, kConnectMs) != 1) return false;
  int failure = 0;
  socklen_t size = sizeof(failure);
  return getsockopt(socket.get(), SOL_SOCKET, SO_ERROR, &failure, &size) == 0 && failure == 0;
}

// Inodes of sockets that listen, in the network namespace of `process`.
void AddListening(const std::string& process, std::set<std::string>* inodes) {
  for (const char* table : {"tcp", "tcp6"}) {
    std::ifstream file(process + "/net/" + table);
    for (std::string line; std::getline(file, line);) {
      std::istringstream words(line);
      std::string word;
      std::string state;
      for (int i = 0; i < 10 && words >> word; ++i) {
        if (i == 3) state = word;
      }
      if (state == "0A") inodes->insert(word);
    }
  }
  std::ifstream file(process + "/net/unix");
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string number, references, protocol, flags, type, state, inode, path;
    words >> number >> references >> protocol >> flags >> type >> state >> inode >> path;
    // A stream, not heapgauge's own control socket.
    if (flags == "00010000" && type == "0001" && !path.empty()) inodes->insert(inode);
  }
}

}  // namespace

bool AcceptsConnections(const std::string& place) {
  const size_t colon = place.rfind(':');
  std::string host = colon == std::string::npos ? "" : place.substr(0, colon);
  const std::string port = colon == std::string::npos ? place : place.substr(colon + 1);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']')
    host = host.substr(1, host.size() - 2);
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV;
  // Without a name: the loopback, in both families.
  addrinfo* found = nullptr;
  if (getaddrinfo(host.empty() ? nullptr : host.c_str(), port.c_str(), &hints, &found) != 0)
    return false;
  bool connects = false;
  for (const addrinfo* address = found; address != nullptr && !connects;
       address = address->ai_next) {
    connects = Connects(*address);
  }
  freeaddrinfo(found);
  return connects;
}

bool Listens(const std::vector<pid_t>& processes) {
  for (const pid_t pid : processes) {
    const std::string process = fmt::format("/proc/{}", pid);
    std::set<std::string> listening;
    AddListening(process, &listening);
    if (listening.empty()) continue;
    std::error_code failure;
    for (fs::directory_iterator it(process + "/fd", failure), end; !failure && it != end;
         it.increment(failure)) {
      std::error_code gone;
      const std::string target = fs::read_symlink(it->path(), gone).string();
      constexpr size_t kPrefix = sizeof("socket:[") - 1;
      if (gone || !target.starts_with("socket:[")) continue;
      if (listening.contains(target.substr(kPrefix, target.size() - kPrefix - 1))) return true;
    }
  }
  return false;
}

}  // namespace heapgauge::cli
