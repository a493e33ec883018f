// Reads reports back: from a report directory with its history, a reports.jsonl (or .1), or
// a pipe of such lines.
//
// Files may be large (64 MiB), still being written, torn by a crash or a full disk, or foreign.
// They are streamed: at most a few lines are held at a time.  What is damaged is skipped with a
// note that names file and line; only when nothing is left that can be read is it an error.
#ifndef HEAPGAUGE_REPORT_REPORT_FILE_H_
#define HEAPGAUGE_REPORT_REPORT_FILE_H_

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "report/report.h"

namespace heapgauge {

// The newest report at `path`.  nullopt with one line in *error.  Notes on what was skipped are
// appended to *notes.
std::optional<Report> ReadNewestReport(const std::string& path, std::vector<std::string>* notes,
                                       std::string* error);

// Every report at `path`, oldest first, the rotated file of a directory included.  `visit` returns
// false to stop. False with one line in *error when there was not one.
bool ForEachReport(const std::string& path, const std::function<bool(Report&&)>& visit,
                   std::vector<std::string>* notes, std::string* error);

// Those of a directory's reports alone that are in its history and have no whole line any more,
// oldest first.
void ForEachOldReport(const std::string& directory, const std::function<bool(Report&&)>& visit);

}  // namespace heapgauge

#endif  // HEAPGAUGE_REPORT_REPORT_FILE_H_
