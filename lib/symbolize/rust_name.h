// Rust's symbol names.
#ifndef HEAPGAUGE_SYMBOLIZE_RUST_NAME_H_
#define HEAPGAUGE_SYMBOLIZE_RUST_NAME_H_

#include <optional>
#include <string>
#include <string_view>

namespace heapgauge::symbolize {

// The older form borrows C++'s: _ZN, parts with their lengths, and as last part 17h and sixteen
// digits that tell builds apart, which nobody wants to read.  Nothing where `name` is another one.
// Takes time and memory proportional to the name.
std::optional<std::string> RustLegacyName(std::string_view name);

// Has it the newer form ("v0")?  Only the helper can read that: its parts refer to each other.
bool IsRustV0(std::string_view name);

}  // namespace heapgauge::symbolize

#endif  // HEAPGAUGE_SYMBOLIZE_RUST_NAME_H_
