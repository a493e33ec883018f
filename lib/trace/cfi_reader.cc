#include "trace/cfi_reader.h"

#include <cstddef>

#include "trace/cfi_cursor.h"

namespace heapgauge {
namespace {

using namespace cfi;  // NOLINT: made for this file

#if defined(__x86_64__)
constexpr uint64_t kFramePointerRegister = 6;  // rbp
constexpr uint64_t kStackPointerRegister = 7;  // rsp
#elif defined(__aarch64__)
constexpr uint64_t kFramePointerRegister = 29;  // x29
constexpr uint64_t kStackPointerRegister = 31;  // sp
#else
#error "heapgauge knows the frames of x86-64 and AArch64"
#endif

// The entry of .eh_frame that may cover `pc`: the last in the header's sorted table that begins at
// or before it.
const unsigned char* FindEntry(const unsigned char* header, uintptr_t pc) noexcept {
  constexpr uint8_t kVersion = 1;
  // What every linker writes; anything else is left to libunwind.
  if (header[0] != kVersion || header[1] != (kPcRelative | kSigned4) || header[2] != kUnsigned4 ||
      header[3] != (kDataRelative | kSigned4)) {
    return nullptr;
  }
  const size_t count = Load<uint32_t>(header + 8);
  const unsigned char* const table = header + 12;
  constexpr size_t kRow = 8;  // two 32-bit distances from the header: function, entry
  const uintptr_t base = reinterpret_cast<uintptr_t>(header);
  const int64_t wanted = static_cast<int64_t>(pc - base);
  size_t low = 0;
  size_t high = count;
  while (low < high) {
    const size_t middle = low + (high - low) / 2;
    if (Load<int32_t>(table + middle * kRow) <= wanted) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  if (low == 0) return nullptr;
  return header + Load<int32_t>(table + (low - 1) * kRow + 4);
}

// Length-prefixed record -> its content.  The 64-bit form is not used by any linker for .eh_frame.
Cursor Content(const unsigned char* record) noexcept {
  const uint32_t length = Load<uint32_t>(record);
  if (length == 0xFFFFFFFFU) return Cursor(record, record);
  return Cursor(record + 4, record + 4 + length);
}

struct Cie {
  uint64_t code_align = 1;
  int64_t data_align = 1;
  uint64_t return_register = 0;
  uint8_t pointer_encoding = kAbsolute;
  bool has_augmentation = false;
  Cursor instructions{nullptr, nullptr};
};

bool ReadCie(const unsigned char* record, Cie* cie) noexcept {
  Cursor cursor = Content(record);
  if (cursor.Fixed<uint32_t>() != 0) return false;  // 0 marks a CIE
  const uint8_t version = cursor.Fixed<uint8_t>();
  if (version != 1 && version != 3) return false;
  const char* const augmentation = reinterpret_cast<const char*>(cursor.at());
  while (cursor.Fixed<uint8_t>() != 0) {
  }
  cie->code_align = cursor.Unsigned();
  cie->data_align = cursor.Signed();
  cie->return_register = version == 1 ? cursor.Fixed<uint8_t>() : cursor.Unsigned();
  if (!cursor.ok()) return false;
  if (*augmentation == 'z') {
    cie->has_augmentation = true;
    const uint64_t bytes = cursor.Unsigned();
    Cursor data(cursor.at(), cursor.at() + bytes);
    for (const char* letter = augmentation + 1; *letter != '\0'; ++letter) {
      switch (*letter) {
        case 'R':
          cie->pointer_encoding = data.Fixed<uint8_t>();
          break;
        case 'P': {
          const uint8_t encoding = data.Fixed<uint8_t>();
          // Only skipped, so an indirect pointer is as good as a direct one.
          data.Pointer(encoding & static_cast<uint8_t>(~kIndirect));
          break;
        }
        case 'L':
          data.Fixed<uint8_t>();
          break;
        default:
          return false;  // 'S': a signal frame; 'B': signed return addresses
      }
    }
    if (!data.ok()) return false;
    cursor.Skip(bytes);
  } else if (*augmentation != '\0') {
    return false;
  }
  cie->instructions = cursor;
  return cursor.ok();
}

// Where a caller's register is.
struct Saved {
  enum How : uint8_t { kSame, kAtOffset, kUndefined, kElsewhere };
  How how = kSame;
  int64_t offset = 0;
};

struct State {
  uint64_t cfa_register = 0;
  int64_t cfa_offset = 0;
  bool cfa_known = false;
  Saved frame_pointer;
  Saved return_address;
};

// Runs the call frame instructions up to `pc`.
class Machine final {
 public:
  explicit Machine(const Cie& cie) noexcept : cie_(cie) {}

  bool RunInitial() noexcept {
    const bool ok = Run(cie_.instructions, 0, UINTPTR_MAX);
    initial_ = state_;
    return ok;
  }
  bool Run(Cursor cursor, uintptr_t location, uintptr_t pc) noexcept {
    while (!cursor.done() && location <= pc) {
      if (!Step(cursor, &location, pc)) return false;
    }
    return cursor.ok();
  }
  const State& state() const noexcept { return state_; }

 private:
  static constexpr size_t kRemembered = 8;  // nesting seen in compiled code: 1

  Saved* Slot(uint64_t reg) noexcept {
    if (reg == kFramePointerRegister) return &state_.frame_pointer;
    if (reg == cie_.return_register) return &state_.return_address;
    return nullptr;
  }
  void Set(uint64_t reg, Saved::How how, int64_t offset = 0) noexcept {
    if (Saved* const slot = Slot(reg)) *slot = {how, offset};
  }
  void Restore(uint64_t reg) noexcept {
    if (reg == kFramePointerRegister) state_.frame_pointer = initial_.frame_pointer;
    if (reg == cie_.return_register) state_.return_address = initial_.return_address;
  }
  void DefineCfa(uint64_t reg, int64_t offset) noexcept {
    state_.cfa_register = reg;
    state_.cfa_offset = offset;
    state_.cfa_known = true;
  }
  int64_t Factored(int64_t offset) const noexcept { return offset * cie_.data_align; }

  bool Step(Cursor& cursor, uintptr_t* location, uintptr_t pc) noexcept;

  const Cie& cie_;
  State state_;
  State initial_;
  State remembered_[kRemembered];
  size_t depth_ = 0;
};

bool Machine::Step(Cursor& cursor, uintptr_t* location, uintptr_t /*pc*/) noexcept {
  const uint8_t byte = cursor.Fixed<uint8_t>();
  const uint64_t low = byte & 0x3F;
  switch (byte & 0xC0) {
    case 0x40:  // advance_loc
      *location += low * cie_.code_align;
      return true;
    case 0x80:  // offset
      Set(low, Saved::kAtOffset, Factored(static_cast<int64_t>(cursor.Unsigned())));
      return true;
    case 0xC0:  // restore
      Restore(low);
      return true;
    default:
      break;
  }
  switch (byte) {
    case 0x00:  // nop
      return true;
    case 0x02:  // advance_loc1, 2, 4
      *location += cursor.Fixed<uint8_t>() * cie_.code_align;
      return true;
    case 0x03:
      *location += cursor.Fixed<uint16_t>() * cie_.code_align;
      return true;
    case 0x04:
      *location += cursor.Fixed<uint32_t>() * cie_.code_align;
      return true;
    case 0x05: {  // offset_extended
      const uint64_t reg = cursor.Unsigned();
      Set(reg, Saved::kAtOffset, Factored(static_cast<int64_t>(cursor.Unsigned())));
      return true;
    }
    case 0x06:  // restore_extended
      Restore(cursor.Unsigned());
      return true;
    case 0x07:  // undefined
      Set(cursor.Unsigned(), Saved::kUndefined);
      return true;
    case 0x08:  // same_value
      Set(cursor.Unsigned(), Saved::kSame);
      return true;
    case 0x09: {  // register
      const uint64_t reg = cursor.Unsigned();
      cursor.Unsigned();
      Set(reg, Saved::kElsewhere);
      return true;
    }
    case 0x0A:  // remember_state
      if (depth_ == kRemembered) return false;
      remembered_[depth_++] = state_;
      return true;
    case 0x0B:  // restore_state
      if (depth_ == 0) return false;
      state_ = remembered_[--depth_];
      return true;
    case 0x0C: {  // def_cfa
      const uint64_t reg = cursor.Unsigned();
      DefineCfa(reg, static_cast<int64_t>(cursor.Unsigned()));
      return true;
    }
    case 0x0D:  // def_cfa_register
      state_.cfa_register = cursor.Unsigned();
      return true;
    case 0x0E:  // def_cfa_offset
      state_.cfa_offset = static_cast<int64_t>(cursor.Unsigned());
      return true;
    case 0x0F:  // def_cfa_expression
      cursor.Skip(cursor.Unsigned());
      state_.cfa_known = false;
      return true;
    case 0x10:    // expression
    case 0x16: {  // val_expression
      const uint64_t reg = cursor.Unsigned();
      cursor.Skip(cursor.Unsigned());
      Set(reg, Saved::kElsewhere);
      return true;
    }
    case 0x11: {  // offset_extended_sf
      const uint64_t reg = cursor.Unsigned();
      Set(reg, Saved::kAtOffset, Factored(cursor.Signed()));
      return true;
    }
    case 0x12: {  // def_cfa_sf
      const uint64_t reg = cursor.Unsigned();
      DefineCfa(reg, Factored(cursor.Signed()));
      return true;
    }
    case 0x13:  // def_cfa_offset_sf
      state_.cfa_offset = Factored(cursor.Signed());
      return true;
    case 0x2E:  // GNU_args_size
      cursor.Unsigned();
      return true;
    default:  // set_loc, val_offset, window_save, vendor extensions
      return false;
  }
}

FrameRule ToRule(const State& state) noexcept {
  if (state.return_address.how == Saved::kUndefined) return FrameRule::End();
  const bool by_frame = state.cfa_register == kFramePointerRegister;
  constexpr int64_t kBelowCfa = -static_cast<int64_t>(sizeof(uintptr_t));
  if (!state.cfa_known || (!by_frame && state.cfa_register != kStackPointerRegister) ||
      state.return_address.how != Saved::kAtOffset || state.return_address.offset != kBelowCfa ||
      state.cfa_offset < 0 || state.cfa_offset > INT32_MAX) {
    return {};
  }
  int64_t frame_offset = 0;
  switch (state.frame_pointer.how) {
    case Saved::kAtOffset:
      frame_offset = state.frame_pointer.offset;
      if (frame_offset >= 0 || frame_offset < INT16_MIN) return {};
      break;
    case Saved::kElsewhere:
      return {};
    case Saved::kSame:
    case Saved::kUndefined:  // then nobody uses the caller's
      break;
  }
  return FrameRule::Step(by_frame, static_cast<int32_t>(state.cfa_offset),
                         static_cast<int16_t>(frame_offset));
}

}  // namespace

FrameRule ReadFrameRule(const unsigned char* header, uintptr_t pc) noexcept {
  if (header == nullptr) return {};
  const unsigned char* const entry = FindEntry(header, pc);
  if (entry == nullptr) return {};
  Cursor cursor = Content(entry);
  const unsigned char* const distance_at = cursor.at();
  const uint32_t distance = cursor.Fixed<uint32_t>();
  if (!cursor.ok() || distance == 0) return {};
  Cie cie;
  if (!ReadCie(distance_at - distance, &cie) || (cie.pointer_encoding & kIndirect) != 0) return {};
  const uintptr_t begin = cursor.Pointer(cie.pointer_encoding);
  const uintptr_t range = cursor.Pointer(cie.pointer_encoding & 0x0F);
  if (!cursor.ok() || pc - begin >= range) return {};
  if (cie.has_augmentation) cursor.Skip(cursor.Unsigned());
  Machine machine(cie);
  if (!machine.RunInitial() || !machine.Run(cursor, begin, pc)) return {};
  return ToRule(machine.state());
}

}  // namespace heapgauge
