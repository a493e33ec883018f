#include "serve/bounded_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace heapgauge::serve {
namespace {

bool Waits(int socket, short for_what, int most_ms) {
  pollfd ready{socket, for_what, 0};
  int found = 0;
  do {
    found = poll(&ready, 1, most_ms);
  } while (found < 0 && errno == EINTR);
  return found > 0;
}

void AddressOf(const sockaddr_storage& address, std::string* ip, int* port) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (address.ss_family == AF_INET) {
    const auto& four = reinterpret_cast<const sockaddr_in&>(address);
    inet_ntop(AF_INET, &four.sin_addr, text.data(), text.size());
    *port = ntohs(four.sin_port);
  } else if (address.ss_family == AF_INET6) {
    const auto& six = reinterpret_cast<const sockaddr_in6&>(address);
    inet_ntop(AF_INET6, &six.sin6_addr, text.data(), text.size());
    *port = ntohs(six.sin6_port);
  }
  *ip = text.data();
}

class ClientStream final : public httplib::Stream {
 public:
  explicit ClientStream(int socket) : socket_(socket) {}

  // Whether a request begins, or the connection ends, in this time.
  bool Begins(int most_ms) {
    taken_ = 0;
    return begin_ != end_ || Waits(socket_, POLLIN, most_ms);
  }

  bool is_readable() const override {
    return begin_ != end_ || Waits(socket_, POLLIN, BoundedServer::kPatienceMs);
  }
  bool is_writable() const override { return Waits(socket_, POLLOUT, BoundedServer::kPatienceMs); }
  ssize_t read(char* to, size_t size) override {
    if (taken_ >= BoundedServer::kMostRequestBytes) return -1;
    if (begin_ == end_) {
      if (!Waits(socket_, POLLIN, BoundedServer::kPatienceMs)) return -1;
      ssize_t got = 0;
      do {
        got = recv(socket_, room_.data(), room_.size(), 0);
      } while (got < 0 && errno == EINTR);
      if (got <= 0) return got;
      begin_ = 0;
      end_ = static_cast<size_t>(got);
    }
    const size_t count = std::min(size, end_ - begin_);
    std::memcpy(to, room_.data() + begin_, count);
    begin_ += count;
    taken_ += count;
    return static_cast<ssize_t>(count);
  }
  // All of it: the library writes a body once.
  ssize_t write(const char* from, size_t size) override {
    for (size_t done = 0; done < size;) {
      if (!Waits(socket_, POLLOUT, BoundedServer::kPatienceMs)) return -1;
      const ssize_t sent = send(socket_, from + done, size - done, MSG_NOSIGNAL | MSG_DONTWAIT);
      if (sent < 0 && errno != EINTR && errno != EAGAIN) return -1;
      done += sent > 0 ? static_cast<size_t>(sent) : 0;
    }
    return static_cast<ssize_t>(size);
  }
  void get_remote_ip_and_port(std::string& ip, int& port) const override {
    sockaddr_storage address{};
    socklen_t size = sizeof(address);
    if (getpeername(socket_, reinterpret_cast<sockaddr*>(&address), &size) == 0) {
      AddressOf(address, &ip, &port);
    }
  }
  void get_local_ip_and_port(std::string& ip, int& port) const override {
    sockaddr_storage address{};
    socklen_t size = sizeof(address);
    if (getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &size) == 0) {
      AddressOf(address, &ip, &port);
    }
  }
  socket_t socket() const override { return socket_; }

 private:
  const int socket_;
  std::array<char, 4096> room_{};
  size_t begin_ = 0;  // of what has come and is not yet taken
  size_t end_ = 0;
  size_t taken_ = 0;  // of the request at hand
};

}  // namespace

bool BoundedServer::process_and_close_socket(socket_t socket) {
  constexpr int kLookMs = 200;  // whether the server is to end
  ClientStream connection(socket);
  const auto begins = [&] {
    for (int waited = 0; waited < kPatienceMs && svr_sock_ != INVALID_SOCKET; waited += kLookMs) {
      if (connection.Begins(kLookMs)) return true;
    }
    return false;
  };
  bool good = true;
  for (int left = kKeptRequests; good && left > 0 && begins(); --left) {
    bool closed = false;
    good = process_request(connection, left == 1, closed, nullptr);
    if (closed) break;
  }
  shutdown(socket, SHUT_RDWR);
  close(socket);
  return good;
}

}  // namespace heapgauge::serve
