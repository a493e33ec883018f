#include "track/filter_program.h"

#include <cstring>

namespace heapgauge {
namespace {

constexpr uint32_t kShiftMask = 31;
static_assert(BPF_MEMWORDS == 16);

CallVerdict VerdictOf(uint32_t answer) noexcept {
  switch (answer & SECCOMP_RET_ACTION_FULL) {
    case SECCOMP_RET_ALLOW:
    case SECCOMP_RET_LOG:
      return CallVerdict::kAllowed;
    case SECCOMP_RET_ERRNO:
      return CallVerdict::kRefused;
    default:
      return CallVerdict::kDeadly;
  }
}

// One of the instructions that compute.  False: the kernel knows no such one, or ends the program
// there, which kills.
bool Compute(uint16_t code, uint32_t operand, uint32_t* a) noexcept {
  switch (BPF_OP(code)) {
    case BPF_ADD:
      *a += operand;
      return true;
    case BPF_SUB:
      *a -= operand;
      return true;
    case BPF_MUL:
      *a *= operand;
      return true;
    case BPF_DIV:
      if (operand == 0) return false;
      *a /= operand;
      return true;
    case BPF_AND:
      *a &= operand;
      return true;
    case BPF_OR:
      *a |= operand;
      return true;
    case BPF_XOR:
      *a ^= operand;
      return true;
    case BPF_LSH:
      *a <<= operand & kShiftMask;
      return true;
    case BPF_RSH:
      *a >>= operand & kShiftMask;
      return true;
    case BPF_NEG:
      *a = 0U - *a;
      return true;
    default:
      return false;
  }
}

bool Holds(uint16_t code, uint32_t a, uint32_t operand, bool* holds) noexcept {
  switch (BPF_OP(code)) {
    case BPF_JEQ:
      *holds = a == operand;
      return true;
    case BPF_JGT:
      *holds = a > operand;
      return true;
    case BPF_JGE:
      *holds = a >= operand;
      return true;
    case BPF_JSET:
      *holds = (a & operand) != 0;
      return true;
    default:
      return false;
  }
}

}  // namespace

CallVerdict RunFilter(const sock_filter* program, size_t size, const seccomp_data& call) noexcept {
  uint32_t a = 0;
  uint32_t x = 0;
  uint32_t memory[BPF_MEMWORDS] = {};
  if (size > BPF_MAXINSNS) return CallVerdict::kDeadly;
  for (size_t at = 0; at < size; ++at) {
    const sock_filter now = program[at];  // a copy: the host may write to it meanwhile
    const uint16_t code = now.code;
    const uint32_t operand = BPF_SRC(code) == BPF_X ? x : now.k;
    switch (BPF_CLASS(code)) {
      case BPF_LD:
      case BPF_LDX: {
        uint32_t value = now.k;
        if (BPF_MODE(code) == BPF_MEM) {
          if (now.k >= BPF_MEMWORDS) return CallVerdict::kDeadly;
          value = memory[now.k];
        } else if (BPF_MODE(code) == BPF_LEN) {
          value = sizeof(call);
        } else if (BPF_MODE(code) == BPF_ABS && BPF_CLASS(code) == BPF_LD) {
          if (now.k % sizeof(value) != 0 || now.k >= sizeof(call)) return CallVerdict::kDeadly;
          std::memcpy(&value, reinterpret_cast<const char*>(&call) + now.k, sizeof(value));
        } else if (BPF_MODE(code) != BPF_IMM) {
          return CallVerdict::kDeadly;
        }
        (BPF_CLASS(code) == BPF_LD ? a : x) = value;
        break;
      }
      case BPF_ST:
      case BPF_STX:
        if (now.k >= BPF_MEMWORDS) return CallVerdict::kDeadly;
        memory[now.k] = BPF_CLASS(code) == BPF_ST ? a : x;
        break;
      case BPF_ALU:
        if (!Compute(code, operand, &a)) return CallVerdict::kDeadly;
        break;
      case BPF_JMP: {
        if (BPF_OP(code) == BPF_JA) {
          if (now.k >= size) return CallVerdict::kDeadly;
          at += now.k;
          break;
        }
        bool holds;
        if (!Holds(code, a, operand, &holds)) return CallVerdict::kDeadly;
        at += holds ? now.jt : now.jf;
        break;
      }
      case BPF_RET:
        return VerdictOf(BPF_RVAL(code) == BPF_A ? a : now.k);
      case BPF_MISC:
        if (BPF_MISCOP(code) == BPF_TAX) {
          x = a;
        } else {
          a = x;
        }
        break;
      default:
        return CallVerdict::kDeadly;
    }
  }
  return CallVerdict::kDeadly;  // it ran past its end
}

}  // namespace heapgauge
