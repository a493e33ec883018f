// Services as values: a request goes from one to the next by the header alone.
#include <catch2/catch.hpp>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core_api/label_context.h"
#include "labels/labels.h"

namespace heapgauge {
namespace {

class Service final {
 public:
  explicit Service(const std::string& name) : name_(name), arena_(size_t{16} << 20) {
    labels_->Initialize(arena_, size_t{64} << 20);
    labels_->SetService(name_.c_str());
  }

  struct Sent {
    int depth = 0;
    std::string header;
  };
  // Serves a request that came with `header` and calls `peer`.
  Sent Serve(const std::string& header, const std::string& peer) {
    ThreadState self;
    Sent sent;
    const heapgauge_scope request =
        labels_->AcceptCall(self, header.empty() ? nullptr : header.c_str(), &sent.depth);
    const heapgauge_scope call = labels_->BeginCall(self, peer.c_str());
    char out[9000];
    labels_->CallBaggage(self, nullptr, out, sizeof out);
    sent.header = out;
    CloseScope(self, call);
    CloseScope(self, request);
    CHECK(self.labels == 0);
    CHECK(self.path == 0);
    return sent;
  }
  std::vector<std::string> Circles() const {
    std::vector<std::string> found;
    for (size_t i = 0; i < CircleBook::kMost; ++i) {
      const CircleBook::Circle circle = labels_->circles().Read(i);
      if (circle.label != 0) found.emplace_back(labels_->ValueOf(circle.label));
    }
    return found;
  }
  PageArena& arena() { return arena_; }

 private:
  std::string name_;
  PageArena arena_;
  std::unique_ptr<Labels> labels_ = std::make_unique<Labels>();
};

class Net final {
 public:
  Service& operator[](const std::string& name) {
    std::unique_ptr<Service>& service = services_[name];
    if (service == nullptr) service = std::make_unique<Service>(name);
    return *service;
  }
  // One request along `way`; the depth that the last one sees.
  int Go(const std::vector<std::string>& way) {
    Service::Sent sent;
    for (size_t i = 0; i < way.size(); ++i) {
      sent = (*this)[way[i]].Serve(sent.header, i + 1 < way.size() ? way[i + 1] : "");
    }
    return sent.depth;
  }
  bool Quiet() const {
    for (const auto& [name, service] : services_) {
      if (!service->Circles().empty()) return false;
    }
    return true;
  }

 private:
  std::map<std::string, std::unique_ptr<Service>> services_;
};

using Names = std::vector<std::string>;

TEST_CASE("each member sees a circle of two when its second turn goes out", "[labels]") {
  Net net;
  CHECK(net.Go({"gateway", "auth", "session", "auth", "session", "auth"}) == 2);
  CHECK(net["auth"].Circles() == Names{"auth session"});
  CHECK(net["session"].Circles() == Names{"auth session"});
  CHECK(net["gateway"].Circles().empty());
}

TEST_CASE("circles of any length are seen by all members and nobody else", "[labels]") {
  const int length = GENERATE(3, 4, 7, 12);
  Net net;
  Names way = {"edge"};
  for (int i = 0; i < 2 * length + 1; ++i) way.push_back("s" + std::to_string(100 + i % length));
  net.Go(way);
  std::string members;
  for (int i = 0; i < length; ++i) members += (i > 0 ? " s" : "s") + std::to_string(100 + i);
  for (int i = 0; i < length; ++i) {
    CHECK(net["s" + std::to_string(100 + i)].Circles() == Names{members});
  }
  CHECK(net["edge"].Circles().empty());
}

TEST_CASE("the depth is how often a service is on the path", "[labels]") {
  Net net;
  Names way;
  for (int i = 0; i < 10; ++i) {
    way.push_back(i % 2 == 0 ? "auth" : "session");
    CHECK(net.Go(way) == i / 2);
  }
}

TEST_CASE("retries, fan-outs, diamonds, chains and callbacks are no circles", "[labels]") {
  Net net;
  for (int request = 0; request < 1000; ++request) {
    net.Go({"a", "a", "a"});  // a retry to oneself, by the network
    net.Go({"gateway", "b" + std::to_string(request % 9)});
    net.Go({"gateway", "left", "store"});
    net.Go({"gateway", "right", "store"});
    net.Go({"one", "two", "three", "four", "five"});
    CHECK(net.Go({"web", "pay", "web"}) == 1);  // calls back, once
    net.Go({"web", "pay", "web", "mail"});
  }
  CHECK(net.Quiet());
}

TEST_CASE("a header of a circle that is none of ours is no circle here", "[labels]") {
  Service service("auth");
  service.Serve("heapgauge-path=1:x/y/x/y/x/y", "");
  CHECK(service.Circles().empty());
}

TEST_CASE("hostile headers use up no memory, and circles are still seen", "[labels]") {
  Service auth("auth");
  for (int i = 0; i < 50'000; ++i) {
    std::string header = "heapgauge-path=1:n" + std::to_string(i);
    for (int k = 0; k < 30; ++k) header += "/n" + std::to_string(i * 31 + k);
    auth.Serve(header, "session");
  }
  CHECK(auth.arena().held_bytes() <= size_t{2} << 20);
  // And the last of the room, for short ones.
  for (int i = 0; i < 20'000; ++i) auth.Serve("heapgauge-path=1:m" + std::to_string(i), "session");
  Service session("session");
  std::string header;
  for (int turn = 0; turn < 3; ++turn) {
    header = auth.Serve(header, "session").header;
    header = session.Serve(header, "auth").header;
  }
  CHECK(session.Circles() == Names{"auth session"});
}

TEST_CASE("a path goes on for ever and stays bounded", "[labels]") {
  Service auth("auth");
  Service session("session");
  std::string header;
  for (int turn = 0; turn < 5000; ++turn) {
    header = auth.Serve(header, "session").header;
    header = session.Serve(header, "auth").header;
    REQUIRE(header.size() < 3000);
  }
  CHECK(auth.Circles() == Names{"auth session"});
}

}  // namespace
}  // namespace heapgauge
