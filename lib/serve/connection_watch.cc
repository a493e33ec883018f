#include "serve/connection_watch.h"

#include <dirent.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <tuple>
#include <utility>
#include <vector>

namespace heapgauge::serve {
namespace {

struct Connection {
  int fd;
  int peer_port;
  ino_t inode;
  ConnectionWatch::Clock::time_point since;
};

bool IsConnected(int fd, ino_t* inode, int* peer_port) {
  struct stat status {};
  if (fstat(fd, &status) != 0 || !S_ISSOCK(status.st_mode)) return false;
  *inode = status.st_ino;
  sockaddr_storage peer{};
  socklen_t size = sizeof(peer);
  if (getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &size) != 0) return false;
  // IPv4 and IPv6 have it at the same place.
  *peer_port = ntohs(reinterpret_cast<const sockaddr_in*>(&peer)->sin_port);
  return true;
}

// The number may belong to another connection by now: what is cut is held by a copy first.
void Cut(const Connection& connection) {
  const int copy = fcntl(connection.fd, F_DUPFD_CLOEXEC, 0);
  if (copy < 0) return;
  ino_t inode = 0;
  int port = 0;
  if (IsConnected(copy, &inode, &port) && inode == connection.inode) shutdown(copy, SHUT_RDWR);
  close(copy);
}

}  // namespace

ConnectionWatch::Patience::Patience(ConnectionWatch* watch, int peer_port)
    : watch_(watch), port_(peer_port) {
  const std::lock_guard lock(watch_->mutex_);
  watch_->patient_.insert(port_);
}

ConnectionWatch::Patience::~Patience() {
  const std::lock_guard lock(watch_->mutex_);
  watch_->patient_.erase(watch_->patient_.find(port_));
}

bool ConnectionWatch::IsPatient(int peer_port) {
  const std::lock_guard lock(mutex_);
  return patient_.contains(peer_port);
}

void ConnectionWatch::Look(Clock::time_point now) {
  std::vector<Connection> connections;
  std::map<ino_t, Clock::time_point> seen;
  DIR* const directory = opendir("/proc/self/fd");
  if (directory == nullptr) return;
  while (const dirent* entry = readdir(directory)) {
    const int fd = std::atoi(entry->d_name);
    ino_t inode = 0;
    int port = 0;
    if (entry->d_name[0] == '.' || !IsConnected(fd, &inode, &port)) continue;
    const auto known = since_.find(inode);
    const Clock::time_point since = known == since_.end() ? now : known->second;
    seen.emplace(inode, since);
    connections.push_back({fd, port, inode, since});
  }
  closedir(directory);
  since_ = std::move(seen);
  // Among those that came between two looks, a later socket has a higher number.
  std::sort(connections.begin(), connections.end(), [](const Connection& a, const Connection& b) {
    return std::tie(a.since, a.inode) < std::tie(b.since, b.inode);
  });
  const size_t too_many = connections.size() - std::min(connections.size(), limits_.most);
  for (size_t i = 0; i < connections.size(); ++i) {
    const bool old = now - connections[i].since > limits_.longest;
    if (i < too_many || (old && !IsPatient(connections[i].peer_port))) Cut(connections[i]);
  }
}

}  // namespace heapgauge::serve
