#ifndef HEAPGAUGE_TRACK_DEPTH_GUARD_H_
#define HEAPGAUGE_TRACK_DEPTH_GUARD_H_

#include "core_api/core_api.h"

namespace heapgauge {

class DepthGuard final {
 public:
  explicit DepthGuard(ThreadState& self) noexcept : self_(self) { ++self_.depth; }
  ~DepthGuard() { --self_.depth; }
  DepthGuard(const DepthGuard&) = delete;
  DepthGuard& operator=(const DepthGuard&) = delete;

 private:
  ThreadState& self_;
};

}  // namespace heapgauge

#endif  // HEAPGAUGE_TRACK_DEPTH_GUARD_H_
