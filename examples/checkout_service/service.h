// The running service: an HTTP server over a shop, and the sweeper thread that takes out what has
// expired.
#ifndef CHECKOUT_SERVICE_SERVICE_H
#define CHECKOUT_SERVICE_SERVICE_H

#include <absl/base/thread_annotations.h>
#include <absl/synchronization/mutex.h>

#include <atomic>
#include <memory>
#include <thread>

#include "options.h"
#include "shop.h"

namespace httplib {
class Server;
}

namespace checkout {

class Service final {
 public:
  explicit Service(const ServiceOptions& options);
  ~Service();  // stops it when it still runs
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;

  // Binds to loopback.  The port, or -1 when it can't be had (errno says why).
  int Bind();

  // Serves in threads of its own, after Bind.
  void Start();

  // Lets running requests finish, closes idle connections, joins every thread.  Takes at most
  // kKeepAliveSeconds longer than the requests: an idle connection is noticed when its wait is
  // over.
  void Stop();

  const Shop& shop() const { return shop_; }

 private:
  static constexpr int kKeepAliveSeconds = 3;

  void Listen();
  void Sweep();

  const ServiceOptions options_;
  Shop shop_;
  std::unique_ptr<httplib::Server> server_;
  std::thread listener_;
  std::atomic<bool> listener_ended_{false};
  std::thread sweeper_;
  absl::Mutex stop_mutex_;
  bool stopping_ ABSL_GUARDED_BY(stop_mutex_) = false;
};

}  // namespace checkout

#endif  // CHECKOUT_SERVICE_SERVICE_H
