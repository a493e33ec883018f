#include "report/callsite.h"

#include <string_view>

#include "report/wrapper_names.h"

namespace heapgauge {

bool IsAllocationWrapper(const Frame& frame) {
  return IsWrapperModule(frame.module) || (frame.file && IsWrapperFile(*frame.file)) ||
         IsWrapperName(frame.function);
}

uint32_t CallsiteIndex(std::span<const Frame> frames) {
  for (size_t i = 0; i < frames.size(); ++i) {
    if (!IsAllocationWrapper(frames[i])) return static_cast<uint32_t>(i);
  }
  return 0;
}

const Frame& CallsiteFrame(const std::vector<Frame>& frames, size_t callsite) {
  static const Frame& none = *new Frame;  // never destroyed: the process's end asks, too
  if (frames.empty()) return none;
  return frames[callsite < frames.size() ? callsite : 0];
}

}  // namespace heapgauge
