// The library's HTTP server over connections of our own: one request is bounded as a whole, its
// headers too, of which the library takes any number; and requests that come one behind the other
// in one piece are all answered.
#ifndef HEAPGAUGE_SERVE_BOUNDED_SERVER_H_
#define HEAPGAUGE_SERVE_BOUNDED_SERVER_H_

#include <httplib.h>

#include <cstddef>

namespace heapgauge::serve {

class BoundedServer : public httplib::Server {
 public:
  static constexpr size_t kMostRequestBytes = size_t{64} * 1024;
  static constexpr int kPatienceMs = 5000;  // for a byte to come, or to go
  static constexpr int kKeptRequests = 100;

 private:
  bool process_and_close_socket(socket_t socket) override;
};

}  // namespace heapgauge::serve

#endif  // HEAPGAUGE_SERVE_BOUNDED_SERVER_H_
