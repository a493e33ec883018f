#include "report/function_name.h"

#include <array>
#include <cctype>

namespace heapgauge {
namespace {

constexpr auto kNone = std::string_view::npos;

bool IsIdentifierChar(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
}

// Index behind the bracket that closes the one at `open`; kNone if there is none.  An arrow closes
// nothing.
size_t BehindGroup(std::string_view text, size_t open) {
  int depth = 0;
  for (size_t i = open; i < text.size(); ++i) {
    switch (text[i]) {
      case '<':
      case '(':
      case '{':
      case '[':
        ++depth;
        break;
      case '>':
        if (i > 0 && text[i - 1] == '-') break;
        [[fallthrough]];
      case ')':
      case '}':
      case ']':
        if (--depth == 0) return i + 1;
        break;
      default:
        break;
    }
  }
  return kNone;
}

bool IsOperatorAt(std::string_view text, size_t i) {
  constexpr std::string_view kOperator = "operator";
  return text.substr(i, kOperator.size()) == kOperator &&
         (i == 0 || !IsIdentifierChar(text[i - 1])) &&
         (i + kOperator.size() == text.size() || !IsIdentifierChar(text[i + kOperator.size()]));
}

// Index of the parameter list behind the operator name at `i`: "operator()(int)", "operator<<
// <char>(", "operator std::string(".
size_t BehindOperator(std::string_view text, size_t i) {
  i += std::string_view("operator").size();
  if (text.substr(i, 2) == "()") return i + 2;
  while (i < text.size() && std::string_view("<>=-+*/%^&|~!,").find(text[i]) != kNone) ++i;
  while (i < text.size() && text[i] != '(') {
    const size_t behind = text[i] == '<' ? BehindGroup(text, i) : i + 1;
    if (behind == kNone) return text.size();
    i = behind;
  }
  return i;
}

std::string_view WithoutCloneSuffix(std::string_view name) {
  for (const std::string_view suffix :
       {"@", ".part.", ".constprop.", ".isra.", ".cold", ".lto_priv.", ".llvm.", " [clone "}) {
    const size_t at = name.find(suffix);
    if (at != kNone && at > 0) name = name.substr(0, at);
  }
  return name;
}

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
      if (behind == kNone) return;
      text->erase(at, behind - at);
    }
  }
}

}  // namespace

std::string_view QualifiedName(std::string_view symbol) {
  symbol = WithoutCloneSuffix(symbol);
  size_t begin = 0;
  size_t i = 0;
  while (i < symbol.size()) {
    const char c = symbol[i];
    if (c == 'o' && IsOperatorAt(symbol, i)) {
      i = BehindOperator(symbol, i);
    } else if (c == '(') {
      const size_t behind = BehindGroup(symbol, i);
      if (behind == kNone) return symbol;
      // Part of a return type: "decltype (x+y) f()", "decltype(auto) g()".
      const std::string_view before = symbol.substr(begin, i - begin);
      if (behind < symbol.size() && (before.empty() || before == "decltype")) {
        i = behind;
        continue;
      }
      // "(anonymous namespace)::" and "Run(int)::{lambda" go on; anything else is the parameter
      // list.
      if (symbol.substr(behind, 2) != "::") {
        // A qualified local name may carry "const" between its parameters and the "::".
        if (symbol.substr(behind, 8) != " const::") return symbol.substr(begin, i - begin);
        i = behind + 6;
        continue;
      }
      i = behind;
    } else if (c == '<' || c == '{' || c == '[') {
      i = BehindGroup(symbol, i);
      if (i == kNone) return symbol;
    } else {
      if (c == ' ') begin = i + 1;
      ++i;
    }
  }
  return symbol.substr(begin);
}

std::string ShortName(std::string_view symbol) {
  const std::string_view name = QualifiedName(symbol);
  std::string result;
  for (size_t i = 0; i < name.size();) {
    if (name[i] == 'o' && IsOperatorAt(name, i)) {
      const size_t behind = BehindOperator(name, i);
      result.append(name.substr(i, behind - i));
      i = behind;
      continue;
    }
    const bool anonymous = name.substr(i, 11) == "(anonymous ";
    if (name[i] == '<' || name[i] == '[' || name[i] == '{' || (name[i] == '(' && !anonymous)) {
      const size_t behind = BehindGroup(name, i);
      if (behind == kNone) return std::string(name);
      if (name.substr(i, 7) == "{lambda") result += "{lambda}";
      i = behind;
      continue;
    }
    const size_t step = anonymous ? BehindGroup(name, i) - i : 1;
    result.append(name.substr(i, step));
    i += step;
  }
  constexpr std::string_view kCall = "{lambda}::operator()";
  if (result.size() > kCall.size() &&
      result.compare(result.size() - kCall.size(), kCall.size(), kCall) == 0) {
    result.resize(result.size() - std::string_view("::operator()").size());
  }
  // A name of brackets alone (a bare template, a broken symbol) is better shown whole.
  return result.empty() ? std::string(name) : result;
}

std::string ReadableName(std::string_view symbol) {
  std::string name(symbol);
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
