// One of three services that let people in: the gateway takes their tokens, auth validates them,
// session knows those that auth can't validate by itself.
#ifndef AUTH_SERVICES_SERVICE_H
#define AUTH_SERVICES_SERVICE_H

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace httplib {
class Server;
struct Request;
struct Response;
}  // namespace httplib

namespace auth {

struct Options {
  std::string role;  // gateway, auth or session
  int port = 0;      // on 127.0.0.1; 0: a free one
  int threads = 256;
  int work_ms = 20;             // what a request takes in each service
  int timeout_s = 30;           // of a call to another service
  size_t document_kib = 64;     // what travels with a token: claims, roles, device
  bool without_header = false;  // calls carry no baggage: the path of a request is not known
};

struct Ports {
  int tokens;
  int admin;  // served by threads of its own: it answers when every other one waits
};

class Service final {
 public:
  explicit Service(const Options& options);
  ~Service();
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;

  // Nothing when the port can't be had (errno says why).
  std::optional<Ports> Bind();
  void Start();
  void Stop();

 private:
  void Answer(const httplib::Request& request, httplib::Response& response);
  // The status: 200 the token is good, 401 it is not, 504 nobody knew in time.
  int Login(const httplib::Request& request);
  int Validate(const httplib::Request& request);
  int Lookup(const httplib::Request& request);

  int Ask(const char* peer, const httplib::Request& request);
  void Query();
  void Set(const httplib::Request& request);
  std::string Stats() const;

  const Options options_;
  std::unique_ptr<httplib::Server> tokens_;
  std::unique_ptr<httplib::Server> admin_;
  std::vector<std::thread> listeners_;
  std::atomic<int> busy_{0};         // requests in work
  std::atomic<int> connections_{0};  // to the database, open
  std::atomic<bool> circle_{false};
  mutable std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  std::map<std::string, int> ports_;  // of the peers
  std::chrono::milliseconds query_time_{5};
};

}  // namespace auth

#endif  // AUTH_SERVICES_SERVICE_H
