// libheapgauge-core.so's one export: brings the tracker up and hands the shim its table.
#include <pthread.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <unistd.h>

#include <cstring>
#include <exception>
#include <string>

#include "base/fork_gate.h"
#include "base/macros.h"
#include "base/raw_log.h"
#include "core_api/core_api.h"
#include "helper/preload_list.h"
#include "helper/program_path.h"
#include "labels/labels.h"
#include "options/options.h"
#include "reporter/older_glibc.h"
#include "reporter/own_malloc.h"
#include "reporter/reporter.h"
#include "reporter/snapshot_api.h"
#include "trace/stack_trace.h"
#include "track/filters.h"
#include "track/tracker.h"

namespace heapgauge {
namespace {

Options* g_options = nullptr;
const ShimApi* g_shim = nullptr;

// HEAPGAUGE_FOLLOW: exec children inherit the environment, so that is where following ends.
void UnfollowExec() {
  const char* const preload = getenv("LD_PRELOAD");
  if (preload == nullptr) return;
  const std::string kept = WithoutLibrary(preload, g_shim->library_path);
  if (kept.empty()) {
    unsetenv("LD_PRELOAD");
  } else {
    setenv("LD_PRELOAD", kept.c_str(), 1);
  }
}

void BeforeFork() {
  Tracker::Get().BeforeFork();
  ForkGate::Get().Close();
}
void AfterForkInParent() {
  ForkGate::Get().OpenInParent();
  Reporter::Get().ForkedInParent();
}
void AfterForkInChild() {
  ForkGate::Get().OpenInChild();
  Tracker::Get().AfterForkInChild();
  g_shim->this_thread()->sampler.Reseed();
  const bool follow = g_options->follow != FollowOption::kNone;
  if (!follow) Tracker::Get().SetRecording(false);
  Reporter::Get().ForkedInChild(follow);
}

// What exec was given: to ask for the executable would be a system call more.
void NameService() {
  const char* name = g_options->service.value;
  if (*name == '\0') {
    name = reinterpret_cast<const char*>(getauxval(AT_EXECFN));
    const char* const slash = name == nullptr ? nullptr : std::strrchr(name, '/');
    if (slash != nullptr) name = slash + 1;
  }
  Labels::Get().SetService(name);
}

heapgauge_status Start() {
  Reporter::Get().SetRecording(true);
  return HEAPGAUGE_OK;
}

heapgauge_status Stop() {
  Tracker::Get().SetRecording(false);
  return HEAPGAUGE_OK;
}

heapgauge_status SetInterval(uint64_t bytes) {
  if (bytes < 1 || bytes > Sampler::kMaxInterval) return HEAPGAUGE_BAD_ARGUMENT;
  Tracker::Get().SetInterval(bytes);
  g_shim->this_thread()->sampler.Restart();
  return HEAPGAUGE_OK;
}

void SayWhatLibunwindSaid() noexcept {
  const LibunwindAnswers answers = AnswersOfLibunwind();
  if (answers.same + answers.other == 0) return;
  RawLog(LogLevel::kInfo,
         "libunwind walked %llu stacks as heapgauge did; %llu more are heapgauge's own",
         static_cast<unsigned long long>(answers.same),
         static_cast<unsigned long long>(answers.other));
}

constexpr CoreApi MakeApi() {
  CoreApi api;
  api.record = [](ThreadState* self, void* block, size_t bytes, uint64_t interval, void* caller) {
    Tracker::Get().Record(*self, block, bytes, interval, caller);
  };
  api.record_growth = [](ThreadState* self, void* block, size_t bytes, UsableGrowth growth,
                         uint64_t interval, void* caller) {
    Tracker::Get().RecordGrowth(*self, block, bytes, growth, interval, caller);
  };
  api.forget = [](void* block) { return Tracker::Get().Forget(block); };
  api.take = [](void* block, TakenSample* taken) { return Tracker::Get().Take(block, taken); };
  api.restore = [](void* block, const TakenSample* taken) {
    Tracker::Get().Restore(block, *taken);
  };
  api.moved = [](ThreadState* self, void* block, size_t bytes, const TakenSample* taken,
                 UsableGrowth growth, void* caller) {
    Tracker::Get().Moved(*self, block, bytes, *taken, growth, caller);
  };
  api.died = [](const TakenSample* taken) { Tracker::Get().Died(*taken); };
  api.modules_came = [] {
    if ((Filters::Get().EndedIn(*g_shim->this_thread()) & kEndsReports) != 0) return;
    const ForkGate::Passage gate;  // the loader's lock
    if (!gate.entered()) return;
    g_shim->cover_new_modules(false);
    Tracker::Get().ModulesCame();
  };
  api.before_filter = [](ThreadState* self, const FilterRequest* request, FilterTicket* ticket) {
    Reporter::Get().BeforeFilter(*self, *request, ticket);
  };
  api.after_filter = [](ThreadState* self, const FilterTicket* ticket, bool came) {
    Reporter::Get().AfterFilter(*self, *ticket, came);
  };
  api.process_exit = [](bool quick) {
    Reporter::Get().Finish(quick);
    SayWhatLibunwindSaid();
  };
  api.give_reports = [](uid_t user) { return Reporter::Get().GiveReports(user); };
  api.take_reports_back = [](uid_t user) { Reporter::Get().TakeReportsBack(user); };
  api.before_root_change = [] { Reporter::Get().BeforeRootChange(); };
  api.step_out = [](bool last) { return Reporter::Get().StepOut(last); };
  api.step_in = [](ThreadState* self, void* caller, bool last) {
    Reporter::Get().StepIn(*self, caller, last);
  };
  api.start = Start;
  api.stop = Stop;
  api.set_interval = SetInterval;
  api.take_snapshot = [](heapgauge_snapshot* out, size_t max_sites) {
    return TakeApiSnapshot(*g_shim->this_thread(), out, max_sites);
  };
  api.free_snapshot = FreeApiSnapshot;
  api.write_report = [] { return Reporter::Get().WriteNow(); };
  api.find_holders = [] { return Reporter::Get().FindHolders(); };
  api.report_directory = [] { return Reporter::Get().directory(); };
  api.label = [](const char* key, const char* value) -> heapgauge_label_id {
    return Labels::Get().Label(key, value);
  };
  api.push_label = [](ThreadState* self, heapgauge_label_id label) {
    return Labels::Get().Push(*self, label);
  };
  api.begin_call = [](ThreadState* self, const char* peer) {
    return Labels::Get().BeginCall(*self, peer);
  };
  api.accept_call = [](ThreadState* self, const char* baggage, int* depth) {
    return Labels::Get().AcceptCall(*self, baggage, depth);
  };
  api.call_baggage = [](const ThreadState* self, const char* baggage, char* out, size_t room) {
    return Labels::Get().CallBaggage(*self, baggage, out, room);
  };
  return api;
}

constexpr CoreApi kApi = MakeApi();

}  // namespace
}  // namespace heapgauge

extern "C" HG_EXPORT const heapgauge::CoreApi* heapgauge_core_entry(
    const heapgauge::ShimApi* shim) {
  using namespace heapgauge;  // NOLINT: one function
  if (shim->version != kCoreApiVersion || shim->bytes != sizeof(ShimApi)) {
    RawLog(LogLevel::kError,
           "libheapgauge.so speaks version %u of the core's interface, libheapgauge-core.so "
           "version %u; tracking is "
           "off, reinstall heapgauge to mend it",
           shim->version, kCoreApiVersion);
    return nullptr;
  }
#if defined(HEAPGAUGE_OLDER_GLIBC)
  UseFindObject(shim->find_object);
#endif
#if defined(HEAPGAUGE_OWN_MALLOC)
  UseHostAllocator(*shim);
#endif
  try {
    g_shim = shim;
    SetInstalledFile(shim->library_path);
    g_options = new Options;  // never deleted: the report thread may outlive main
    ReadEnvironment(*g_options, shim->machine_settings);
    if (shim->settings != nullptr) {
      ReadEnvironment(*g_options, shim->settings);
    } else if (getauxval(AT_SECURE) == 0) {
      // A set-uid program's environment is its caller's, not its owner's.
      ReadEnvironment(*g_options, shim->environment);
    }
    g_log_level.store(g_options->log,
                      std::memory_order_relaxed);  // relaxed: single-threaded so far
    if (g_options->follow != FollowOption::kExec) UnfollowExec();
    if (!Tracker::Get().Initialize(*g_options, *shim->control, *shim->this_thread())) {
      RawLog(LogLevel::kError,
             "no memory for the tracker (HEAPGAUGE_MEMORY_LIMIT=%llu bytes); tracking is off",
             static_cast<unsigned long long>(g_options->memory_limit_bytes));
      return nullptr;
    }
    NameService();
    // Where not every call passes here.
    if (shim->redirects) Tracker::Get().ExpectUnseenDeaths();
    Reporter::Get().Initialize(*g_options, *shim);
    Reporter::Get().OfferChecks();
    // Called after our last work at exit(), which comes with the loader's end: the one place that
    // is told the status.
    on_exit([](int status, void*) { Reporter::Get().EndOfLine(status); }, nullptr);
    pthread_atfork(BeforeFork, AfterForkInParent, AfterForkInChild);
    return &kApi;
  } catch (const std::exception& problem) {
    RawLog(LogLevel::kError, "the tracker could not start: %s; tracking is off", problem.what());
    return nullptr;
  }
}
