#include "cli/suppressions.h"

#include <fmt/core.h>

#include <algorithm>

namespace heapgauge::cli {
namespace {

std::string_view Trimmed(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\v\f";
  const size_t begin = text.find_first_not_of(kSpace);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kSpace) - begin + 1);
}

}  // namespace

bool TemplateMatches(std::string_view pattern, std::string_view text) {
  if (text.empty()) return false;
  bool anchored = pattern.starts_with('^');
  if (anchored) pattern.remove_prefix(1);
  const bool to_end = pattern.ends_with('$');
  if (to_end) pattern.remove_suffix(1);
  // Piece by piece; the last one at the very end where that is asked for.
  for (;;) {
    const size_t star = pattern.find('*');
    const std::string_view piece = pattern.substr(0, star);
    const bool is_last = star == std::string_view::npos;
    if (is_last && to_end) {
      if (piece.empty()) return !anchored || text.empty();
      return text.ends_with(piece) && (!anchored || text.size() == piece.size());
    }
    const size_t at = text.find(piece);
    if (at == std::string_view::npos || (anchored && at != 0)) return false;
    if (is_last) return true;
    text.remove_prefix(at + piece.size());
    pattern.remove_prefix(star + 1);
    anchored = false;
  }
}

void Suppressions::Add(std::string_view text, const std::string& name,
                       std::vector<std::string>* problems) {
  for (size_t number = 1; !text.empty(); ++number) {
    const size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = Trimmed(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.empty() || line.starts_with('#')) continue;
    constexpr std::string_view kKind = "leak:";
    if (line.starts_with(kKind) && line.size() > kKind.size()) {
      rules_.push_back({std::string(Trimmed(line.substr(kKind.size())))});
      continue;
    }
    problems->push_back(fmt::format("{}:{}: not leak:TEMPLATE, left out: {}", name, number, line));
  }
}

void Suppressions::AddOnce(std::string_view text, const std::string& name,
                           std::vector<std::string>* problems) {
  Suppressions other;
  std::vector<std::string> said;
  other.Add(text, name, &said);
  bool any = false;
  for (Rule& rule : other.rules_) {
    const bool known = std::any_of(rules_.begin(), rules_.end(),
                                   [&](const Rule& mine) { return mine.pattern == rule.pattern; });
    any = any || !known;
    if (!known) rules_.push_back(std::move(rule));
  }
  if (any) problems->insert(problems->end(), said.begin(), said.end());
}

std::optional<size_t> Suppressions::Match(const std::vector<Frame>& stack) const {
  for (size_t i = 0; i < rules_.size(); ++i) {
    const std::string& pattern = rules_[i].pattern;
    const bool found = std::any_of(stack.begin(), stack.end(), [&](const Frame& frame) {
      return TemplateMatches(pattern, frame.module) || TemplateMatches(pattern, frame.function) ||
             (frame.file && TemplateMatches(pattern, *frame.file));
    });
    if (found) return i;
  }
  return std::nullopt;
}

}  // namespace heapgauge::cli
