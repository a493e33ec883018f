#include "serve/commands.h"

#include <absl/strings/ascii.h>
#include <absl/strings/match.h>
#include <absl/strings/str_split.h>
#include <absl/strings/string_view.h>
#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <optional>

#include "control/control_client.h"

namespace heapgauge::serve {
namespace {

constexpr auto kReportPatience = std::chrono::seconds(60);
constexpr auto kSetPatience = std::chrono::seconds(30);
constexpr char kNoSettings[] = "no settings: lines of KEY=VALUE, or a JSON object of strings";

}  // namespace

CommandResult Commands::Ask(const std::vector<std::string>& question,
                            std::chrono::milliseconds patience) {
  if (pid_ == 0)
    return {409, "a directory is served: there is no process to ask (heapgauge serve PID)"};
  const std::lock_guard lock(mutex_);
  absl::StatusOr<ControlClient> client = ControlClient::Connect(pid_);
  if (!client.ok()) return {503, std::string(client.status().message())};
  const absl::StatusOr<ControlAnswer> answer = client->Ask(question, patience);
  if (!answer.ok()) return {504, std::string(answer.status().message())};
  if (!answer->good) return {question[0] == "set" ? 400 : 503, answer->Value("text")};
  return {200, question[0] == "report" ? answer->Value("sequence") : ""};
}

CommandResult Commands::Snapshot() {
  CommandResult result = Ask({"report"}, kReportPatience);
  if (result.status == 200) result.text = "report " + result.text + " is written";
  return result;
}

CommandResult Commands::Configure(const std::string& body) {
  const auto settings = ParseSettings(body);
  if (!settings.ok()) return {400, std::string(settings.status().message())};
  std::string done;
  for (const auto& [name, value] : *settings) {
    CommandResult result = Ask({"set", name, value}, kSetPatience);
    if (result.status != 200) return result;
    done += (done.empty() ? "" : "\n") + name + "=" + value;
  }
  return {200, done};
}

absl::StatusOr<NamedSettings> ParseSettings(const std::string& body) {
  NamedSettings settings;
  const absl::string_view text = absl::StripAsciiWhitespace(body);
  if (absl::StartsWith(text, "{")) {
    const auto json = nlohmann::json::parse(text.begin(), text.end(), nullptr, false);
    if (!json.is_object()) return absl::InvalidArgumentError(kNoSettings);
    for (const auto& [name, value] : json.items()) {
      if (!value.is_string()) {
        return absl::InvalidArgumentError(fmt::format("{}: its value is no string", name));
      }
      settings.emplace_back(absl::AsciiStrToUpper(name), value.get<std::string>());
    }
  } else {
    for (const absl::string_view piece : absl::StrSplit(text, absl::ByAnyChar("\n&"))) {
      const absl::string_view line = absl::StripAsciiWhitespace(piece);
      if (line.empty()) continue;
      const size_t equals = line.find('=');
      if (equals == absl::string_view::npos || equals == 0) {
        return absl::InvalidArgumentError(fmt::format("{}: not KEY=VALUE", std::string(line)));
      }
      settings.emplace_back(absl::AsciiStrToUpper(line.substr(0, equals)),
                            std::string(line.substr(equals + 1)));
    }
  }
  if (settings.empty()) return absl::InvalidArgumentError(kNoSettings);
  return settings;
}

bool ComesFromElsewhere(const std::string& origin, const std::string& host) {
  return !origin.empty() && origin != "http://" + host && origin != "https://" + host;
}

}  // namespace heapgauge::serve
