#include "report/frame_text.h"

#include <fmt/core.h>

#include "base/basename.h"
#include "report/function_name.h"
#include "report/printable.h"

namespace heapgauge {
namespace {

constexpr size_t kLongestName = 150;

}  // namespace

std::string ModuleAndOffset(const Frame& frame) {
  if (frame.module.empty()) return fmt::format("[unknown] 0x{:x}", frame.module_offset);
  return fmt::format("{}+0x{:x}", Printable(Basename(frame.module)), frame.module_offset);
}

std::string ShortFunction(const Frame& frame) {
  if (frame.function.empty()) return ModuleAndOffset(frame);
  return CutEnd(Printable(frame.verbatim.set ? frame.function : ShortName(frame.function)),
                kLongestName);
}

std::string FullName(const Frame& frame) {
  if (frame.function.empty()) return ModuleAndOffset(frame);
  return CutEnd(Printable(frame.verbatim.set ? frame.function : ReadableName(frame.function)),
                kLongestName);
}

std::string FileAndLine(const Frame& frame, bool whole_path) {
  if (!frame.file) return {};
  const std::string file = Printable(whole_path ? *frame.file : Basename(*frame.file));
  return frame.line ? fmt::format("{}:{}", file, *frame.line) : file;
}

}  // namespace heapgauge
