#include "cli/soak_load.h"

#include <cctype>
#include <string>

namespace heapgauge::cli {
namespace {

bool IsDigit(char c) { return std::isdigit(static_cast<unsigned char>(c)) != 0; }

// A number with or without commas, from `at` on.
std::optional<uint64_t> NumberAt(std::string_view text, size_t at) {
  while (at < text.size() && (text[at] == ' ' || text[at] == '.' || text[at] == ':')) ++at;
  if (at >= text.size() || !IsDigit(text[at])) return std::nullopt;
  uint64_t number = 0;
  for (; at < text.size() && (IsDigit(text[at]) || text[at] == ','); ++at) {
    if (text[at] == ',') continue;
    if (number > UINT64_MAX / 10 - 1) return std::nullopt;
    number = number * 10 + static_cast<uint64_t>(text[at] - '0');
  }
  return number;
}

std::optional<uint64_t> After(std::string_view line, std::string_view words) {
  const size_t found = line.find(words);
  return found == std::string_view::npos ? std::nullopt : NumberAt(line, found + words.size());
}

// Where the number that ends before `end` begins; `end` when there is none.
size_t BeginOfNumber(std::string_view text, size_t end) {
  size_t begin = end;
  while (begin > 0 && (IsDigit(text[begin - 1]) || text[begin - 1] == ',')) --begin;
  return begin;
}

}  // namespace

std::optional<uint64_t> RequestsIn(std::string_view line) {
  // ab's progress, and its total once more.
  if (line.starts_with("Completed ") || line.starts_with("Finished ")) return std::nullopt;
  for (const std::string_view words :
       {"Complete requests:", "http_reqs", "transactions actually processed:"}) {
    if (const auto number = After(line, words)) return number;
  }
  constexpr std::string_view kRequests = " requests";
  const size_t word = line.find(kRequests);
  if (word == std::string_view::npos) return std::nullopt;
  const size_t behind = word + kRequests.size();
  if (behind < line.size() && (line[behind] == '/' || line[behind] == ':')) return std::nullopt;
  if (line.substr(behind).starts_with(" per ")) return std::nullopt;  // a rate
  size_t begin = BeginOfNumber(line, word);
  if (begin == word || (begin > 0 && line[begin - 1] == '.')) return std::nullopt;
  constexpr std::string_view kOf = " of ";
  if (begin > kOf.size() && line.substr(begin - kOf.size(), kOf.size()) == kOf) {
    const size_t end = begin - kOf.size();
    const size_t done = BeginOfNumber(line, end);
    if (done < end) begin = done;
  }
  return NumberAt(line, begin);
}

}  // namespace heapgauge::cli
