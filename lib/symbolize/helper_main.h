// The symbolize helper: what `heapgauge symbolize-helper` runs.
//
// In a library of its own (heapgauge_symbolize_dwarf), linked by the command only: it needs libdw,
// which must never be loaded into a host.
#ifndef HEAPGAUGE_SYMBOLIZE_HELPER_MAIN_H_
#define HEAPGAUGE_SYMBOLIZE_HELPER_MAIN_H_

namespace heapgauge {

// Answers the one request on `in_fd` on `out_fd` (helper_protocol.h) and returns an exit status.
// Bounds its own memory and processor time and lowers its priority first, so it is for a process of
// its own.  Says nothing on standard error.
int RunSymbolizeHelper(int in_fd, int out_fd);

}  // namespace heapgauge

#endif  // HEAPGAUGE_SYMBOLIZE_HELPER_MAIN_H_
