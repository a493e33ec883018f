// Each address that is answered.
#ifndef HEAPGAUGE_SERVE_ROUTES_H_
#define HEAPGAUGE_SERVE_ROUTES_H_

#include <atomic>
#include <memory>
#include <mutex>
#include <string>

#include "report/pprof_writer.h"
#include "serve/commands.h"
#include "serve/connection_watch.h"
#include "serve/report_follower.h"

namespace httplib {
class Server;
struct Request;
struct Response;
}  // namespace httplib

namespace heapgauge::serve {

class Routes final {
 public:
  // `may_configure`: there is a token, and each request carries it.
  Routes(std::string directory, pid_t pid, bool may_configure, ConnectionWatch* connections)
      : directory_(std::move(directory)),
        follower_(directory_),
        commands_(pid),
        may_configure_(may_configure),
        connections_(connections) {}

  // Adds them to `server`, which must not outlive this.
  void AddTo(httplib::Server* server);

  // Answers that wait (`?seconds=`) end soon.  Any thread.
  void Stop() { stopping_.store(true, std::memory_order_relaxed); }  // relaxed: a flag alone

 private:
  void Page(httplib::Response* response);
  void PageData(const httplib::Request& request, httplib::Response* response);
  void Metrics(httplib::Response* response);
  void Profile(const httplib::Request& request, PprofKind kind, httplib::Response* response);
  void Delta(const httplib::Request& request, httplib::Response* response);

  const std::string directory_;
  ReportFollower follower_;
  Commands commands_;
  const bool may_configure_;
  ConnectionWatch* const connections_;
  std::atomic<bool> stopping_{false};
  std::atomic<int> deltas_{0};  // under way
  std::mutex cache_mutex_;
  std::shared_ptr<const Snapshot> cached_for_;
  std::string cached_[2];  // profiles of it, by kind
};

}  // namespace heapgauge::serve

#endif  // HEAPGAUGE_SERVE_ROUTES_H_
