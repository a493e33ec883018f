#include "alert/alert_request.h"

#include <nlohmann/json.hpp>

#include "report/json_text.h"

namespace heapgauge {

// In the watched process, so not by a tree of nlohmann's (json_text.h).
std::string EncodeAlertRequest(const AlertRequest& request) {
  JsonText json;
  json.BeginObject()
      .Add("host_pid", request.host_pid)
      .Add("exec", request.exec)
      .BeginArray("events");
  for (const std::string& event : request.events) json.Element(event);
  json.End()
      .Add("exec_limit_ms", request.exec_limit_ms)
      .Add("url", request.url)
      .Add("body", request.body)
      .Add("retry_ms", request.retry_ms)
      .End();
  return json.Take();
}

std::optional<AlertRequest> DecodeAlertRequest(std::string_view text) {
  using Json = nlohmann::json;
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
