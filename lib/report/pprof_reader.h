// A pprof profile of heap samples -> Report: our own heap.pb.gz, or what gperftools, jemalloc, Go
// and others write.
#ifndef HEAPGAUGE_REPORT_PPROF_READER_H_
#define HEAPGAUGE_REPORT_PPROF_READER_H_

#include <optional>
#include <string>

#include "report/report.h"

namespace heapgauge {

// `bytes`: the file, compressed or not.  Live figures are those of inuse_space and inuse_objects,
// allocated ones those of alloc_space and alloc_objects; a profile without bytes in use is refused.
// Samples of the same stack and labels are one site; sites have no ids, verdicts or ages.  The
// input is foreign: at most 512 MiB uncompressed, every index is checked.  nullopt with the reason
// in *error ("string table: index 7 of 3").
std::optional<Report> FromPprof(const std::string& bytes, std::string* error);

// Does the file look like one (gzip, or a profile's first field)?  Opens regular files alone.
bool IsPprofFile(const std::string& path);

// The same for a file; *error begins with its name.
std::optional<Report> ReadPprof(const std::string& path, std::string* error);

}  // namespace heapgauge

#endif  // HEAPGAUGE_REPORT_PPROF_READER_H_
