#include "trace/cfi_machine.h"

namespace heapgauge::cfi {
namespace {

template <typename Row>
class Machine final {
 public:
  Machine(const Cie& cie, Row& row) noexcept : cie_(cie), row_(row) {}

  bool RunInitial() noexcept {
    const bool ok = Run(cie_.instructions, 0, UINTPTR_MAX);
    initial_ = row_;
    return ok;
  }
  // Each step reads a byte at least, so the bounds of the lists are those of the steps.
  bool Run(Cursor cursor, uintptr_t location, uintptr_t pc) noexcept {
    while (!cursor.done() && location <= pc) {
      if (!Step(cursor, &location)) return false;
    }
    return cursor.ok();
  }

 private:
  void Set(uint64_t reg, Saved::How how, int64_t offset = 0) noexcept {
    if (Saved* const saved = row_.Find(reg, cie_.return_register)) {
      saved->how = how;
      saved->offset = offset;
    }
  }
  void SetExpression(uint64_t reg, Saved::How how, Cursor& cursor) noexcept {
    const unsigned char* const expression = cursor.at();
    cursor.Skip(cursor.Unsigned());
    if (Saved* const saved = row_.Find(reg, cie_.return_register)) {
      saved->how = how;
      saved->expression = expression;
    }
  }
  void Restore(uint64_t reg) noexcept {
    if (Saved* const saved = row_.Find(reg, cie_.return_register))
      *saved = *initial_.Find(reg, cie_.return_register);
  }
  void DefineCfa(uint64_t reg, int64_t offset) noexcept {
    row_.cfa = {Cfa::kRegister, reg, offset, nullptr};
  }
  // As unsigned: what overflows is damage, and is found to be none of the stack's.
  int64_t Factored(uint64_t offset) const noexcept {
    return static_cast<int64_t>(offset * static_cast<uint64_t>(cie_.data_align));
  }
  int64_t Factored(int64_t offset) const noexcept {
    return Factored(static_cast<uint64_t>(offset));
  }

  bool Step(Cursor& cursor, uintptr_t* location) noexcept;
  bool StepExtended(uint8_t operation, Cursor& cursor, uintptr_t* location) noexcept;

  const Cie& cie_;
  Row& row_;
  Row initial_;
  Row remembered_[Row::kRemembered];
  size_t depth_ = 0;
};

template <typename Row>
bool Machine<Row>::Step(Cursor& cursor, uintptr_t* location) noexcept {
  const uint8_t byte = cursor.Fixed<uint8_t>();
  const uint64_t low = byte & 0x3F;
  switch (byte & 0xC0) {
    case 0x40:  // advance_loc
      *location += low * cie_.code_align;
      return true;
    case 0x80:  // offset
      Set(low, Saved::kAtOffset, Factored(cursor.Unsigned()));
      return true;
    case 0xC0:  // restore
      Restore(low);
      return true;
    default:
      return StepExtended(byte, cursor, location);
  }
}

template <typename Row>
bool Machine<Row>::StepExtended(uint8_t operation, Cursor& cursor, uintptr_t* location) noexcept {
  switch (operation) {
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
      Set(reg, Saved::kAtOffset, Factored(cursor.Unsigned()));
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
      Set(reg, Saved::kInRegister, static_cast<int64_t>(cursor.Unsigned()));
      return true;
    }
    case 0x0A:  // remember_state
      if (depth_ == Row::kRemembered) return false;
      remembered_[depth_++] = row_;
      return true;
    case 0x0B:  // restore_state
      if (depth_ == 0) return false;
      row_ = remembered_[--depth_];
      return true;
    case 0x0C: {  // def_cfa
      const uint64_t reg = cursor.Unsigned();
      DefineCfa(reg, static_cast<int64_t>(cursor.Unsigned()));
      return true;
    }
    case 0x0D:  // def_cfa_register
      row_.cfa.reg = cursor.Unsigned();
      return true;
    case 0x0E:  // def_cfa_offset
      row_.cfa.offset = static_cast<int64_t>(cursor.Unsigned());
      return true;
    case 0x0F:  // def_cfa_expression
      row_.cfa = {Cfa::kExpression, 0, 0, cursor.at()};
      cursor.Skip(cursor.Unsigned());
      return true;
    case 0x10:  // expression
      SetExpression(cursor.Unsigned(), Saved::kAtExpression, cursor);
      return true;
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
      row_.cfa.offset = Factored(cursor.Signed());
      return true;
    case 0x14: {  // val_offset
      const uint64_t reg = cursor.Unsigned();
      Set(reg, Saved::kIsOffset, Factored(cursor.Unsigned()));
      return true;
    }
    case 0x15: {  // val_offset_sf
      const uint64_t reg = cursor.Unsigned();
      Set(reg, Saved::kIsOffset, Factored(cursor.Signed()));
      return true;
    }
    case 0x16:  // val_expression
      SetExpression(cursor.Unsigned(), Saved::kIsExpression, cursor);
      return true;
#if defined(__aarch64__)
    case 0x2D:  // negate_ra_state: signed return addresses are plain ones here (return_address.h)
      return true;
#endif
    case 0x2E:  // GNU_args_size
      cursor.Unsigned();
      return true;
    default:  // set_loc, SPARC's window_save, vendor extensions
      return false;
  }
}

template <typename Row>
bool Run(uintptr_t pc, const Entry& entry, Row* row) noexcept {
  Machine<Row> machine(entry.cie, *row);
  return machine.RunInitial() && machine.Run(entry.instructions, entry.begin, pc);
}

}  // namespace

bool RunTo(uintptr_t pc, const Entry& entry, ShortRow* row) noexcept { return Run(pc, entry, row); }
bool RunTo(uintptr_t pc, const Entry& entry, FullRow* row) noexcept { return Run(pc, entry, row); }

}  // namespace heapgauge::cfi
