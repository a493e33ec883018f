#include "trace/frame_expression.h"

namespace heapgauge {
namespace {

using cfi::Cursor;

// Compilers write up to a dozen operations, and no loops.
constexpr int kMostSteps = 256;
constexpr size_t kMostValues = 16;

class Evaluator final {
 public:
  Evaluator(const FrameRegisters& registers, StackWords& words) noexcept
      : registers_(registers), words_(words) {}

  void Push(uint64_t value) noexcept {
    if (size_ == kMostValues) return Fail();
    values_[size_++] = value;
  }
  Evaluation Run(Cursor cursor, uint64_t* result) noexcept {
    const unsigned char* const begin = cursor.at();
    for (int step = 0; !cursor.done() && outcome_ == Evaluation::kDone; ++step) {
      if (step == kMostSteps) return Evaluation::kFailed;
      Step(cursor, begin);
    }
    if (outcome_ != Evaluation::kDone) return outcome_;
    if (!cursor.ok() || size_ == 0) return Evaluation::kFailed;
    *result = values_[size_ - 1];
    return Evaluation::kDone;
  }

 private:
  void Fail() noexcept {
    if (outcome_ == Evaluation::kDone) outcome_ = Evaluation::kFailed;
  }
  uint64_t Pop() noexcept {
    if (size_ == 0) {
      Fail();
      return 0;
    }
    return values_[--size_];
  }
  void Pick(uint64_t index) noexcept {
    if (index >= size_) return Fail();
    Push(values_[size_ - 1 - index]);
  }
  void Rotate() noexcept {
    const uint64_t first = Pop();
    const uint64_t second = Pop();
    const uint64_t third = Pop();
    Push(first);
    Push(third);
    Push(second);
  }
  void PushRegister(uint64_t reg, int64_t offset) noexcept {
    if (!registers_.Knows(reg)) {
      if (outcome_ == Evaluation::kDone) outcome_ = Evaluation::kUnknownRegister;
      return;
    }
    Push(registers_.value[reg] + static_cast<uint64_t>(offset));
  }
  void Dereference() noexcept {
    uint64_t word = 0;
    if (!words_.Read(Pop(), &word)) return Fail();
    Push(word);
  }

  void Step(Cursor& cursor, const unsigned char* begin) noexcept;
  bool PushConstant(uint8_t operation, Cursor& cursor) noexcept;
  void Unary(uint8_t operation) noexcept;
  void Binary(uint8_t operation) noexcept;

  const FrameRegisters& registers_;
  StackWords& words_;
  Evaluation outcome_ = Evaluation::kDone;
  size_t size_ = 0;
  uint64_t values_[kMostValues];
};

bool Evaluator::PushConstant(uint8_t operation, Cursor& cursor) noexcept {
  const auto extended = [](auto value) { return static_cast<uint64_t>(int64_t{value}); };
  switch (operation) {
    case 0x03:  // addr
    case 0x0E:  // const8u, const8s
    case 0x0F:
      Push(cursor.Fixed<uint64_t>());
      return true;
    case 0x08:
      Push(cursor.Fixed<uint8_t>());
      return true;
    case 0x09:
      Push(extended(cursor.Fixed<int8_t>()));
      return true;
    case 0x0A:
      Push(cursor.Fixed<uint16_t>());
      return true;
    case 0x0B:
      Push(extended(cursor.Fixed<int16_t>()));
      return true;
    case 0x0C:
      Push(cursor.Fixed<uint32_t>());
      return true;
    case 0x0D:
      Push(extended(cursor.Fixed<int32_t>()));
      return true;
    case 0x10:
      Push(cursor.Unsigned());
      return true;
    case 0x11:
      Push(static_cast<uint64_t>(cursor.Signed()));
      return true;
    default:
      return false;
  }
}

void Evaluator::Unary(uint8_t operation) noexcept {
  const uint64_t value = Pop();
  switch (operation) {
    case 0x19:  // abs
      Push(static_cast<int64_t>(value) < 0 ? uint64_t{0} - value : value);
      break;
    case 0x1F:  // neg
      Push(uint64_t{0} - value);
      break;
    default:  // not
      Push(~value);
  }
}

void Evaluator::Binary(uint8_t operation) noexcept {
  const uint64_t top = Pop();
  const uint64_t below = Pop();
  const auto top_signed = static_cast<int64_t>(top);
  const auto below_signed = static_cast<int64_t>(below);
  switch (operation) {
    case 0x1A:
      return Push(below & top);
    case 0x1B:  // div: signed
      if (top == 0 || (top_signed == -1 && below_signed == INT64_MIN)) return Fail();
      return Push(static_cast<uint64_t>(below_signed / top_signed));
    case 0x1C:
      return Push(below - top);
    case 0x1D:
      return top == 0 ? Fail() : Push(below % top);
    case 0x1E:
      return Push(below * top);
    case 0x21:
      return Push(below | top);
    case 0x22:
      return Push(below + top);
    case 0x24:
      return Push(top < 64 ? below << top : 0);
    case 0x25:
      return Push(top < 64 ? below >> top : 0);
    case 0x26:
      return Push(static_cast<uint64_t>(below_signed >> (top < 63 ? top : 63)));
    case 0x27:
      return Push(below ^ top);
    case 0x29:
      return Push(below_signed == top_signed ? 1 : 0);
    case 0x2A:
      return Push(below_signed >= top_signed ? 1 : 0);
    case 0x2B:
      return Push(below_signed > top_signed ? 1 : 0);
    case 0x2C:
      return Push(below_signed <= top_signed ? 1 : 0);
    case 0x2D:
      return Push(below_signed < top_signed ? 1 : 0);
    default:  // ne
      return Push(below_signed != top_signed ? 1 : 0);
  }
}

void Evaluator::Step(Cursor& cursor, const unsigned char* begin) noexcept {
  const uint8_t operation = cursor.Fixed<uint8_t>();
  if (operation >= 0x30 && operation <= 0x4F) return Push(operation - 0x30U);  // lit
  if (operation >= 0x70 && operation <= 0x8F)                                  // breg
    return PushRegister(operation - 0x70U, cursor.Signed());
  if (PushConstant(operation, cursor)) return;
  switch (operation) {
    case 0x06:
      return Dereference();
    case 0x12:  // dup
      return Pick(0);
    case 0x13:  // drop
      Pop();
      return;
    case 0x14:  // over
      return Pick(1);
    case 0x15:
      return Pick(cursor.Fixed<uint8_t>());
    case 0x16: {  // swap
      const uint64_t top = Pop();
      const uint64_t below = Pop();
      Push(top);
      return Push(below);
    }
    case 0x17:
      return Rotate();
    case 0x19:
    case 0x1F:
    case 0x20:
      return Unary(operation);
    case 0x23:  // plus_uconst
      return Push(Pop() + cursor.Unsigned());
    case 0x28: {  // bra
      const int64_t distance = cursor.Fixed<int16_t>();
      if (Pop() != 0) cursor.Move(distance, begin);
      return;
    }
    case 0x2F:  // skip
      return cursor.Move(cursor.Fixed<int16_t>(), begin);
    case 0x92: {  // bregx
      const uint64_t reg = cursor.Unsigned();
      return PushRegister(reg, cursor.Signed());
    }
    case 0x94:  // deref_size
      return cursor.Fixed<uint8_t>() == sizeof(uint64_t) ? Dereference() : Fail();
    case 0x96:  // nop
      return;
    default:
      return operation >= 0x1A && operation <= 0x2E ? Binary(operation) : Fail();
  }
}

}  // namespace

Evaluation Evaluate(TableMemory& memory, const unsigned char* at, const FrameRegisters& registers,
                    const uint64_t* cfa, StackWords& words, uint64_t* result) noexcept {
  Cursor cursor(memory, at, memory.end());
  Evaluator evaluator(registers, words);
  if (cfa != nullptr) evaluator.Push(*cfa);
  return evaluator.Run(cursor.Part(cursor.Unsigned()), result);
}

}  // namespace heapgauge
