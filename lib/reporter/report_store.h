// The report directory of this process: where a Report becomes files.
//
// What is rotated away stays in batches (report/history_batch.h), which take a hundredth of the room.
//
// report.txt and heap.pb.gz are replaced atomically (a reader sees the old one or the new one),
// reports.jsonl grows by whole lines: a line that did not fit (full disk) is taken back, one that a
// crash tore is closed off; alerts.jsonl likewise.  The directory is opened anew each time: a host
// that closes all its descriptors can't make us write into one of its own, and a directory that
// vanished is made again.  It is this process's alone (directory_owner.h).
//
// Report thread only (one at a time).
#ifndef HEAPGAUGE_REPORTER_REPORT_STORE_H_
#define HEAPGAUGE_REPORTER_REPORT_STORE_H_

#include <time.h>

#include <cstdint>
#include <string>

#include "report/directory_owner.h"
#include "report/history_batch.h"
#include "report/pprof_writer.h"
#include "report/report.h"

namespace heapgauge {

class ReportStore final {
 public:
  static constexpr uint64_t kRotateBytes = uint64_t{64} << 20;
  static constexpr uint64_t kMostHistory = uint64_t{48} << 20;
  static constexpr size_t kBatchReports = 64;
  static constexpr size_t kBatchBytes = size_t{1} << 20;  // before compression
  static constexpr size_t kSitesInJson = 100;

  // `pattern` is HEAPGAUGE_OUTPUT, absolute; `program` its %e.  The directory is that of the
  // calling process, which began at `began` (directory_owner.h).  `keeps_lock`: descriptors are the
  // calling thread's own, so that it can hold on to one.
  ReportStore(std::string pattern, std::string program, timespec began = {},
              bool keeps_lock = false);
  ~ReportStore();
  ReportStore(const ReportStore&) = delete;
  ReportStore& operator=(const ReportStore&) = delete;

  // True when the directory of this process holds the mark of `heapgauge run`: a report is expected
  // even if there is nothing to say.
  bool IsExpected() const;

  // Writes all files of one report.  False when any of them could not be written; says so once per
  // cause on stderr.
  bool Write(const Report& report);

  // What is lost when the process ends (lost_blocks.h), and the program's own suppressions.
  bool WriteLost(const std::string& report, const std::string& graph,
                 const std::string& suppressions);

  // Appends whole lines to alerts.jsonl.  False when that failed, having said so.
  bool WriteAlerts(const std::string& lines);

  // That the reports take that are not in the history yet, and what profiles have in common.
  size_t memory_bytes() const { return history_.memory_bytes() + profiles_.memory_bytes(); }

  // "" until the first report made it.
  const std::string& path() const { return path_; }

 private:
  int Open();  // -1, having said why
  bool Append(int directory, const char* name, const std::string& lines);
  bool AppendReport(int directory, const Report& report);
  void KeepHistory(int directory);
  bool Replace(int directory, const char* name, const std::string& content);
  bool Fail(const char* what, const char* name);
  std::string NameOf(const std::string& wanted, int number) const;
  int OpenFree(const std::string& wanted, std::string* error);
  bool Hold(int directory);
  void LetGo();

  std::string pattern_;
  std::string program_;
  std::string host_;
  std::string path_;
  Claimant owner_;
  bool keeps_lock_;
  bool owner_forgotten_ = false;  // what `heapgauge run` left, now that a line says it
  int lock_ = -1;                 // a descriptor of the directory, of `lock_thread_`'s table
  pid_t lock_thread_ = 0;         // with that thread its table and the lock are gone
  HistoryPacker history_;         // of reports whose lines are still there
  PprofSeries profiles_;
  double peak_bytes_ = 0;  // of the report in peak.json
  unsigned problems_ = 0;  // of the report being written
  std::string said_;       // the last problem, so that it is not said twice in a row
};

}  // namespace heapgauge

#endif  // HEAPGAUGE_REPORTER_REPORT_STORE_H_
