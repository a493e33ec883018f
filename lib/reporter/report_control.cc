// What the report thread answers through the control socket.
#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <memory>

#include "base/clock.h"
#include "base/descriptor.h"
#include "base/raw_log.h"
#include "base/whole_io.h"
#include "control/control_message.h"
#include "process/confinement.h"
#include "reporter/private_descriptors.h"
#include "reporter/reporter.h"
#include "track/tracker.h"

namespace heapgauge {
namespace {

constexpr std::chrono::milliseconds kLookHelper{500};
// What can be changed while the process runs.
constexpr const char* kChangeable[] = {"SAMPLE_INTERVAL", "REPORT_INTERVAL", "CPU_BUDGET", "START",
                                       "LOG"};

}  // namespace

// Behind a filter that was there at the start nothing is known of what it kills for, and a socket is
// nothing that each program has: only for who asks for it by name.
void Reporter::BeginControl() noexcept {
  if (!options_->control || !DescriptorsArePrivate()) return;
  if (BeganConfined() && !control_asked_for_) return;
  try {
    thread_->control.Begin(MonotonicNs(), runtime_directory_);
  } catch (const std::exception&) {  // no memory: no socket
  }
}

void Reporter::EndControl() noexcept {
  thread_->control_waits.clear();
  thread_->holder_question.reset();
  if (!thread_->control.IsOpen()) return thread_->control.Forget();
  if ((EndedForReporter() & (kEndsControl | kEndsReports)) != 0) {
    thread_->control.Forget();
  } else {
    thread_->control.End();
  }
}

// True when a report is asked for, or something that the wait depends on has changed.
bool Reporter::TendControl() noexcept {
  if ((EndedForReporter() & (kEndsControl | kEndsReports)) != 0) {
    thread_->control.Forget();
    return false;
  }
  bool wakes = false;
  try {
    for (const ControlServer::Question& question : thread_->control.Look(MonotonicNs())) {
      const std::string verb = question.words.empty() ? "" : question.words[0];
      if (verb == "report") {
        thread_->control_waits.push_back(question.client);
        wakes = true;
      } else if (verb == "holders") {
        wakes = AskForHolders(question.client, question.words) || wakes;
      } else if (verb == "look") {
        AnswerWithLook(question.client);
      } else {
        wakes = wakes || verb == "set";
        thread_->control.Answer(question.client, AnswerTo(question.words));
      }
    }
  } catch (const std::exception& problem) {
    RawLog(LogLevel::kInfo, "a question through the control socket has no answer: %s",
           problem.what());
  }
  return wakes;
}

void Reporter::AnswerControl(bool good) noexcept {
  if (thread_->control_waits.empty()) return;
  const ReportRound& round = thread_->round;
  try {
    const std::string packet =
        good ? MakeAnswer(true,
                          {{"directory", round.directory() != nullptr ? round.directory() : ""},
                           {"sequence", std::to_string(round.newest().sequence)},
                           {"verdict", round.newest().verdict}})
             : MakeRefusal(
                   "the report could not be written; standard error of the process says why");
    for (const int client : thread_->control_waits) thread_->control.Answer(client, packet);
    thread_->control_waits.clear();
  } catch (const std::exception&) {  // no memory: they find that it takes too long
  }
}

void Reporter::AnswerWithLook(int client, uint64_t copy_ns) {
  const uint64_t now = MonotonicNs();
  if (thread_->last_look.empty() || thread_->look_budget.Allows(now)) {
    const uint64_t began = ThreadCpuNs();
    CoverNewModules(false);
    thread_->last_look = thread_->round.Look(kLookHelper);
    thread_->last_look_ns = now;
    thread_->look_budget.Spend(ThreadCpuNs() - began);
  }
  const Descriptor file(AboveStandard(memfd_create("heapgauge-look", MFD_CLOEXEC)));
  if (!file.valid() || !WriteAll(file.get(), thread_->last_look)) {
    thread_->control.Answer(client, MakeRefusal(std::strerror(errno)));
    return;
  }
  const uint64_t age_ms = (now - thread_->last_look_ns) / 1'000'000;
  thread_->control.Answer(client,
                          MakeAnswer(true, {{"age_ms", std::to_string(age_ms)},
                                            {"copy_us", std::to_string(copy_ns / 1'000)}}),
                          file.get());
}

// Begins a look through memory of its own, whose answer is a look at the sites (TendHolderQuestion()).
bool Reporter::AskForHolders(int client, const std::vector<std::string>& question) {
  ReportThread::HolderQuestion asked;
  asked.client = client;
  asked.exact = question.size() > 2 && question[2] == "exact";
  const char* at = question.size() > 1 ? question[1].c_str() : "";
  while (*at != '\0') {
    char* end = nullptr;
    asked.callsites.push_back(std::strtoull(at, &end, 16));
    if (end == at) break;
    at = *end == ',' ? end + 1 : end;
  }
  std::string refusal;
  if (options_->holders == HoldersOption::kOff || options_->holders == HoldersOption::kExit) {
    refusal = "HEAPGAUGE_HOLDERS is off or exit there";
  } else if ((EndedForReporter() & kEndsHolders) != 0 || !thread_->round.HoldersWork()) {
    refusal =
        "its memory can't be looked through: a filter of system calls or the kernel forbids it";
  } else if (asked.exact && (EndedForReporter() & kEndsCopies) != 0) {
    refusal = "a filter of system calls forbids to copy it";
  } else if (*at != '\0') {
    refusal = "not the ids of call sites";
  } else if (thread_->holder_question) {
    refusal = "somebody else's question is being answered; ask again in a moment";
  }
  if (!refusal.empty()) {
    thread_->control.Answer(client, MakeRefusal(refusal));
    return false;
  }
  thread_->holder_question = std::move(asked);
  return true;
}

// A look that is under way comes to its end first.
void Reporter::TendHolderQuestion() noexcept {
  TakeHolderCalls();
  if (!thread_->holder_question || !thread_->round.HoldersAreIdle()) return;
  ReportThread::HolderQuestion& question = *thread_->holder_question;
  try {
    if (!question.begun) {
      question.begun = true;
      thread_->round.AskHolders(question.callsites, question.exact);
      CoverNewModules(true);
      thread_->round.Look(kLookHelper, 0);
      if (!thread_->round.HoldersAreIdle()) return;
    }
    if (question.client < 0) {
      AnswerHolderCalls(question.api_asks);
      thread_->holder_question.reset();
      return;
    }
    const HolderWatch& holders = thread_->round.holders();
    if (question.exact && !holders.refusal().empty()) {
      thread_->control.Answer(question.client, MakeRefusal(holders.refusal()));
    } else if (thread_->round.HoldersWork()) {
      thread_->last_look.clear();  // it does not know yet what was found
      AnswerWithLook(question.client, question.exact ? holders.copy_ns() : 0);
    } else {
      thread_->control.Answer(question.client, MakeRefusal("its memory can't be looked through"));
    }
  } catch (const std::exception&) {  // no memory: the client finds that it takes too long
  }
  thread_->holder_question.reset();
}

std::string Reporter::AnswerTo(const std::vector<std::string>& question) {
  if (question.size() == 3 && question[0] == "set") {
    const std::string problem = SetOption(question[1], question[2]);
    return problem.empty() ? MakeAnswer(true, {}) : MakeRefusal(problem);
  }
  if (question.size() != 1 || question[0] != "hello") {
    return MakeRefusal(fmt::format("heapgauge {}.{}.{} does not know this question",
                                   HEAPGAUGE_VERSION_MAJOR, HEAPGAUGE_VERSION_MINOR,
                                   HEAPGAUGE_VERSION_PATCH));
  }
  const ReportRound& round = thread_->round;
  const Tracker& tracker = Tracker::Get();
  return MakeAnswer(
      true,
      {{"pid", std::to_string(getpid())},
       {"exe", program_path_},
       {"version", fmt::format("{}.{}.{}", HEAPGAUGE_VERSION_MAJOR, HEAPGAUGE_VERSION_MINOR,
                               HEAPGAUGE_VERSION_PATCH)},
       {"tracking", tracker.recording() ? "on" : "off"},
       {"sample_interval", std::to_string(tracker.interval_bytes())},
       {"report_interval_ns",
        std::to_string(report_interval_ns_.load(std::memory_order_relaxed))},  // relaxed: our own
       {"directory", round.directory() != nullptr ? round.directory() : ""},
       {"sequence", std::to_string(round.newest().sequence)},
       {"verdict", round.newest().verdict},
       {"live_bytes", fmt::format("{:.0f}", round.newest().live_bytes)}});
}

// "" when it is done.
std::string Reporter::SetOption(const std::string& name, const std::string& value) {
  const OptionSpec* const spec = FindOption(name);
  if (spec == nullptr) return name + " is not a setting of heapgauge";
  if (std::find_if(std::begin(kChangeable), std::end(kChangeable),
                   [&](const char* one) { return name == one; }) == std::end(kChangeable)) {
    return fmt::format("{} can't be changed while the process runs; {} can", name,
                       fmt::join(kChangeable, ", "));
  }
  const auto wanted = std::make_unique<Options>(*options_);
  if (!spec->parse(*wanted, value.c_str()))
    return fmt::format("{}={} is not understood (accepted: {})", name, value, spec->accepted);
  if (name == "SAMPLE_INTERVAL") {
    Tracker::Get().SetInterval(wanted->sample_interval_bytes);
  } else if (name == "REPORT_INTERVAL") {
    // relaxed: a setting
    report_interval_ns_.store(wanted->report_interval_ns, std::memory_order_relaxed);
  } else if (name == "CPU_BUDGET") {
    governor_ = Governor(wanted->cpu_budget);
  } else if (name == "START") {
    SetRecording(wanted->start);
  } else {
    g_log_level.store(wanted->log, std::memory_order_relaxed);  // relaxed: a setting
  }
  return {};
}

}  // namespace heapgauge
