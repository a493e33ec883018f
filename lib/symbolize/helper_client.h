// Asks the helper for lines, and copes with helpers that hang, crash, lie or aren't there.
#ifndef HEAPGAUGE_SYMBOLIZE_HELPER_CLIENT_H_
#define HEAPGAUGE_SYMBOLIZE_HELPER_CLIENT_H_

#include <chrono>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "helper/helper_process.h"
#include "symbolize/helper_protocol.h"

namespace heapgauge::symbolize {

class HelperClient final {
 public:
  // A module the helper broke on (its memory limit, damaged debug information) is not sent again
  // after this many crashes or this many deadlines: a crash repeats, a deadline may be a busy
  // machine.
  static constexpr int kMaxCrashes = 1;
  static constexpr int kMaxTimeouts = 2;
  // After a failure the helper rests, first this long, then twice, up to the maximum: a host whose
  // helper always hangs must not pay for it in every report.
  static constexpr std::chrono::seconds kFirstRest{60};
  static constexpr std::chrono::seconds kLongestRest{3600};

  using TimePoint = std::chrono::steady_clock::time_point;

  explicit HelperClient(std::string helper) : helper_(std::move(helper)) {}

  // False while it rests and where there is none.
  bool Ready() const;

  // May a later call still answer for this module?
  bool Expects(const HelperRequest::Module& module) const;

  struct Answer {
    bool finished = false;  // what has no frames now will have none if asked again
    std::vector<HelperResponse::Frames> frames;  // per offset
    std::vector<VariablePlace> places;           // per place
    std::string note;  // why its debug information could not be read, or ""
  };

  // An answer for each module of the request.  Starts the helper again without the module it
  // crashed on.  What is not there at the deadline stays unanswered.
  std::vector<Answer> Ask(const HelperRequest& request, TimePoint deadline);

  // Of the last Ask(), "" if all went well.
  const std::string& last_problem() const { return last_problem_; }

 private:
  struct Strikes {
    int crashes = 0;
    int timeouts = 0;
  };

  static const std::string& KeyOf(const HelperRequest::Module& module);
  void Rest(std::string problem);

  const std::string helper_;
  std::unordered_map<std::string, Strikes> strikes_;  // by build-id or path; as many as modules
  TimePoint rest_until_{};
  int failures_in_a_row_ = 0;
  std::string last_problem_;
};

}  // namespace heapgauge::symbolize

#endif  // HEAPGAUGE_SYMBOLIZE_HELPER_CLIENT_H_
