// The alerts of this process: kept by the book, written down, said on stderr, sent out.
//
// Report thread only.
#ifndef HEAPGAUGE_REPORTER_ALERTS_H_
#define HEAPGAUGE_REPORTER_ALERTS_H_

#include "alert/alert_book.h"
#include "alert/alert_sender.h"
#include "options/options.h"
#include "report/report.h"
#include "reporter/report_store.h"

namespace heapgauge {

class Alerts final {
 public:
  explicit Alerts(const Options& options);

  // After each report was written to `store`.
  void Update(const Report& report, ReportStore& store);
  void SetReportInterval(uint64_t ns) {
    book_.SetReportInterval(static_cast<double>(ns) * 1e-9);
    sender_.SetReportInterval(std::chrono::milliseconds(ns / 1'000'000));
  }

  // True while something is on its way: call again soon.
  bool Poll() { return sender_.Poll(); }
  void Finish(std::chrono::milliseconds limit) { sender_.Finish(limit); }

 private:
  AlertBook book_;
  AlertSender sender_;
};

}  // namespace heapgauge

#endif  // HEAPGAUGE_REPORTER_ALERTS_H_
