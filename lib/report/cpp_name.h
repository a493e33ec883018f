// Tells a demangled C++ name from any other text, and finds the function's own name in it.
//
// A symbol may hold any byte (an asm label, another language, a chosen one), so a text is taken
// apart only when all of it has the form that demanglers and debug information give to C++ names.
// Form decides alone: a C symbol `a(int)` looks like a C++ function and is taken for one.
#ifndef HEAPGAUGE_REPORT_CPP_NAME_H_
#define HEAPGAUGE_REPORT_CPP_NAME_H_

#include <cstddef>
#include <optional>
#include <string_view>

namespace heapgauge {

// The qualified name in `symbol`, without return type, parameters and clone suffix; nothing where
// `symbol` as a whole is no C++ name.  C names count as C++ names.
std::optional<std::string_view> FindCppName(std::string_view symbol);

// Index behind the bracket that closes the one at `open`; npos if there is none.
size_t BehindGroup(std::string_view text, size_t open);

// Is there the word "operator" at `i`?
bool IsOperatorAt(std::string_view text, size_t i);

// Index of what follows the operator name at `i`, its parameter list as a rule: "operator()(int)",
// "operator<< <char>(", "operator std::string(".
size_t BehindOperator(std::string_view text, size_t i);

}  // namespace heapgauge

#endif  // HEAPGAUGE_REPORT_CPP_NAME_H_
