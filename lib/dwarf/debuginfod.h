// Debug files from the servers that DEBUGINFOD_URLS names, by elfutils' client: its cache on disk, its
// settings, within a time that a report can wait.
//
// The client brings an HTTP library along, so it is loaded when a file is wanted, and only where the
// variable is set.
#ifndef HEAPGAUGE_DWARF_DEBUGINFOD_H_
#define HEAPGAUGE_DWARF_DEBUGINFOD_H_

#include <string>
#include <vector>

namespace heapgauge::dwarf {

// Takes the asker's settings ("NAME=value") into this process's environment; nothing else is taken.
void SetDebuginfod(const std::vector<std::string>& settings);

// The debug file of this build-id in the client's cache; "" where there is none, no client, or no
// time left.  Not checked yet.
std::string AskDebuginfod(const std::string& build_id);

}  // namespace heapgauge::dwarf

#endif  // HEAPGAUGE_DWARF_DEBUGINFOD_H_
