// Cuts connections that stay too long, and the oldest where there are too many.
//
// A thread of the server waits for each connection that has not asked yet, so clients that say
// nothing, or a byte now and then, would keep everybody else out.
#ifndef HEAPGAUGE_SERVE_CONNECTION_WATCH_H_
#define HEAPGAUGE_SERVE_CONNECTION_WATCH_H_

#include <sys/types.h>

#include <chrono>
#include <map>
#include <mutex>
#include <set>

namespace heapgauge::serve {

class ConnectionWatch final {
 public:
  using Clock = std::chrono::steady_clock;
  struct Limits {
    std::chrono::seconds longest{0};
    size_t most = 0;
  };
  explicit ConnectionWatch(Limits limits) : limits_(limits) {}

  // The connection from this port of the peer's is one that waits for us: it may last.  Any thread.
  class Patience final {
   public:
    Patience(ConnectionWatch* watch, int peer_port);
    ~Patience();
    Patience(const Patience&) = delete;
    Patience& operator=(const Patience&) = delete;

   private:
    ConnectionWatch* const watch_;
    const int port_;
  };

  // Looks at the connected sockets among this process's descriptors and shuts down those that are
  // over a limit; their threads see the end of the stream.  One thread, every second or so.
  void Look(Clock::time_point now);

 private:
  bool IsPatient(int peer_port);

  const Limits limits_;
  std::map<ino_t, Clock::time_point> since_;  // by socket
  std::mutex mutex_;
  std::multiset<int> patient_;  // ports
};

}  // namespace heapgauge::serve

#endif  // HEAPGAUGE_SERVE_CONNECTION_WATCH_H_
