// Who calls whom, by the memory that waits for the calls: the reports of many services in one graph,
// and the circles in it.
//
// A circle is known in two ways: a service has seen it in the path of a request (Report::circles),
// or memory in flight piles up on every call of a circle at the same time.  Clocks of machines may
// differ by kSlackS.
//
// Values alone: no files, no clocks.
#ifndef HEAPGAUGE_CLI_SERVICE_GRAPH_H_
#define HEAPGAUGE_CLI_SERVICE_GRAPH_H_

#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "report/report.h"

namespace heapgauge::cli {

struct Edge {
  std::string client;
  Call call;  // of all the client's processes together; its peer is the server
  bool piles_up = false;
  bool in_circle = false;
};

struct FoundCircle {
  Circle circle;
  bool by_path = false;    // seen in the path of a request; else by reports alone
  bool by_growth = false;  // memory in flight grows on all its calls together
  bool now = false;        // in the newest reports: seen, or enough of what it held is still there
};

class ServiceGraph final {
 public:
  static constexpr double kSlackS = 600;
  // Less is no pile.
  static constexpr double kLeastBytes = 256 * 1024;

  // The reports of one process, oldest first.  What its final report has is taken for the end of
  // its work: the one before says what was in flight.
  void AddProcess(const std::vector<Report>& reports);
  // Once, after all.
  void Finish();

  const std::set<std::string>& services() const { return services_; }
  const std::vector<Edge>& edges() const { return edges_; }  // most in flight first
  const std::vector<FoundCircle>& circles() const { return circles_; }
  // Services for which calls pile up, and whose own calls do not: what all wait for.
  std::vector<std::string> Ends() const;

 private:
  struct Span {
    double first_s = 0;
    double last_s = -1;  // before first_s: never
    void Add(double time_s);
  };
  struct Sum {
    Call call;
    Span piled;  // when it did
    bool piles_now = false;
    double most_bytes = 0;  // that each process had in flight at a time, together
  };

  void AddPathCircles(const Report& report, bool newest);
  void FindGrowingCircles();
  bool Overlap(const std::set<std::string>& members) const;

  std::set<std::string> services_;
  std::map<std::pair<std::string, std::string>, Sum> sums_;
  std::map<std::vector<std::string>, FoundCircle> by_members_;
  std::vector<Edge> edges_;
  std::vector<FoundCircle> circles_;
};

// "http://session:8080/v1" -> "session": what a peer is called is the program's own affair.
std::string ServiceOf(std::string_view peer);

// The strongly connected components with more than one member of a graph whose nodes are numbers.
std::vector<std::vector<size_t>> Components(const std::vector<std::vector<size_t>>& next);

}  // namespace heapgauge::cli

#endif  // HEAPGAUGE_CLI_SERVICE_GRAPH_H_
