// Asks the processes that `heapgauge run` started for a report (core_api/run_page.h).
#ifndef HEAPGAUGE_CLI_REPORT_CALL_H_
#define HEAPGAUGE_CLI_REPORT_CALL_H_

#include <cstdint>

#include "core_api/run_page.h"

namespace heapgauge::cli {

class ReportCall final {
 public:
  // Before the first of them begins.  Where the page can't be had nobody will ever answer.
  ReportCall();
  ~ReportCall();
  ReportCall(const ReportCall&) = delete;
  ReportCall& operator=(const ReportCall&) = delete;

  // Asks for a report because `signal` is about to be sent.  True when somebody is there who will
  // answer; false also while the request before is unanswered.
  bool Ask(int signal);

  // Nobody is left who has still to answer.
  bool Answered() const;

 private:
  int file_ = -1;
  RunPage* page_ = nullptr;
  uint32_t number_ = 0;  // of the newest request; 0: none yet
};

}  // namespace heapgauge::cli

#endif  // HEAPGAUGE_CLI_REPORT_CALL_H_
