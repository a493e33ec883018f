#include "report/history_marks.h"

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

namespace heapgauge {
namespace {

enum Mark : uint8_t {
  kSame,        // as in the report before
  kNotANumber,  // NaN
  kPredicted,   // as predicted
  kWhole,       // eight bytes: the value
  kStep1,       // one byte: what it grew by
  kStep2,       // two bytes: the same
  kShort,       // four bytes: the value
  kZero,
  kChange = 16,  // and an exponent; one byte: the fraction of what it grew by
  kValue = 136,  // the same of the value
};
// Exponents from kLowest on, two marks each: for plus and minus.
constexpr int kLowest = -17;
constexpr int kExponents = (kValue - kChange) / 2;
static_assert(kValue + 2 * kExponents == 256);
constexpr double kNear = 1e-9;  // of a value: what sums lose by rounding

template <typename T>
void Put(T value, std::string* bytes) {
  char raw[sizeof(value)];
  memcpy(raw, &value, sizeof(value));
  bytes->append(raw, sizeof(raw));
}

template <typename T>
std::optional<T> Get(std::string_view* bytes) {
  if (bytes->size() < sizeof(T)) return std::nullopt;
  T value;
  memcpy(&value, bytes->data(), sizeof(value));
  bytes->remove_prefix(sizeof(value));
  return value;
}

// `value` as exponent and the eight bits behind its leading one.
struct Rounded {
  int exponent = 0;
  int fraction = 0;
  bool fits() const { return exponent >= kLowest && exponent < kLowest + kExponents; }
  double magnitude() const { return std::ldexp(1 + fraction / 256.0, exponent); }
};

Rounded Round(double value, CellLoss loss) {
  const double steps = loss == CellLoss::kSome ? 64 : 256;
  Rounded rounded;
  const double part = std::frexp(std::abs(value), &rounded.exponent);  // 0.5 to 1
  rounded.exponent -= 1;
  rounded.fraction = static_cast<int>(std::lround((2 * part - 1) * steps) * (256 / steps));
  if (rounded.fraction == 256) {
    rounded.fraction = 0;
    ++rounded.exponent;
  }
  return rounded;
}

double PutRounded(uint8_t base, double value, const Rounded& rounded, std::string* marks,
                  std::string* bytes) {
  const int sign = value < 0 ? 1 : 0;
  marks->push_back(static_cast<char>(base + 2 * (rounded.exponent - kLowest) + sign));
  Put(static_cast<uint8_t>(rounded.fraction), bytes);
  return std::copysign(rounded.magnitude(), value);
}

double WriteExact(double value, double last, std::string* marks, std::string* bytes) {
  const double step = value - last;
  if (step == std::trunc(step) && std::abs(step) < 128 && last + step == value) {
    marks->push_back(kStep1);
    Put(static_cast<int8_t>(step), bytes);
  } else if (step == std::trunc(step) && std::abs(step) < 32768 && last + step == value) {
    marks->push_back(kStep2);
    Put(static_cast<int16_t>(step), bytes);
  } else {
    marks->push_back(kWhole);
    Put(value, bytes);
  }
  return value;
}

}  // namespace

double WriteCell(double value, CellLoss loss, const CellContext& context, std::string* marks,
                 std::string* bytes) {
  const auto simple = [marks](Mark mark, double read) {
    marks->push_back(static_cast<char>(mark));
    return read;
  };
  const bool exact = loss == CellLoss::kNone;
  const bool was_none = std::isnan(context.last);
  if (std::isnan(value)) return simple(was_none ? kSame : kNotANumber, value);
  if (value == context.last) return simple(kSame, value);
  if (value == 0) return simple(kZero, 0);
  if (context.predicted) {
    const double off = std::abs(value - *context.predicted);
    if (off <= (exact ? 0 : kNear * std::abs(value))) return simple(kPredicted, *context.predicted);
  }
  const double last = was_none ? 0 : context.last;
  if (exact) return WriteExact(value, last, marks, bytes);
  if (!context.is_new && std::isfinite(value)) {
    const double change = value - last;
    const bool by_change = std::abs(change) < std::abs(value);
    const Rounded rounded = Round(by_change ? change : value, loss);
    if (rounded.fits() && by_change) {
      return last + PutRounded(kChange, change, rounded, marks, bytes);
    }
    if (rounded.fits()) return PutRounded(kValue, value, rounded, marks, bytes);
  }
  const auto brief = static_cast<float>(value);
  if (!std::isfinite(brief)) return WriteExact(value, last, marks, bytes);
  marks->push_back(kShort);
  Put(brief, bytes);
  return brief;
}

std::optional<double> ReadCell(uint8_t mark, const CellContext& context, std::string_view* bytes) {
  const double last = std::isnan(context.last) ? 0 : context.last;
  const auto plus = [last](auto step) -> std::optional<double> {
    if (!step) return std::nullopt;
    return last + *step;
  };
  switch (mark) {
    case kSame:
      return context.last;
    case kNotANumber:
      return std::numeric_limits<double>::quiet_NaN();
    case kPredicted:
      return context.predicted;
    case kWhole:
      return Get<double>(bytes);
    case kStep1:
      return plus(Get<int8_t>(bytes));
    case kStep2:
      return plus(Get<int16_t>(bytes));
    case kShort:
      return Get<float>(bytes);
    case kZero:
      return 0;
    default:
      break;
  }
  if (mark < kChange) return std::nullopt;
  const auto fraction = Get<uint8_t>(bytes);
  if (!fraction) return std::nullopt;
  const int code = mark - (mark < kValue ? kChange : kValue);
  const Rounded rounded{kLowest + code / 2, *fraction};
  const double read = std::copysign(rounded.magnitude(), code % 2 != 0 ? -1.0 : 1.0);
  return mark < kValue ? last + read : read;
}

}  // namespace heapgauge
