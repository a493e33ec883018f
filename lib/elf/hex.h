// Bytes as people and file names have them: two lower-case digits each.
#ifndef HEAPGAUGE_ELF_HEX_H_
#define HEAPGAUGE_ELF_HEX_H_

#include <cstdint>
#include <span>
#include <string>

namespace heapgauge::elf {

inline std::string ToHex(std::span<const uint8_t> bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string hex;
  hex.reserve(bytes.size() * 2);
  for (const uint8_t byte : bytes) {
    hex += kDigits[byte >> 4];
    hex += kDigits[byte & 15];
  }
  return hex;
}

}  // namespace heapgauge::elf

#endif  // HEAPGAUGE_ELF_HEX_H_
