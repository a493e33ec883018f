// A file that others read is replaced as a whole: they see the old one or the new one.
#ifndef HEAPGAUGE_REPORT_REPLACE_FILE_H_
#define HEAPGAUGE_REPORT_REPLACE_FILE_H_

#include <sys/types.h>

#include <string_view>

namespace heapgauge {

enum class FileOwner : bool { kWriter, kDirectorys };

// `name` in `directory`, mode 0600, never through a link.  False and errno, and the old file stays,
// where that can't be.
bool ReplaceFile(int directory, const char* name, std::string_view content,
                 FileOwner owner = FileOwner::kWriter);

// The process that writes the next `name` under `temporary`, or died over it; 0 for other names.
pid_t WriterOf(std::string_view temporary, std::string_view name);

}  // namespace heapgauge

#endif  // HEAPGAUGE_REPORT_REPLACE_FILE_H_
