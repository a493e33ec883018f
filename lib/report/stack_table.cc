#include "report/stack_table.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "report/frame_text.h"
#include "report/printable.h"

namespace heapgauge {

uint32_t StackTable::IndexOf(ShownFrame frame) {
  Key key{frame.name, frame.file, frame.line, frame.module};
  const auto [at, fresh] = index_.emplace(std::move(key), static_cast<uint32_t>(frames_.size()));
  if (fresh) frames_.push_back(std::move(frame));
  return at->second;
}

StackTable::Stack StackTable::Add(const Site& site) {
  Stack stack;
  for (auto frame = site.frames.rbegin(); frame != site.frames.rend(); ++frame) {
    stack.push_back(
        IndexOf({FullName(*frame), Printable(frame->file.value_or("")), frame->line.value_or(0),
                 Printable(frame->module), frame->module_offset}));
  }
  if (stack.empty()) {
    ShownFrame none;
    none.name = "[no stack]";
    stack.push_back(IndexOf(std::move(none)));
  }
  return stack;
}

uint64_t WholeBytes(double bytes) {
  constexpr double kMost = 9007199254740992;  // what JSON's readers keep exactly
  if (!(bytes > 0)) return 0;
  return static_cast<uint64_t>(std::llround(std::min(bytes, kMost)));
}

}  // namespace heapgauge
