#include "cli/service_graph.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "cli/edges_formats.h"
#include "report/units.h"

namespace heapgauge::cli {
namespace {

constexpr double kMiB = 1 << 20;

// A call whose memory piles up at `rate` for `age_s`.
Call Piling(const std::string& peer, double rate, double age_s) {
  return {peer, rate * age_s, 1000, 100, age_s, rate};
}
// One that comes back after `latency_s`, while traffic rises.
Call Busy(const std::string& peer, double bytes, double latency_s) {
  return {peer, bytes, 1000, 100, latency_s, bytes / 100};
}

class Net final {
 public:
  Report& At(const std::string& service, int64_t time_s = 1'800'000'000) {
    std::vector<Report>& reports = reports_[service];
    Report& report = reports.emplace_back();
    report.service = service;
    report.sequence = reports.size();
    report.time = FormatUtc(time_s * 1000);
    return report;
  }
  ServiceGraph Graph() const {
    ServiceGraph graph;
    for (const auto& [name, reports] : reports_) graph.AddProcess(reports);
    graph.Finish();
    return graph;
  }

 private:
  std::map<std::string, std::vector<Report>> reports_;
};

using Names = std::vector<std::string>;

TEST_CASE("calls that pile up in a circle are one, by reports alone", "[cli]") {
  Net net;
  net.At("gateway").calls = {Piling("auth", kMiB / 4, 60)};
  net.At("auth").calls = {Piling("session", kMiB, 31), Busy("database", 1000, 0.01)};
  net.At("session").calls = {Piling("auth", kMiB, 30)};
  const ServiceGraph graph = net.Graph();
  REQUIRE(graph.circles().size() == 1);
  const FoundCircle& found = graph.circles()[0];
  CHECK(found.circle.members == Names{"auth", "session"});
  CHECK(found.by_growth);
  CHECK_FALSE(found.by_path);
  CHECK(found.now);
  CHECK(found.circle.in_flight_bytes == 61 * kMiB);
  CHECK(graph.services().size() == 4);
  CHECK(graph.edges()[0].call.peer == "session");
  CHECK(graph.edges()[0].in_circle);
  CHECK_FALSE(graph.edges().back().in_circle);
  CHECK(EdgesToText(graph, 40, 200, false).find("CIRCLE: auth and session call each other") == 0);
}

TEST_CASE("a slow database is no circle, and is named", "[cli]") {
  Net net;
  net.At("gateway").calls = {Piling("auth", kMiB, 60)};
  net.At("auth").calls = {Piling("database", kMiB, 59), Busy("session", 5 * kMiB, 0.2)};
  net.At("session").calls = {Busy("auth", 5 * kMiB, 0.2)};  // calls back, as it always does
  const ServiceGraph graph = net.Graph();
  CHECK(graph.circles().empty());
  CHECK(graph.Ends() == Names{"database"});
  CHECK(EdgesToText(graph, 40, 200, false).find("No circle: memory waits for database") == 0);
}

TEST_CASE("harmless shapes are no circles in a thousand nights", "[cli]") {
  std::mt19937 random(11);
  const auto rate = [&] { return kMiB * (1 + static_cast<double>(random() % 1000) / 500); };
  for (int night = 0; night < 1000; ++night) {
    Net net;
    net.At("self").calls = {Piling("self", rate(), 40)};                      // a retry to oneself
    net.At("fan").calls = {Piling("a", rate(), 9), Piling("b", rate(), 99)};  // a fan-out
    net.At("top").calls = {Piling("left", rate(), 9), Piling("right", rate(), 9)};
    net.At("left").calls = {Piling("store", rate(), 9)};
    net.At("right").calls = {Piling("store", rate(), 9)};
    net.At("one").calls = {Piling("two", rate(), 300)};
    net.At("two").calls = {Piling("three", rate(), 300)};
    // Calls back, while both have more and more to do; or while one of them waits.
    net.At("web").calls = {Busy("pay", rate() * 20, 0.5)};
    net.At("pay").calls = {Busy("web", rate() * 20, 0.5)};
    net.At("shop").calls = {Piling("mail", rate(), 60)};
    net.At("mail").calls = {Busy("shop", rate() * 20, 0.5)};
    const ServiceGraph graph = net.Graph();
    REQUIRE(graph.circles().empty());
  }
}

TEST_CASE("a circle by reports alone holds while its memory waits, growing or not", "[cli]") {
  // In its last reports it is full; or as good as gone.
  for (const auto& [left_mib, holds] :
       {std::pair{31.0, true}, {4.0, true}, {2.0, false}, {0.0, false}}) {
    Net net;
    for (const auto& [client, server] : {std::pair{"auth", "session"}, {"session", "auth"}}) {
      net.At(client).calls = {Piling(server, kMiB, 31)};
      net.At(client, 1'800'000'060).calls = {{server, 31 * kMiB, 1000, 100, 90, 0}};
      Call& last = net.At(client, 1'800'000'120).calls.emplace_back();
      last = {server, left_mib * kMiB, 1000, 100, 150, -1000};
    }
    const ServiceGraph graph = net.Graph();
    CAPTURE(left_mib);
    REQUIRE(graph.circles().size() == 1);
    CHECK(graph.circles()[0].by_growth);
    CHECK(graph.circles()[0].now == holds);
    CHECK((CircleLine(graph.circles()[0]).find("it is over") == std::string::npos) == holds);
  }
}

TEST_CASE("clocks may differ by minutes, but not by a night", "[cli]") {
  const int64_t noon = 1'800'000'000;
  for (const int64_t apart : {0, 300, 590, 4 * 3600}) {
    Net net;
    net.At("auth", noon).calls = {Piling("session", kMiB, 31)};
    net.At("session", noon + apart).calls = {Piling("auth", kMiB, 31)};
    CHECK(net.Graph().circles().size() == (apart < 3600 ? 1 : 0));
  }
}

TEST_CASE("a circle that was seen in a path is in the graph, now or over", "[cli]") {
  Net net;
  for (const std::string name : {"auth", "session"}) {
    Report& before = net.At(name);
    before.circles = {
        {{"auth", "session"}, name == "auth" ? 7U : 6U, 3 * kMiB, "2027-01-15T08:00:00Z"}};
    net.At(name, 1'800'000'060);
  }
  const ServiceGraph graph = net.Graph();
  REQUIRE(graph.circles().size() == 1);
  CHECK(graph.circles()[0].by_path);
  CHECK_FALSE(graph.circles()[0].now);
  CHECK(graph.circles()[0].circle.depth == 7);
  CHECK(graph.circles()[0].circle.in_flight_bytes == 6 * kMiB);
  CHECK(CircleLine(graph.circles()[0]).find("it is over") != std::string::npos);
}

TEST_CASE("processes of one service are summed, and a final report ends the work", "[cli]") {
  std::vector<Report> first(2);
  first[0].service = first[1].service = "auth";
  first[0].calls = {Piling("http://session:8080/v1", kMiB, 10)};
  first[1].final = true;
  std::vector<Report> second(1);
  second[0].exe = "/opt/auth";
  second[0].calls = {Piling("session", kMiB, 20)};
  ServiceGraph graph;
  graph.AddProcess(first);
  graph.AddProcess(second);
  graph.AddProcess({});
  graph.Finish();
  REQUIRE(graph.edges().size() == 1);
  CHECK(graph.edges()[0].client == "auth");
  CHECK(graph.edges()[0].call.in_flight_bytes == 30 * kMiB);
  CHECK(graph.edges()[0].call.oldest_s == 20);
}

TEST_CASE("peers are known by their host, however they are written", "[cli]") {
  CHECK(ServiceOf("session") == "session");
  CHECK(ServiceOf("session:80") == "session");
  CHECK(ServiceOf("https://session/x:1/y") == "session");
  CHECK(ServiceOf("a:b") == "a:b");
  CHECK(ServiceOf("::1") == "::1");
  CHECK(ServiceOf("").empty());
  CHECK(ServiceOf("http://").empty());
}

TEST_CASE("components are those of a plain search, also in long chains", "[cli]") {
  std::mt19937 random(3);
  for (int round = 0; round < 300; ++round) {
    const size_t nodes = 1 + random() % 12;
    std::vector<std::vector<size_t>> next(nodes);
    std::vector<std::vector<bool>> reach(nodes, std::vector<bool>(nodes));
    for (size_t edge = random() % (2 * nodes); edge > 0; --edge) {
      const size_t from = random() % nodes;
      const size_t to = random() % nodes;
      next[from].push_back(to);
      reach[from][to] = true;
    }
    for (size_t k = 0; k < nodes; ++k) {
      for (size_t i = 0; i < nodes; ++i) {
        for (size_t j = 0; j < nodes; ++j)
          reach[i][j] = reach[i][j] || (reach[i][k] && reach[k][j]);
      }
    }
    std::vector<size_t> component(nodes, SIZE_MAX);
    const auto found = Components(next);
    for (size_t c = 0; c < found.size(); ++c) {
      CHECK(found[c].size() > 1);
      for (const size_t node : found[c]) {
        CHECK(component[node] == SIZE_MAX);
        component[node] = c;
      }
    }
    for (size_t i = 0; i < nodes; ++i) {
      for (size_t j = 0; j < nodes; ++j) {
        if (i == j) continue;
        const bool together = component[i] != SIZE_MAX && component[i] == component[j];
        CHECK(together == (reach[i][j] && reach[j][i]));
      }
    }
  }
  constexpr size_t kLong = 300'000;
  std::vector<std::vector<size_t>> ring(kLong);
  for (size_t i = 0; i < kLong; ++i) ring[i] = {(i + 1) % kLong};
  REQUIRE(Components(ring).size() == 1);
  ring[7].clear();
  CHECK(Components(ring).empty());
}

TEST_CASE("names can't break out of the picture", "[cli]") {
  Net net;
  net.At("a\"];evil[x=\"\n").calls = {Piling("b\\", kMiB, 1)};
  const std::string dot = EdgesToDot(net.Graph());
  CHECK(dot.find("\nevil") == std::string::npos);
  CHECK(dot.find("\"a\\\"];evil[x=\\\"\\\\x0a\"") != std::string::npos);
}

}  // namespace
}  // namespace heapgauge::cli
