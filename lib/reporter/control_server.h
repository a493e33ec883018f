// The report thread's end of the control socket (control/control_message.h).
//
// It listens where the thread has descriptors of its own (private_descriptors.h), so that nothing
// of it is inherited, nor counted by the host.  Nobody can wake the thread through it, who waits for
// a semaphore: it looks, seldom while nobody asks, often after somebody has.
//
// Whoever asks is of the process's own user, or root; each has one question open at a time; what a
// client does not take is dropped with it.  The thread never waits for one.
//
// Report thread only.
#ifndef HEAPGAUGE_REPORTER_CONTROL_SERVER_H_
#define HEAPGAUGE_REPORTER_CONTROL_SERVER_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/descriptor.h"

namespace heapgauge {

class ControlServer final {
 public:
  struct Question {
    int client;
    std::vector<std::string> words;
  };

  // From now on, after a moment: a process that ends at once never has a socket.
  // `runtime_directory`: $XDG_RUNTIME_DIR, may be empty.
  void Begin(uint64_t now_ns, std::string runtime_directory);
  // Removes the socket; whoever still waits finds the end.
  void End() noexcept;

  uint64_t NextLookNs(uint64_t deadline_ns) const noexcept;
  bool IsDue(uint64_t now_ns) const noexcept { return wanted_ && now_ns >= next_look_ns_; }
  bool IsOpen() const noexcept { return socket_.valid(); }
  // A system call more would kill the host.
  void Forget() noexcept { wanted_ = false; }
  // What has come since, one question of each client; empty before NextLookNs().
  std::vector<Question> Look(uint64_t now_ns);
  // `file`: a descriptor that goes with it, or -1.
  void Answer(int client, const std::string& packet, int file = -1) noexcept;

 private:
  struct Client {
    int number;
    Descriptor socket;
    bool waits;        // for an answer
    uint64_t last_ns;  // when it came, or asked
  };
  bool Listen();
  bool ListenAs(const std::string& name);
  void Accept(uint64_t now_ns);
  void MakeRoom(uint64_t now_ns) noexcept;
  void Drop(int client) noexcept;

  bool wanted_ = false;
  std::string runtime_directory_;
  uint64_t next_look_ns_ = 0;
  uint64_t busy_ns_ = 0;  // when somebody came, or asked, last
  Descriptor directory_;
  Descriptor socket_;
  std::string name_;
  std::vector<Client> clients_;
  int clients_so_far_ = 0;
};

}  // namespace heapgauge

#endif  // HEAPGAUGE_REPORTER_CONTROL_SERVER_H_
