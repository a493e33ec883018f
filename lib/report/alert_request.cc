#include "report/alert_request.h"

#include <nlohmann/json.hpp>

namespace heapgauge {

using Json = nlohmann::json;

std::string EncodeAlertRequest(const AlertRequest& request) {
  const Json json = {{"host_pid", request.host_pid}, {"exec", request.exec},
                     {"events", request.events},     {"exec_limit_ms", request.exec_limit_ms},
                     {"url", request.url},           {"body", request.body},
                     {"retry_ms", request.retry_ms}};
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::optional<AlertRequest> DecodeAlertRequest(std::string_view text) {
  try {
    const Json json = Json::parse(text);
    AlertRequest request;
    json.at("host_pid").get_to(request.host_pid);
    json.at("exec").get_to(request.exec);
    json.at("events").get_to(request.events);
    json.at("exec_limit_ms").get_to(request.exec_limit_ms);
    json.at("url").get_to(request.url);
    json.at("body").get_to(request.body);
    json.at("retry_ms").get_to(request.retry_ms);
    return request;
  } catch (const Json::exception&) {
    return std::nullopt;
  }
}

bool IsAlertUrl(std::string_view url) {
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (url.substr(0, scheme.size()) == scheme) {
      return url.size() > scheme.size() && url[scheme.size()] != '/';
    }
  }
  return false;
}

}  // namespace heapgauge
