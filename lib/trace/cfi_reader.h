// Reads one FrameRule out of a module's .eh_frame_hdr and .eh_frame (the DWARF call frame
// information that every x86-64 and AArch64 module carries for exceptions).  Reads mapped memory
// only, allocates nothing.
#ifndef HEAPGAUGE_TRACE_CFI_READER_H_
#define HEAPGAUGE_TRACE_CFI_READER_H_

#include <cstdint>

#include "trace/frame_rule.h"
#include "trace/table_memory.h"

namespace heapgauge {

// `header` is the module's .eh_frame_hdr, nullptr if it has none; `memory` the module.  kUnusable
// for whatever is not understood or leads out of it.
FrameRule ReadFrameRule(TableMemory& memory, const unsigned char* header, uintptr_t pc) noexcept;

}  // namespace heapgauge

#endif  // HEAPGAUGE_TRACE_CFI_READER_H_
