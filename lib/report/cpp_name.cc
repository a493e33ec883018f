#include "report/cpp_name.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <iterator>

namespace heapgauge {
namespace {

using std::string_view;

constexpr auto kNowhere = string_view::npos;

// Tables, because each character of each name is asked about.
using Characters = std::array<bool, 256>;

// Letters beyond ASCII are allowed in names; whether they are UTF-8 is asked where they are shown.
constexpr Characters kNameChars = [] {
  Characters set{};
  for (unsigned c = 0; c < 256; ++c) {
    set[c] = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
             c == '_' || c == '$' || c >= 0x80;
  }
  return set;
}();

// What else stands in parameters and arguments.
constexpr Characters kInsideChars = [] {
  Characters set{};
  for (const char c : string_view(" :<>(){}[],*&~=+-/%^|!?.#'")) {
    set[static_cast<unsigned char>(c)] = true;
  }
  return set;
}();

bool IsNameChar(char c) { return kNameChars[static_cast<unsigned char>(c)]; }

// Index behind the word at `i`.
size_t BehindWord(string_view text, size_t i) {
  while (i < text.size() && IsNameChar(text[i])) ++i;
  return i;
}

// Words that stand beside another word, with a space between.
bool IsKeyword(string_view word) {
  constexpr string_view kWords[] = {
      "_Complex",  "_Imaginary", "__int128", "__restrict", "anonymous", "at",       "auto",
      "bool",      "char",       "class",    "const",      "decltype",  "default",  "delete",
      "double",    "dyn",        "enum",     "float",      "for",       "global",   "int",
      "lambda",    "long",       "mut",      "namespace",  "new",       "noexcept", "operator",
      "parameter", "requires",   "restrict", "short",      "signed",    "sizeof",   "struct",
      "this",      "throw",      "type",     "typename",   "union",     "unnamed",  "unsigned",
      "void",      "volatile",   "wchar_t"};
  return std::find(std::begin(kWords), std::end(kWords), word) != std::end(kWords);
}

// Index behind the string at `open`, as debug information shows arguments of templates; kNowhere if it
// has no end or holds what would be escaped there.
size_t BehindString(string_view text, size_t open) {
  for (size_t i = open + 1; i < text.size(); ++i) {
    if (text[i] == '"') return i + 1;
    if (std::iscntrl(static_cast<unsigned char>(text[i])) != 0) return kNowhere;
    if (text[i] == '\\') ++i;
  }
  return kNowhere;
}

// Could `text`, the inside of brackets of the kind `open`, be parameters or arguments?
bool IsInside(string_view text, char open) {
  const bool quotes = open == '<' || open == '{';
  string_view before;  // the word before a space
  for (size_t i = 0; i < text.size();) {
    const char c = text[i];
    if (IsNameChar(c)) {
      const size_t behind = BehindWord(text, i);
      const string_view word = text.substr(i, behind - i);
      if (word.back() == '$') return false;
      // "Type Class::*" is a pointer to a member.
      const bool scoped = behind < text.size() && (text[behind] == ':' || text[behind] == '<');
      if (!before.empty() && !scoped && !IsKeyword(before) && !IsKeyword(word)) return false;
      before = behind < text.size() && text[behind] == ' ' ? word : string_view();
      i = behind + (before.empty() ? 0 : 1);
      continue;
    }
    before = {};
    if (c == '"') {
      i = quotes ? BehindString(text, i) : kNowhere;
      if (i == kNowhere) return false;
      continue;
    }
    if (!kInsideChars[static_cast<unsigned char>(c)]) return false;
    if (c == ' ' && i + 1 < text.size() && text[i + 1] == ' ') return false;
    ++i;
  }
  return true;
}

// "part.0", "cold", "plt", "GLIBC_2.2.5": behind a dot or an @.
bool IsSuffix(string_view text) {
  if (text.empty()) return false;
  return std::all_of(text.begin(), text.end(), [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '.';
  });
}

// What may follow the parameters: "", " const", " const &", " [clone .cold]", "@plt" ...
bool IsTail(string_view text) {
  constexpr string_view kQualifiers[] = {" const",    " volatile", " restrict", " __restrict",
                                         " noexcept", " &&",       " &"};
  for (bool found = true; found;) {
    found = false;
    for (const string_view qualifier : kQualifiers) {
      if (!text.starts_with(qualifier)) continue;
      text.remove_prefix(qualifier.size());
      found = true;
      break;
    }
  }
  while (text.starts_with(" [clone ") || text.starts_with(" (.")) {
    const size_t close = text.find(text[1] == '[' ? ']' : ')');
    const size_t begin = text[1] == '[' ? 8 : 3;
    if (close == kNowhere || !IsSuffix(text.substr(begin, close - begin))) return false;
    text.remove_prefix(close + 1);
  }
  if (text.starts_with("@@")) text.remove_prefix(1);
  return text.empty() || ((text[0] == '@' || text[0] == '.') && IsSuffix(text.substr(1)));
}

// "dictExpand.part.0" -> "dictExpand", "malloc@@GLIBC_2.2.5" -> "malloc"; other dots belong to the
// name ("main.handler", "alloc..vec..Vec").
string_view WithoutCloneSuffix(string_view name) {
  for (const string_view suffix :
       {"@", ".part.", ".constprop.", ".isra.", ".cold", ".lto_priv.", ".llvm."}) {
    const size_t at = name.find(suffix);
    if (at != kNowhere && at > 0) name = name.substr(0, at);
  }
  return name;
}

// A name as C, Go, Rust and assemblers have it: no brackets, no spaces, and one @ at most.
bool IsPlain(string_view symbol) {
  const size_t version = std::min(symbol.find('@'), symbol.size());
  const bool plain = std::all_of(
      symbol.begin(), symbol.begin() + static_cast<ptrdiff_t>(version),
      [](char c) { return (IsNameChar(c) && static_cast<unsigned char>(c) < 0x80) || c == '.'; });
  return version > 0 && plain && IsTail(symbol.substr(version));
}

// The way through one name from left to right.
class Parser final {
 public:
  explicit Parser(string_view symbol) : text_(symbol) {}

  std::optional<string_view> Run() {
    for (const string_view thunk : {"non-virtual thunk to ", "virtual thunk to ",
                                    "covariant return thunk to ", "transaction clone for "}) {
      if (text_.starts_with(thunk)) begin_ = at_ = thunk.size();
    }
    while (at_ < text_.size() && !end_) {
      if (!Step()) return std::nullopt;
    }
    const size_t end = end_.value_or(text_.size());
    const string_view name = text_.substr(begin_, end - begin_);
    if (name.empty() || !IsTail(text_.substr(end_ ? tail_ : end))) return std::nullopt;
    // Demanglers show a return type with templates alone, and always with parameters.
    if (typed_ && (!end_ || tail_ == end || name.find('<') == kNowhere)) return std::nullopt;
    return name;
  }

 private:
  char Next() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  bool Rest(string_view start) const { return text_.substr(at_).starts_with(start); }

  // False where this is no C++ name.
  bool Step() {
    const char c = Next();
    if (c == 'o' && IsOperatorAt(text_, at_)) return Operator();
    if (IsNameChar(c)) {
      at_ = BehindWord(text_, at_);
      if (text_[at_ - 1] != '$') return true;
      return at_ == text_.size() || Next() == ':' || Next() == '.';
    }
    switch (c) {
      case ':':
        if (!Rest("::") || Rest(":::")) return false;
        at_ += 2;
        return at_ < text_.size();
      case '~':
        ++at_;
        return (at_ == begin_ + 1 || text_[at_ - 2] == ':') && IsNameChar(Next());
      case '\'': {  // LLVM's 'lambda'(int)
        const bool known = Rest("'lambda") || Rest("'unnamed") || Rest("'block-literal'");
        at_ = text_.find('\'', at_ + 1);
        if (!known || at_ == kNowhere) return false;
        ++at_;
        return true;
      }
      case '<':
      case '{':
      case '[':
        return Group();
      case '(':
        return Round();
      case ' ':
        return Space();
      case '*':
      case '&':  // of a return type
        ++at_;
        return at_ > begin_ + 1 && (Next() == ' ' || Next() == '*' || Next() == '&');
      case '.':
      case '@':  // a suffix, which Run() looks at
        end_ = tail_ = at_;
        return true;
      default:
        return false;
    }
  }

  bool Operator() {
    const size_t behind = BehindOperator(text_, at_);
    const string_view name = text_.substr(at_, behind - at_);
    if (name == "operator" || (!name.starts_with("operator\"\" ") && !IsInside(name, '('))) {
      return false;
    }
    at_ = behind;
    return true;
  }

  bool Group() {
    const char open = text_[at_];
    const size_t behind = BehindGroup(text_, at_);
    if (behind == kNowhere) return false;
    const string_view inside = text_.substr(at_ + 1, behind - at_ - 2);
    if (open == '[' && (at_ == begin_ || !inside.starts_with("abi:"))) return false;
    // Rust's <A as B>::f is none of ours; <lambda(int)> stands behind a "::".
    if (open == '<' && (at_ == begin_ || text_[at_ - 1] == ' ') && !AfterOperator()) return false;
    if (!IsInside(inside, open)) return false;
    at_ = behind;
    return true;
  }

  // "operator<< <char>"
  bool AfterOperator() const { return text_.substr(begin_, at_ - begin_).ends_with("operator "); }

  // Parameters, or a part of a name or type.
  bool Round() {
    const size_t behind = BehindGroup(text_, at_);
    if (behind == kNowhere) return false;
    const string_view inside = text_.substr(at_ + 1, behind - at_ - 2);
    const string_view before = text_.substr(begin_, at_ - begin_);
    const bool scope = before.empty() || before.ends_with("::");
    if (scope && inside.starts_with("lambda at ")) {
      at_ = behind;
      return Rest("::");
    }
    if (!IsInside(inside, '(')) return false;
    // Part of a return type: "decltype (x+y) f()", "decltype(auto) g()".
    if (behind < text_.size() &&
        (before.empty() || before == "decltype" || before == "decltype ")) {
      at_ = behind;
      return true;
    }
    // "(anonymous namespace)::" and "Run(int)::{lambda" go on, "Run(int) const::" as well.
    const string_view rest = text_.substr(behind);
    for (const string_view qualifier : {"", " const", " volatile", " const volatile", " &", " &&",
                                        " const &", " const &&", "[abi:cxx11]"}) {
      if (!rest.starts_with(qualifier) || !rest.substr(qualifier.size()).starts_with("::"))
        continue;
      at_ = behind + qualifier.size();
      return true;
    }
    if (scope) return false;
    end_ = at_;
    tail_ = behind;
    return true;
  }

  // Behind a return type, or before a suffix.
  bool Space() {
    if (Rest(" [clone ") || Rest(" (.")) {
      end_ = tail_ = at_;
      return true;
    }
    const string_view type = text_.substr(begin_, at_ - begin_);
    ++at_;
    if (type.empty() || at_ == text_.size() || Next() == ' ') return false;
    if (type == "decltype" && Next() == '(') return true;
    if (Next() == '(' && !Rest("(anonymous ")) return false;
    begin_ = at_;
    typed_ = true;
    return true;
  }

  const string_view text_;
  size_t begin_ = 0;  // of the name, as far as is known
  size_t at_ = 0;
  std::optional<size_t> end_;  // of the name
  size_t tail_ = 0;            // behind the parameters
  bool typed_ = false;
};

}  // namespace

// An arrow closes nothing.
size_t BehindGroup(string_view text, size_t open) {
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
      case '"': {
        const size_t behind = BehindString(text, i);
        if (behind == kNowhere) return kNowhere;
        i = behind - 1;
        break;
      }
      default:
        break;
    }
  }
  return kNowhere;
}

bool IsOperatorAt(string_view text, size_t i) {
  constexpr string_view kOperator = "operator";
  return text.substr(i, kOperator.size()) == kOperator && (i == 0 || !IsNameChar(text[i - 1])) &&
         (i + kOperator.size() == text.size() || !IsNameChar(text[i + kOperator.size()]));
}

size_t BehindOperator(string_view text, size_t i) {
  i += string_view("operator").size();
  for (const string_view sign :
       {"()", "<=>", "<<=", ">>=", "->*", "<<", ">>", "<=", ">=", "==", "!=", "&&", "||",
        "++", "--",  "->",  "+=",  "-=",  "*=", "/=", "%=", "^=", "&=", "|=", "<",  ">",
        "=",  "+",   "-",   "*",   "/",   "%",  "^",  "&",  "|",  "~",  "!",  ","}) {
    if (!text.substr(i).starts_with(sign)) continue;
    i += sign.size();
    if (sign == "()") return i;
    break;
  }
  while (i < text.size() && text[i] != '(') {
    const size_t behind = text[i] == '<' ? BehindGroup(text, i) : i + 1;
    if (behind == kNowhere) return text.size();
    i = behind;
  }
  return i;
}

std::optional<string_view> FindCppName(string_view symbol) {
  if (IsPlain(symbol)) return WithoutCloneSuffix(symbol);
  return Parser(symbol).Run();
}

}  // namespace heapgauge
