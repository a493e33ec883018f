// Which frame of a stack is the call site: the line a person would open first.
//
// Rule of thumb: the first frame that *decided* to allocate.  Frames that only carry the request
// out are wrappers: malloc and operator new in all their forms, the C library and the C++ runtime,
// std:: (a vector that grows, a string that is copied, make_shared) and containers that play the
// same part, string builders such as asprintf and fmt, and the xmalloc, zmalloc, g_malloc,
// PyMem_Malloc, sqlite3Malloc, palloc, __rust_alloc that programs put before malloc. A user's
// function that std:: calls back (a comparator, a thread body) is nearer the leaf than the std::
// frames that called it, so it is found first.
//
// Judged, in this order, by the module (libc, libstdc++, an allocator), by the file (the C++
// library's headers, which names inlined frames that debug information gives without their
// namespace), by the name (wrapper_names.h).
#ifndef HEAPGAUGE_REPORT_CALLSITE_H_
#define HEAPGAUGE_REPORT_CALLSITE_H_

#include <cstdint>
#include <span>
#include <vector>

#include "symbolize/frame.h"

namespace heapgauge {

// True if the frame only carries out somebody else's decision to allocate.  A frame without a name
// is none, unless its module says so.
bool IsAllocationWrapper(const Frame& frame);

// Index of the call site in `frames` (leaf first); 0 if all are wrappers or there are none.
uint32_t CallsiteIndex(std::span<const Frame> frames);

// The frame that `callsite` says, the innermost where it says none; one without a name or a place
// where there are no frames.
const Frame& CallsiteFrame(const std::vector<Frame>& frames, size_t callsite);

}  // namespace heapgauge

#endif  // HEAPGAUGE_REPORT_CALLSITE_H_
