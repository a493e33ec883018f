#include "report/json_writer.h"

#include <algorithm>
#include <cmath>
#include <concepts>
#include <type_traits>

#include "report/callsite.h"
#include "report/holders_writer.h"
#include "report/json_text.h"
#include "report/listed.h"
#include "report/report_fields.h"

namespace heapgauge {
namespace {

// Writes each member that it visits; what has members itself is an object.
class Writer final {
 public:
  // Of the lists of sites and call sites no more than `max_sites` elements are written.
  Writer(JsonText& json, size_t max_sites) : json_(json), max_sites_(max_sites) {}

  template <typename Value>
  void operator()(const char* key, const Value& value) const {
    json_.Add(key, value);
  }

  void operator()(const char* key, const TextIfAny& text) const {
    if (!text.empty()) json_.Add(key, static_cast<const std::string&>(text));
  }

  void operator()(const char* key, const FlagIfSet& flag) const {
    if (flag.set) json_.Add(key, true);
  }

  void operator()(const char* key, const FrameList& list) const {
    std::string* const kept = list.kept_json();
    if (kept == nullptr) return (*this)(key, list.get());
    if (kept->empty()) {
      JsonText frames;
      frames.BeginArray();
      for (const Frame& frame : list) Writer(frames, max_sites_).Add(frame);
      frames.End();
      *kept = frames.Take();
    }
    json_.Add(key, ReadyJson{*kept});
  }

  void operator()(const char* key, const TextMap& map) const {
    json_.BeginObject(key);
    for (const auto& [name, value] : map) json_.Add(name, value);
    json_.End();
  }

  template <typename Object>
  requires(Either<Object, SamplingInfo> || Either<Object, ProcessInfo> ||
           Either<Object, Totals>) void
  operator()(const char* key, const Object& value) const {
    json_.BeginObject(key);
    VisitFields(value, *this);
    json_.End();
  }

  void operator()(const char* key, const std::optional<Forecast>& forecast) const {
    // A forecast without its figure says nothing.
    if (!forecast || !std::isfinite(forecast->seconds_to_limit)) {
      json_.Add(key, nullptr);
      return;
    }
    json_.BeginObject(key);
    VisitFields(*forecast, *this);
    json_.End();
  }

  template <typename Object>
  requires(Either<Object, Held> || Either<Object, Peak> || Either<Object, Temporary>) void
  operator()(const char* key, const std::optional<Object>& object) const {
    if (!object) {
      json_.Add(key, nullptr);
      return;
    }
    json_.BeginObject(key);
    VisitFields(*object, *this);
    json_.End();
  }

  template <typename Element>
  void operator()(const char* key, const std::vector<Element>& elements) const {
    constexpr bool kOfLabels = std::same_as<Element, LabelShare> || std::same_as<Element, LabelSum>;
    if (kOfLabels && elements.empty()) return;
    constexpr bool kLimited = std::same_as<Element, Site> || std::same_as<Element, Callsite>;
    const size_t count = kLimited ? std::min(max_sites_, elements.size()) : elements.size();
    json_.BeginArray(key);
    for (size_t i = 0; i < count; ++i) Add(elements[i]);
    json_.End();
  }

 private:
  void Add(const std::string& text) const { json_.Element(text); }

  template <typename Object>
  void Add(const Object& object) const {
    json_.BeginObject();
    VisitFields(object, *this);
    json_.End();
  }

  void Add(const Callsite& callsite) const {
    const Site& sum = callsite.sum;
    json_.BeginObject();
    VisitLine(CallsiteFrame(sum.frames, sum.callsite), *this);
    VisitJudged(sum, *this);
    VisitFields(callsite, *this);
    json_.End();
  }

  JsonText& json_;
  const size_t max_sites_;
};

}  // namespace

std::string ToJson(const Report& report, size_t max_sites) {
  JsonText json;
  json.BeginObject().Add("schema", kReportSchema);
  VisitFields(report, Writer(json, max_sites));
  // Of what is listed here, so no member of the report.
  json.Add("sites_share", ShareOfLive(report, report.sites, max_sites))
      .Add("callsites_share", ShareOfLive(report, report.callsites, max_sites));
  json.End();
  return json.Take();
}

std::string HoldersToJson(const Report& report, const std::vector<Callsite>& callsites) {
  JsonText json;
  json.BeginObject()
      .Add("schema", "heapgauge.holders/1")
      .Add("time", report.time)
      .Add("pid", report.pid)
      .Add("exe", report.exe);
  Writer(json, SIZE_MAX)("callsites", callsites);
  json.End();
  return json.Take();
}

}  // namespace heapgauge
