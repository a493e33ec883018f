#include "serve/settings.h"

#include <absl/strings/str_split.h>
#include <absl/strings/strip.h>
#include <arpa/inet.h>
#include <fmt/core.h>
#include <unistd.h>

#include <charconv>
#include <cstdint>
#include <fstream>
#include <iterator>

#include "base/whole_io.h"
#include "report/printable.h"

namespace heapgauge::serve {
namespace {

constexpr size_t kMostRequestBytes = size_t{64} << 10;
constexpr size_t kMostTokenBytes = 4096;
constexpr size_t kLeastTokenBytes = 8;

bool ToNumber(const std::string& text, int* number) {
  const char* end = text.data() + text.size();
  const auto [at, failure] = std::from_chars(text.data(), end, *number);
  return failure == std::errc() && at == end && *number >= 0;
}

std::vector<std::string> FromStandardInput() {
  std::string text;
  ReadAll(STDIN_FILENO, kMostRequestBytes, &text);
  if (text.empty()) return {};
  return absl::StrSplit(absl::StripSuffix(text, "\n"), '\n');
}

// "" or what is wrong.
std::string ReadToken(const std::string& path, std::string* token) {
  std::ifstream file(path, std::ios::binary);
  std::string text(kMostTokenBytes + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (file.bad() || !file.is_open())
    return fmt::format("the token file {} can't be read", Printable(path));
  text.resize(static_cast<size_t>(file.gcount()));
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r' || text.back() == ' '))
    text.pop_back();
  if (text.size() < kLeastTokenBytes || text.size() > kMostTokenBytes) {
    return fmt::format("the token in {} has {} bytes; {} to {} are taken, on one line",
                       Printable(path), text.size(), kLeastTokenBytes, kMostTokenBytes);
  }
  for (const char c : text) {
    if (c <= ' ' || c > '~')
      return fmt::format("the token in {} is not one word of printable ASCII", Printable(path));
  }
  *token = std::move(text);
  return {};
}

}  // namespace

bool SplitAddress(const std::string& address, std::string* host, int* port) {
  constexpr int kMostPort = 65535;
  const size_t colon = address.rfind(':');
  if (colon == std::string::npos || colon == 0) return false;
  *host = address.substr(0, colon);
  if (host->size() > 2 && host->front() == '[' && host->back() == ']')
    *host = host->substr(1, host->size() - 2);
  return ToNumber(address.substr(colon + 1), port) && *port <= kMostPort;
}

bool IsLoopback(const std::string& host) {
  constexpr uint32_t kLoopbackNet = 127;
  if (host == "localhost") return true;
  in_addr four{};
  if (inet_pton(AF_INET, host.c_str(), &four) == 1)
    return (ntohl(four.s_addr) >> 24) == kLoopbackNet;
  in6_addr six{};
  return inet_pton(AF_INET6, host.c_str(), &six) == 1 && IN6_IS_ADDR_LOOPBACK(&six);
}

absl::StatusOr<Settings> ReadSettings(const std::vector<std::string>& given) {
  const std::vector<std::string> arguments = given.empty() ? FromStandardInput() : given;
  Settings settings;
  std::string address = "127.0.0.1:0";
  std::string token_file;
  const auto fail = [](const std::string& text) { return absl::InvalidArgumentError(text); };
  for (size_t i = 0; i < arguments.size(); ++i) {
    const std::string& name = arguments[i];
    if (name == "--announce") {
      settings.announce = true;
      continue;
    }
    if (i + 1 == arguments.size()) return fail(fmt::format("{} needs a value", Printable(name)));
    const std::string& value = arguments[++i];
    int number = 0;
    if (name == "--directory") {
      settings.directory = value;
    } else if (name == "--listen") {
      address = value;
    } else if (name == "--token-file") {
      token_file = value;
    } else if (name == "--once") {
      settings.once = value;
    } else if (name == "--media-type") {
      settings.media_type = value;
    } else if (name == "--origin") {
      settings.origin = value;
    } else if (name == "--pid" && ToNumber(value, &number)) {
      settings.pid = number;
    } else {
      return fail(fmt::format("{} {}: not understood", Printable(name), Printable(value)));
    }
  }
  if (settings.directory.empty() && settings.once.empty())
    return fail("heapgauge-serve is started by the library, or by `heapgauge serve PID|DIR`");
  if (!SplitAddress(address, &settings.host, &settings.port)) {
    return fail(
        fmt::format("{}: not ADDRESS:PORT, e.g. 127.0.0.1:9191 or [::1]:0", Printable(address)));
  }
  if (!token_file.empty()) {
    if (const std::string wrong = ReadToken(token_file, &settings.token); !wrong.empty())
      return fail(wrong);
  } else if (!IsLoopback(settings.host)) {
    return fail(
        fmt::format("{} can be reached from other machines: that needs a token file "
                    "(HEAPGAUGE_HTTP_TOKEN_FILE); 127.0.0.1 and [::1] do not",
                    Printable(address)));
  }
  return settings;
}

}  // namespace heapgauge::serve
