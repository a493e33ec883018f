// Demangled C++ names for people: the part that names the function, and shorter spellings of it.
//
// Pure functions on text.  Names come from foreign binaries, so nothing is assumed of them: what
// can't be parsed is returned as it is.
#ifndef HEAPGAUGE_REPORT_FUNCTION_NAME_H_
#define HEAPGAUGE_REPORT_FUNCTION_NAME_H_

#include <string>
#include <string_view>

namespace heapgauge {

// The qualified name alone: no return type, parameters, cv-qualifiers, symbol version or clone
// suffix.
//   "std::unique_ptr<A> app::Make<A>(int)"            -> "app::Make<A>"
//   "operator new(unsigned long, std::align_val_t)"   -> "operator new"
//   "Run(int)::{lambda()#1}::operator()() const"      -> "Run(int)::{lambda()#1}::operator()"
//   "free_page.part.0", "malloc@@GLIBC_2.2.5"         -> "free_page", "malloc"
std::string_view QualifiedName(std::string_view symbol);

// For a table: the qualified name without template arguments and parameters ("app::Run::{lambda}").
std::string ShortName(std::string_view symbol);

// For a stack: the whole signature, with std::string spelled so and default allocators, comparators
// and the like left out.  "" stays "".
std::string ReadableName(std::string_view symbol);

}  // namespace heapgauge

#endif  // HEAPGAUGE_REPORT_FUNCTION_NAME_H_
