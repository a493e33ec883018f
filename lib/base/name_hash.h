// FNV-1a: a text's number, the same in every build and on every machine.
#ifndef HEAPGAUGE_BASE_NAME_HASH_H_
#define HEAPGAUGE_BASE_NAME_HASH_H_

#include <cstdint>
#include <string_view>

namespace heapgauge {

constexpr uint64_t kNameHashBegins = 0xcbf29ce484222325;

// `before`: the hash of what comes before the text.
constexpr uint64_t NameHash(std::string_view text, uint64_t before = kNameHashBegins) noexcept {
  for (const char c : text) before = (before ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return before;
}

}  // namespace heapgauge

#endif  // HEAPGAUGE_BASE_NAME_HASH_H_
