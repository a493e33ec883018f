// reports.history: batches of old reports (history_batch.h), one after the other.
//
// It grows by whole batches.  One that a crash or a full disk tore is cut off before the next is
// appended, and a reader stops before it.  When the file is full the oldest batches go: it is
// replaced as a whole by one with the newest three quarters.
#ifndef HEAPGAUGE_REPORT_HISTORY_FILE_H_
#define HEAPGAUGE_REPORT_HISTORY_FILE_H_

#include <sys/types.h>

#include <functional>
#include <string>
#include <string_view>

namespace heapgauge {

inline constexpr char kHistoryFile[] = "reports.history";

// 0 where there is none.
off_t HistorySize(int directory);

// False, and errno, when it could not be appended; what was there stays.
bool AppendHistory(int directory, std::string_view batch, off_t most_bytes);

// Calls visit for each batch, oldest first, until it returns false.  Reads as far as the file is
// sound.
void ForEachHistoryBatch(const std::string& path, const std::function<bool(std::string&&)>& visit);

}  // namespace heapgauge

#endif  // HEAPGAUGE_REPORT_HISTORY_FILE_H_
