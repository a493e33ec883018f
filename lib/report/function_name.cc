#include "report/function_name.h"

#include <algorithm>
#include <optional>

#include "report/cpp_name.h"

namespace heapgauge {
namespace {

constexpr auto kNotClosed = std::string_view::npos;

void ReplaceAll(std::string* text, std::string_view from, std::string_view to) {
  for (size_t at = text->find(from); at != std::string::npos;
       at = text->find(from, at + to.size())) {
    text->replace(at, from.size(), to);
  }
}

// Removes every ", std::allocator<...>" and the like, which the reader knows anyway.
void RemoveDefaultArguments(std::string* text) {
  for (const std::string_view argument :
       {", std::allocator<", ", std::char_traits<", ", std::less<", ", std::hash<",
        ", std::equal_to<", ", std::default_delete<"}) {
    for (size_t at = text->find(argument); at != std::string::npos; at = text->find(argument, at)) {
      const size_t behind = BehindGroup(*text, at + argument.size() - 1);
      if (behind == kNotClosed) return;
      text->erase(at, behind - at);
    }
  }
}

}  // namespace

std::string_view QualifiedName(std::string_view symbol) {
  return FindCppName(symbol).value_or(symbol);
}

std::string ShortName(std::string_view symbol) {
  const std::optional<std::string_view> found = FindCppName(symbol);
  if (!found) return std::string(symbol);
  const std::string_view name = *found;
  std::string result;
  for (size_t i = 0; i < name.size();) {
    if (name[i] == 'o' && IsOperatorAt(name, i)) {
      const size_t behind = BehindOperator(name, i);
      result.append(name.substr(i, behind - i));
      i = behind;
      continue;
    }
    const bool anonymous = name.substr(i, 11) == "(anonymous ";
    const std::string_view rest = name.substr(i);
    const bool bracket = rest[0] == '<' || rest[0] == '[' || rest[0] == '{' || rest[0] == '\'';
    if (bracket || (rest[0] == '(' && !anonymous)) {
      const size_t behind =
          rest[0] == '\'' ? std::max(name.find('\'', i + 1), i) + 1 : BehindGroup(name, i);
      if (behind == std::string_view::npos || behind == 0) return std::string(name);
      // As gcc, its debug information, clang's and LLVM's demangler write it.
      if (rest.starts_with("{lambda") || rest.starts_with("<lambda") ||
          rest.starts_with("(lambda at ") || rest.starts_with("'lambda")) {
        result += "{lambda}";
      }
      i = behind;
      continue;
    }
    const size_t step = anonymous ? BehindGroup(name, i) - i : 1;
    result.append(name.substr(i, step));
    i += step;
  }
  constexpr std::string_view kCall = "{lambda}::operator()";
  if (result.size() >= kCall.size() &&
      result.compare(result.size() - kCall.size(), kCall.size(), kCall) == 0) {
    result.resize(result.size() - std::string_view("::operator()").size());
  }
  // A name of brackets alone (a bare template, a broken symbol) is better shown whole.
  return result.empty() ? std::string(name) : result;
}

std::string ReadableName(std::string_view symbol) {
  std::string name(symbol);
  if (!FindCppName(symbol)) return name;
  ReplaceAll(&name, "std::__cxx11::", "std::");
  ReplaceAll(&name, "std::basic_string<char, std::char_traits<char>, std::allocator<char> >",
             "std::string");
  ReplaceAll(&name, "std::basic_string_view<char, std::char_traits<char> >", "std::string_view");
  RemoveDefaultArguments(&name);
  ReplaceAll(&name, "std::basic_ostream<char >", "std::ostream");
  ReplaceAll(&name, "std::basic_istream<char >", "std::istream");
  ReplaceAll(&name, "[abi:cxx11]", "");
  ReplaceAll(&name, " >", ">");
  const size_t clone = name.find(" [clone ");
  if (clone != std::string::npos && clone > 0) name.resize(clone);
  return name;
}

}  // namespace heapgauge
