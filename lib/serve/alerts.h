// The alerts of this process: kept by the book, written down, said on stderr, sent out.
//
// Report thread only.
#ifndef HEAPGAUGE_SERVE_ALERTS_H_
#define HEAPGAUGE_SERVE_ALERTS_H_

#include "report/report.h"
#include "serve/alert_book.h"
#include "serve/alert_sender.h"
#include "serve/report_store.h"
#include "track/options.h"

namespace heapgauge {

class Alerts final {
 public:
  explicit Alerts(const Options& options);

  // After each report was written to `store`.
  void Update(const Report& report, ReportStore& store);

  // True while something is on its way: call again soon.
  bool Poll() { return sender_.Poll(); }
  void Finish(std::chrono::milliseconds limit) { sender_.Finish(limit); }

 private:
  AlertBook book_;
  AlertSender sender_;
};

}  // namespace heapgauge

#endif  // HEAPGAUGE_SERVE_ALERTS_H_
