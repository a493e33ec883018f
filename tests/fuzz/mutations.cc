// A target's seeds, changed in ways that are the same in every run.  argv[1]: how many.
#include <cstdio>
#include <cstdlib>
#include <random>

#include "target.h"

namespace heapgauge::fuzz {
namespace {

using Dice = std::mt19937;

// What counts, lengths and distances break at.
constexpr uint64_t kSharp[] = {0,          1,          4,          7,       0x7F,       0x80,
                               0xFF,       0x7FFF,     0x8000,     0xFFFF,  0x7FFFFFFF, 0x80000000,
                               0xFFFFFFF0, 0xFFFFFFFF, UINT64_MAX, 1 << 20, 1ULL << 47, 1ULL << 63};

void ChangeOnce(Bytes& bytes, const std::vector<Bytes>& seeds, Dice& dice) {
  if (bytes.empty()) return;
  // The first bytes lead to everything else.
  const size_t reach = dice() % 3 == 0 ? std::min<size_t>(bytes.size(), 64) : bytes.size();
  const size_t at = dice() % reach;
  switch (dice() % 7) {
    case 0:
      bytes[at] ^= static_cast<uint8_t>(1U << dice() % 8);
      break;
    case 1:
      bytes[at] = static_cast<uint8_t>(dice());
      break;
    case 2: {
      const uint64_t value = kSharp[dice() % std::size(kSharp)];
      const size_t width = size_t{1} << dice() % 4;
      for (size_t i = 0; i < width && at + i < bytes.size(); ++i)
        bytes[at + i] = static_cast<uint8_t>(value >> i * 8);
      break;
    }
    case 3:  // cut short
      if (dice() % 4 == 0) bytes.resize(at);
      break;
    case 4: {  // a run
      const size_t length = dice() % 32;
      const auto value = static_cast<uint8_t>(dice() % 2 == 0 ? 0xFF : dice());
      for (size_t i = at; i < bytes.size() && i < at + length; ++i) bytes[i] = value;
      break;
    }
    case 5: {  // a piece of another one
      const Bytes& other = seeds[dice() % seeds.size()];
      if (other.empty()) break;
      const size_t from = dice() % other.size();
      for (size_t i = 0; i < 48 && at + i < bytes.size() && from + i < other.size(); ++i)
        bytes[at + i] = other[from + i];
      break;
    }
    default:
      bytes.insert(bytes.begin() + static_cast<ptrdiff_t>(at), static_cast<uint8_t>(dice()));
  }
}

void Run(size_t runs) {
  const std::vector<Bytes> seeds = Seeds();
  if (seeds.empty()) std::abort();
  for (const Bytes& seed : seeds) RunTarget(seed.data(), seed.size());
  Dice dice(1);
  for (size_t run = 0; run < runs; ++run) {
    Bytes bytes = seeds[dice() % seeds.size()];
    for (size_t changes = 1 + dice() % 6; changes > 0; --changes) ChangeOnce(bytes, seeds, dice);
    RunTarget(bytes.data(), bytes.size());
  }
  std::printf("%zu seeds, %zu changed ones\n", seeds.size(), runs);
}

}  // namespace
}  // namespace heapgauge::fuzz

int main(int argc, char** argv) {
  heapgauge::fuzz::Run(argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 1000);
}
