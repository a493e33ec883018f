// Numbers and strings in a byte stream between two processes of one machine: native byte order,
// strings with their length in front, so that no byte in a path or a symbol means anything.
#ifndef HEAPGAUGE_SYMBOLIZE_WIRE_H_
#define HEAPGAUGE_SYMBOLIZE_WIRE_H_

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace heapgauge::symbolize {

class WireWriter final {
 public:
  template <typename Number>
  void Put(Number value) {
    static_assert(std::is_unsigned_v<Number>);
    bytes_.append(reinterpret_cast<const char*>(&value), sizeof value);
  }

  void PutString(std::string_view text) {
    text = text.substr(0, kMaxString);
    Put(static_cast<uint32_t>(text.size()));
    bytes_.append(text);
  }

  void PutBytes(std::string_view bytes) { bytes_.append(bytes); }

  const std::string& bytes() const { return bytes_; }
  std::string Take() { return std::exchange(bytes_, {}); }

  static constexpr size_t kMaxString = size_t{64} * 1024;

 private:
  std::string bytes_;
};

// After the first thing that isn't there ok() is false and everything reads as zero or empty.
class WireReader final {
 public:
  explicit WireReader(std::string_view bytes) : rest_(bytes) {}

  template <typename Number>
  Number Get() {
    static_assert(std::is_unsigned_v<Number>);
    Number value = 0;
    if (!Need(sizeof value)) return 0;
    std::memcpy(&value, rest_.data(), sizeof value);
    rest_.remove_prefix(sizeof value);
    return value;
  }

  std::string_view GetString() {
    const auto size = Get<uint32_t>();
    return size > WireWriter::kMaxString ? Fail() : GetBytes(size);
  }

  std::string_view GetBytes(size_t size) {
    if (!Need(size)) return {};
    const std::string_view bytes = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return bytes;
  }

  bool ok() const { return ok_; }
  size_t left() const { return rest_.size(); }

 private:
  bool Need(size_t size) {
    if (ok_ && rest_.size() >= size) return true;
    Fail();
    return false;
  }

  std::string_view Fail() {
    ok_ = false;
    rest_ = {};
    return {};
  }

  std::string_view rest_;
  bool ok_ = true;
};

}  // namespace heapgauge::symbolize

#endif  // HEAPGAUGE_SYMBOLIZE_WIRE_H_
