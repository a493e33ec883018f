#include "symbolize/helper_client.h"

#include <algorithm>
#include <utility>

namespace heapgauge::symbolize {
namespace {

using Clock = std::chrono::steady_clock;

// Modules that crash the helper within one call; more wait for the next report.
constexpr int kMaxRuns = 4;
constexpr std::chrono::seconds kShortRest{1};

}  // namespace

const std::string& HelperClient::KeyOf(const HelperRequest::Module& module) {
  return module.build_id.empty() ? module.path : module.build_id;
}

bool HelperClient::Ready() const { return !helper_.empty() && Clock::now() >= rest_until_; }

bool HelperClient::Expects(const HelperRequest::Module& module) const {
  if (helper_.empty()) return false;
  const auto found = strikes_.find(KeyOf(module));
  return found == strikes_.end() ||
         (found->second.crashes < kMaxCrashes && found->second.timeouts < kMaxTimeouts);
}

void HelperClient::Rest(std::string problem) {
  last_problem_ = std::move(problem);
  const int doublings = std::min(failures_in_a_row_++, 10);
  const auto rest = std::min<std::chrono::seconds>(kFirstRest * (1 << doublings), kLongestRest);
  rest_until_ = Clock::now() + rest;
}

std::vector<HelperClient::Answer> HelperClient::Ask(const HelperRequest& request,
                                                    TimePoint deadline) {
  last_problem_.clear();
  std::vector<Answer> answers(request.modules.size());
  std::vector<size_t> open;  // modules of `request` that still want an answer
  for (size_t i = 0; i < request.modules.size(); ++i) {
    answers[i].frames.resize(request.modules[i].offsets.size());
    answers[i].places.resize(request.modules[i].places.size());
    if (Expects(request.modules[i])) open.push_back(i);
  }
  for (int run = 0; run < kMaxRuns && !open.empty() && Ready(); ++run) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now());
    if (left.count() <= 0) break;
    HelperRequest part;
    part.debug_root = request.debug_root;
    part.debuginfod = request.debuginfod;
    for (const size_t i : open) part.modules.push_back(request.modules[i]);

    const HelperRun result = RunHelper(helper_, EncodeRequest(part), left);
    HelperResponse response = DecodeResponse(result.output, part);
    std::vector<size_t> still_open;
    for (size_t k = 0; k < open.size(); ++k) {
      for (size_t n = 0; n < response.frames[k].size(); ++n) {
        auto& frames = response.frames[k][n];
        if (!frames.empty()) answers[open[k]].frames[n] = std::move(frames);
      }
      for (size_t n = 0; n < response.places[k].size(); ++n) {
        VariablePlace& place = response.places[k][n];
        if (!place.variable.empty()) answers[open[k]].places[n] = std::move(place);
      }
      answers[open[k]].finished = response.finished[k];
      answers[open[k]].note = std::move(response.notes[k]);
      if (!response.finished[k] && response.unfinished_module != k) still_open.push_back(open[k]);
    }
    if (response.complete) {
      failures_in_a_row_ = 0;
      break;
    }
    if (result.outcome == HelperRun::Outcome::kStopped) {
      // Nobody's fault, so the next report asks again; but nobody before it, for the caller still
      // has the rights that the host has given up.
      last_problem_ = result.problem;
      rest_until_ = Clock::now() + kShortRest;
      break;
    }
    const bool timed_out = result.outcome == HelperRun::Outcome::kTimedOut;
    if (response.unfinished_module) {
      Strikes& strikes = strikes_[KeyOf(part.modules[*response.unfinished_module])];
      ++(timed_out ? strikes.timeouts : strikes.crashes);
    }
    std::string problem = result.problem;
    if (problem.empty()) problem = helper_ + " is not a symbolize helper of this version";
    if (timed_out || !response.unfinished_module) {
      Rest(std::move(problem));  // nothing to leave out that would make the next run better
      break;
    }
    last_problem_ = std::move(problem);
    open = std::move(still_open);
  }
  return answers;
}

}  // namespace heapgauge::symbolize
