// A soak from the start of SERVICE to its end: starts, waits, loads, asks for reports, stops.
#ifndef HEAPGAUGE_CLI_SOAK_RUN_H_
#define HEAPGAUGE_CLI_SOAK_RUN_H_

#include <signal.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/descriptor.h"
#include "cli/report_call.h"
#include "cli/soak_child.h"
#include "cli/soak_options.h"
#include "cli/soak_reports.h"

namespace heapgauge::cli {

enum class SoakEnd : uint8_t {
  kGood,
  kNotUp,  // SERVICE did not come up in time
  kServiceDied,
  kLoadFailed,  // its status, or a signal
  kLoadHangs,   // of exact mode
  kInterrupted,
};

// What happened, less what the reports say.
struct SoakCourse {
  SoakEnd end = SoakEnd::kGood;
  std::string sentence;  // what went wrong
  std::string output;    // the last lines of who it was
  int start_error = 0;   // SERVICE was never run
  double loaded_s = 0;   // how long LOAD ran
  double from_s = 0;     // the judged part, by the soak's clock
  double to_s = 0;
  uint64_t load_runs = 0;
  double requests = 0;  // that LOADs said they made, and how long those took
  double requests_s = 0;
  double service_cpu_s = 0;    // in the judged part
  std::vector<pid_t> alive;    // processes of SERVICE at its end
  std::vector<double> marks;   // exact mode: when each iteration had ended and all was quiet
  std::vector<SoakMore> more;  // exact mode: runs of LOAD beyond those
  std::vector<std::string> notes;
};

class SoakRun final {
 public:
  // `service` and `load` as they are to be started; `directory` is there.
  SoakRun(const SoakRequest& request, SoakCommandLine service, SoakCommandLine load,
          const std::string& directory);
  ~SoakRun();
  SoakRun(const SoakRun&) = delete;
  SoakRun& operator=(const SoakRun&) = delete;

  // All of it but the end of SERVICE.
  SoakCourse Run();
  // Ends SERVICE, and whatever is left of LOAD.
  void Stop(SoakCourse* course);

  // Between the two: takes what SERVICE prints for so many seconds, and no longer than until
  // `until_s`.  False: the user has no patience.
  bool Wait(const char* phase, double until_s, double seconds);

  const SoakReports& reports() const { return reports_; }
  double now_s() const;
  // Called every second or so with what phase it is and how long it still takes (< 0: unknown).
  std::function<void(const char* phase, double left_s)> on_progress;
  // Exact mode: is there, after so much, anything that more runs of LOAD would tell?
  std::function<bool(const SoakCourse& so_far)> wants_more;
  // Resident memory of all processes of SERVICE.
  double ServiceRss() const;

 private:
  using Condition = std::function<bool()>;
  // Until the condition holds (true), or the time has come, or something has gone wrong.
  bool PollUntil(double time_s, const Condition& condition);
  void PollOnce(double until_s);
  void TakeSignals();
  void Reap();
  void Progress();
  bool WentWrong() const { return course_.end != SoakEnd::kGood; }
  void FailInterrupted();
  void FailServiceEnded();
  void Fail(SoakEnd end, std::string sentence, std::string output = "");

  bool StartService();
  void WaitUp();
  bool IsUp();
  void FollowDaemon();
  bool StartLoad();
  void LoadFor();
  void Iterate();
  bool RunLoads(const std::string& which);
  void AwaitQuiet();
  void RunMore();
  bool WantsMore();
  void TakeLoadEnds();
  void StopLoads();
  void AskReports(int signal_number, double patience_s);
  std::vector<pid_t> ServiceProcesses() const;
  double ServiceCpu() const;
  void SignalService(int number);

  const SoakRequest& request_;
  const SoakCommandLine service_line_;
  const SoakCommandLine load_line_;
  std::string directory_;
  sigset_t old_mask_;
  Descriptor signals_;
  ReportCall call_;
  SoakReports reports_;
  SoakLog service_log_;
  SoakLog load_log_;
  SoakLog wait_log_;
  SoakChild service_;
  std::optional<SoakChild> waiter_;
  std::vector<SoakChild> loads_;
  std::vector<pid_t> roots_;  // of SERVICE
  int root_status_ = 0;       // of the last of them that ended
  bool loading_ = false;
  bool stopping_ = false;
  bool restarts_ = true;  // LOAD, when it has ended
  bool line_seen_ = false;
  int interrupts_ = 0;
  int interrupted_by_ = 0;  // the first signal
  uint64_t requests_of_run_ = 0;
  double began_s_ = 0;
  double next_read_s_ = 0;
  double next_progress_s_ = 0;
  const char* phase_ = "";
  double phase_end_s_ = -1;
  uint64_t first_ns_ = 0;
  SoakCourse course_;
};

}  // namespace heapgauge::cli

#endif  // HEAPGAUGE_CLI_SOAK_RUN_H_
