#include "trace/cfi_reader.h"

#include "trace/cfi_entry.h"
#include "trace/cfi_machine.h"

namespace heapgauge {
namespace {

using cfi::Cfa;
using cfi::Saved;

// Registers are saved in whole words: a walk reads none that begins in one and ends in the next,
// which may be the stack's last.
constexpr int64_t kWordBytes = sizeof(uintptr_t);

FrameRule ToRule(const cfi::ShortRow& row) noexcept {
  if (row.return_address.how == Saved::kUndefined) return FrameRule::End();
  const Cfa& cfa = row.cfa;
  const bool by_frame = cfa.reg == cfi::kFramePointerRegister;
  if (cfa.how != Cfa::kRegister || (!by_frame && cfa.reg != cfi::kStackPointerRegister) ||
      row.return_address.how != Saved::kAtOffset || cfa.offset < 0 || cfa.offset > INT32_MAX) {
    return {};
  }
  const int64_t return_offset = row.return_address.offset;
#if defined(__x86_64__)
  if (return_offset != -kWordBytes) return {};
#else
  if (return_offset >= 0 || return_offset < -kWordBytes * FrameRule::kMostReturnWords ||
      return_offset % kWordBytes != 0) {
    return {};
  }
#endif
  int64_t frame_offset = 0;
  switch (row.frame_pointer.how) {
    case Saved::kAtOffset:
      frame_offset = row.frame_pointer.offset;
      if (frame_offset >= 0 || frame_offset < INT16_MIN || frame_offset % kWordBytes != 0)
        return {};
      break;
    case Saved::kSame:
    case Saved::kUndefined:  // then nobody uses the caller's
      break;
    default:
      return {};
  }
  return FrameRule::Step(by_frame, static_cast<int32_t>(cfa.offset),
                         static_cast<int16_t>(frame_offset),
                         static_cast<uint16_t>(-return_offset / kWordBytes));
}

}  // namespace

FrameRule ReadFrameRule(TableMemory& memory, const unsigned char* header, uintptr_t pc) noexcept {
  if (header == nullptr) return {};
  cfi::Entry entry;
  cfi::ShortRow row;
  if (!cfi::FindEntry(memory, header, pc, &entry) || entry.cie.is_signal_frame ||
      !cfi::RunTo(pc, entry, &row)) {
    return {};
  }
  return ToRule(row);
}

}  // namespace heapgauge
