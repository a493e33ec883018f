#include "serve/request_gate.h"

#include "serve/settings.h"

namespace heapgauge::serve {
namespace {

constexpr std::string_view kScheme = "Bearer ";

std::string HostWithoutPort(std::string host) {
  if (!host.empty() && host.front() == '[') {
    const size_t end = host.find(']');
    return end == std::string::npos ? std::string() : host.substr(1, end - 1);
  }
  return host.substr(0, host.find(':'));
}

}  // namespace

bool EqualInConstantTime(std::string_view given, std::string_view expected) {
  unsigned char difference = given.size() == expected.size() ? 0 : 1;
  for (size_t i = 0; i < expected.size(); ++i) {
    const char other = i < given.size() ? given[i] : '\0';
    difference = static_cast<unsigned char>(difference | (other ^ expected[i]));
  }
  return difference == 0;
}

Refusal Judge(const std::string& token, const std::string& host, const std::string& authorization) {
  if (token.empty()) {
    if (IsLoopback(HostWithoutPort(host))) return {};
    return {403, "this server answers to 127.0.0.1, [::1] and localhost alone"};
  }
  std::string_view given = authorization;
  if (given.starts_with(kScheme)) {
    given.remove_prefix(kScheme.size());
  } else {
    given = {};
  }
  if (EqualInConstantTime(given, token)) return {};
  return {401, "a bearer token is needed: Authorization: Bearer TOKEN"};
}

}  // namespace heapgauge::serve
