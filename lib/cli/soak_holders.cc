#include "cli/soak_holders.h"

#include <absl/strings/str_join.h>
#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <optional>
#include <string>

#include "control/control_client.h"
#include "report/json_reader.h"
#include "report/printable.h"
#include "report/text_held.h"

namespace heapgauge::cli {
namespace {

constexpr double kHoldersPatienceS = 30;    // s, for all of them; their memory is read twice
constexpr double kHoldersShortS = 3;        // after an interrupt
constexpr double kHoldersLookS = 0.05;      // s
constexpr size_t kMostHolderProcesses = 8;  // processes
constexpr size_t kMostHolderFindings = 16;  // of one

constexpr double kMostlyLost = 0.5;

// One process, and what is asked of it.
struct HolderQuestion {
  std::vector<SoakFinding*> findings;
  std::optional<ControlClient> client;  // while an answer is awaited
  std::string why_not;
};

using HolderQuestions = std::map<pid_t, HolderQuestion>;

HolderQuestions HolderQuestionsOf(const std::vector<pid_t>& alive, SoakResult* result) {
  HolderQuestions questions;
  for (std::vector<SoakFinding>* const findings : {&result->leaks, &result->growing}) {
    for (SoakFinding& finding : *findings) {
      const auto asked = std::find_if(finding.pids.begin(), finding.pids.end(), [&](int64_t pid) {
        return std::find(alive.begin(), alive.end(), static_cast<pid_t>(pid)) != alive.end();
      });
      if (asked == finding.pids.end()) continue;
      const auto pid = static_cast<pid_t>(*asked);
      if (questions.size() >= kMostHolderProcesses && !questions.contains(pid)) continue;
      std::vector<SoakFinding*>& of_one = questions[pid].findings;
      if (of_one.size() < kMostHolderFindings) of_one.push_back(&finding);
    }
  }
  return questions;
}

void SendHolderQuestion(pid_t pid, HolderQuestion* question) {
  absl::StatusOr<ControlClient> client = ControlClient::Connect(pid);
  if (!client.ok()) {
    question->why_not = Printable(std::string(client.status().message()));
    return;
  }
  const std::string ids =
      absl::StrJoin(question->findings, ",",
                    [](std::string* out, const SoakFinding* finding) { out->append(finding->id); });
  if (const absl::Status sent = client->Send({"holders", ids}); !sent.ok()) {
    question->why_not = fmt::format("process {}: {}", pid, std::string(sent.message()));
    return;
  }
  question->client = *std::move(client);
}

void TakeHolders(const Report& report, bool exact, const HolderQuestion& question) {
  for (SoakFinding* const finding : question.findings) {
    const auto callsite =
        std::find_if(report.callsites.begin(), report.callsites.end(),
                     [&](const Callsite& one) { return one.sum.id == finding->id; });
    if (callsite == report.callsites.end() || !callsite->held) continue;
    const Held& held = *callsite->held;
    finding->held = finding->held_briefly = HeldSentence(held);
    if (held.lost_objects == 0 && held.rings.empty() && !held.holders.empty())
      finding->held_briefly = HolderSentence(held, held.holders.front());
    finding->lost_share = held.lost_share;
    finding->lost_low = held.lost_low;
    // With that in mind, where the report was what showed it.
    const bool by_report = !finding->together && !exact;
    if (by_report && callsite->sum.verdict == finding->verdict) {
      finding->evidence = Printable(callsite->sum.evidence);
      finding->confidence = std::max(finding->confidence, callsite->sum.confidence);
    }
  }
}

// Has it answered, or will it never?
void ReceiveHolders(pid_t pid, bool exact, HolderQuestion* question) {
  const auto answer = question->client->Receive(std::chrono::milliseconds(0));
  if (!answer.ok()) {
    if (absl::IsDeadlineExceeded(answer.status())) return;
    question->why_not = fmt::format("process {}: {}", pid, std::string(answer.status().message()));
  } else if (!answer->good) {
    question->why_not = fmt::format("process {}: {}", pid, Printable(answer->Value("text")));
  } else {
    std::string wrong;
    const std::optional<Report> report = FromJson(question->client->attached(), &wrong);
    if (report) TakeHolders(*report, exact, *question);
    if (!report) question->why_not = fmt::format("process {}: {}", pid, Printable(wrong));
  }
  question->client.reset();
}

}  // namespace

bool IsMostlyLost(const SoakFinding& finding) { return finding.lost_low > kMostlyLost; }

void TakeLostForLeaks(SoakResult* result) {
  const auto lost =
      std::stable_partition(result->growing.begin(), result->growing.end(),
                            [](const SoakFinding& finding) { return !IsMostlyLost(finding); });
  for (auto it = lost; it != result->growing.end(); ++it) {
    it->verdict = "leak";
    it->confidence = std::max(it->confidence, it->lost_low);
    result->leaks.push_back(std::move(*it));
  }
  result->growing.erase(lost, result->growing.end());
}

void AskHolders(const SoakCourse& course, SoakRun* run, SoakResult* result) {
  HolderQuestions questions = HolderQuestionsOf(course.alive, result);
  if (questions.empty()) return;
  for (auto& [pid, question] : questions) SendHolderQuestion(pid, &question);
  const double patience = course.end == SoakEnd::kInterrupted ? kHoldersShortS : kHoldersPatienceS;
  const double until = run->now_s() + patience;
  const auto waits = [&] {
    return std::any_of(questions.begin(), questions.end(),
                       [](const auto& one) { return one.second.client.has_value(); });
  };
  while (waits() && run->now_s() < until &&
         run->Wait("looking for holders", until, kHoldersLookS)) {
    for (auto& [pid, question] : questions) {
      if (question.client) ReceiveHolders(pid, result->iterations > 0, &question);
    }
  }
  for (const auto& [pid, question] : questions) {
    std::string why = question.why_not;
    if (question.client) why = fmt::format("process {} gave no answer in time", pid);
    if (why.empty()) continue;
    result->notes.push_back("who holds what was found is not known: " + why);
    return;  // the others have the same reason, as a rule
  }
}

}  // namespace heapgauge::cli
