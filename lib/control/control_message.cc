#include "control/control_message.h"

#include <algorithm>

namespace heapgauge {
namespace {

void AppendClean(std::string_view text, std::string* to) {
  for (const char c : text) *to += c == '\t' || c == '\n' || c == '\0' ? ' ' : c;
}

// Up to `separator`, which is taken as well.
std::string_view TakeUntil(char separator, std::string_view* rest) {
  const std::string_view taken = rest->substr(0, rest->find(separator));
  rest->remove_prefix(std::min(rest->size(), taken.size() + 1));
  return taken;
}

}  // namespace

std::vector<std::string> ParseQuestion(std::string_view packet) {
  if (packet.empty() || packet.size() > kMostControlBytes ||
      packet.find_first_of(std::string_view("\n\0", 2)) != std::string_view::npos) {
    return {};
  }
  std::vector<std::string> words;
  do {
    if (words.size() == kMostControlWords) return {};
    words.emplace_back(TakeUntil('\t', &packet));
  } while (!packet.empty());
  return words;
}

std::string MakeAnswer(bool good, const std::vector<std::pair<std::string, std::string>>& values) {
  std::string packet = good ? "ok" : "error";
  for (const auto& [name, value] : values) {
    packet += '\n';
    AppendClean(name, &packet);
    packet += '\t';
    AppendClean(value, &packet);
  }
  if (packet.size() > kMostControlBytes) packet.resize(kMostControlBytes);
  return packet;
}

std::string MakeRefusal(std::string_view text) {
  return MakeAnswer(false, {{"text", std::string(text)}});
}

std::string ControlAnswer::Value(const std::string& name) const {
  const auto found = values.find(name);
  return found != values.end() ? found->second : "";
}

std::optional<ControlAnswer> ParseAnswer(std::string_view packet) {
  const std::string_view status = TakeUntil('\n', &packet);
  if (status != "ok" && status != "error") return std::nullopt;
  ControlAnswer answer{.good = status == "ok", .values = {}};
  while (!packet.empty()) {
    std::string_view line = TakeUntil('\n', &packet);
    if (line.find('\t') == std::string_view::npos || answer.values.size() == kMostControlPairs)
      return std::nullopt;
    const std::string_view name = TakeUntil('\t', &line);
    answer.values.emplace(name, line);
  }
  return answer;
}

}  // namespace heapgauge
