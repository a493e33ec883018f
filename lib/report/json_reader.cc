#include "report/json_reader.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <concepts>
#include <limits>
#include <nlohmann/json.hpp>
#include <type_traits>
#include <unordered_map>

#include "report/callsite.h"
#include "report/printable.h"
#include "report/report_fields.h"

namespace heapgauge {
namespace {

using Json = nlohmann::json;

std::string Shown(const Json& value) {
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

// Reads the members of one object.  The first thing wrong is kept in *error with its place, later
// ones are not.
class Object final {
 public:
  Object(const Json& value, std::string place, std::string* error)
      : value_(value), place_(std::move(place)), error_(error) {
    if (!value_.is_object()) Complain(place_, "an object", value_);
  }

  const Json* Find(const char* key) const {
    if (!value_.is_object()) return nullptr;
    const auto found = value_.find(key);
    return found == value_.end() ? nullptr : &*found;
  }

  void Require(const char* key) const {
    if (value_.is_object() && Find(key) == nullptr && error_->empty()) {
      *error_ = fmt::format("{} is missing", Place(key));
    }
  }

  void Read(const char* key, std::string* out) const {
    const Json* member = Find(key);
    if (member == nullptr) return;
    if (!member->is_string()) return Complain(Place(key), "a string", *member);
    *out = member->get_ref<const std::string&>();
  }

  void Read(const char* key, bool* out) const {
    const Json* member = Find(key);
    if (member == nullptr) return;
    if (!member->is_boolean()) return Complain(Place(key), "true or false", *member);
    *out = member->get<bool>();
  }

  template <typename T>
  requires std::is_arithmetic_v<T>
  void Read(const char* key, T* out) const {
    const Json* member = Find(key);
    if (member == nullptr) return;
    if (!member->is_number()) return Complain(Place(key), "a number", *member);
    if constexpr (std::is_floating_point_v<T>) {
      *out = member->get<T>();
    } else if (Fits<T>(*member)) {
      *out = member->get<T>();
    } else {
      Complain(Place(key), "a whole number in range", *member);
    }
  }

  template <typename T>
  void Read(const char* key, std::optional<T>* out) const {
    const Json* member = Find(key);
    if (member == nullptr) return;
    out->reset();
    if (member->is_null()) return;
    T value{};
    Read(key, &value);
    *out = std::move(value);
  }

  void Read(const char* key, std::map<std::string, std::string>* out) const {
    const Json* member = Find(key);
    if (member == nullptr) return;
    if (!member->is_object()) return Complain(Place(key), "an object", *member);
    for (const auto& [name, text] : member->items()) {
      if (!text.is_string()) return Complain(Place(key) + "." + Printable(name), "a string", text);
      (*out)[name] = text.get_ref<const std::string&>();
    }
  }

  void Read(const char* key, std::vector<std::string>* out) const {
    const Json* member = Find(key);
    if (member == nullptr) return;
    if (!member->is_array()) return Complain(Place(key), "an array", *member);
    for (const Json& text : *member) {
      if (!text.is_string()) return Complain(Place(key), "an array of strings", text);
      out->push_back(text.get_ref<const std::string&>());
    }
  }

  // Calls read(element, &item) for each element of the array `key`.
  template <typename T, typename ReadElement>
  void ReadArray(const char* key, std::vector<T>* out, const ReadElement& read) const {
    const Json* member = Find(key);
    if (member == nullptr) return;
    if (!member->is_array()) return Complain(Place(key), "an array", *member);
    out->reserve(member->size());
    for (size_t i = 0; i < member->size() && error_->empty(); ++i) {
      read(Object((*member)[i], fmt::format("{}[{}]", Place(key), i), error_),
           &out->emplace_back());
    }
  }

  Object Child(const char* key) const {
    static const Json kEmpty = Json::object();
    const Json* member = Find(key);
    return Object(member == nullptr ? kEmpty : *member, Place(key), error_);
  }

 private:
  // Whole figures may have been written as 12.0 or, by another writer, in exponent form.
  template <typename T>
  static bool Fits(const Json& number) {
    if (number.is_number_float()) {
      const double value = number.get<double>();
      constexpr double kExactInteger = 9007199254740992.0;  // 2^53
      return value == std::trunc(value) && std::fabs(value) <= kExactInteger &&
             value <= static_cast<double>(std::numeric_limits<T>::max()) &&
             value >= static_cast<double>(std::numeric_limits<T>::min());
    }
    if (number.is_number_unsigned()) {
      return number.get<uint64_t>() <= static_cast<uint64_t>(std::numeric_limits<T>::max());
    }
    return number.get<int64_t>() >= static_cast<int64_t>(std::numeric_limits<T>::min());
  }

  std::string Place(const char* key) const { return place_.empty() ? key : place_ + "." + key; }

  void Complain(const std::string& place, const char* expected, const Json& found) const {
    if (!error_->empty()) return;
    // Not dump() of a whole array: a foreign file may nest them deeper than our stack.
    const std::string shown = found.is_array()    ? "an array"
                              : found.is_object() ? "an object"
                                                  : CutEnd(Printable(Shown(found)), 40);
    *error_ = fmt::format("{}: expected {}, found {}", place.empty() ? "the line" : place, expected,
                          shown);
  }

  const Json& value_;
  std::string place_;
  std::string* error_;
};

// Reads each member that it visits.
class Reader final {
 public:
  explicit Reader(const Object& in) : in_(in) {}

  template <typename Value>
  void operator()(const char* key, Value& value) const {
    in_.Read(key, &value);
  }

  void operator()(const char* key, TextIfAny& text) const {
    in_.Read(key, static_cast<std::string*>(&text));
  }

  void operator()(const char* key, FlagIfSet& flag) const { in_.Read(key, &flag.set); }

  template <typename Member>
  requires(Either<Member, SamplingInfo> || Either<Member, ProcessInfo> ||
           Either<Member, Totals>) void
  operator()(const char* key, Member& value) const {
    ReadMembers(in_.Child(key), value);
  }

  template <typename Member>
  requires(Either<Member, Forecast> || Either<Member, Held> || Either<Member, Peak> ||
           Either<Member, Temporary>) void
  operator()(const char* key, std::optional<Member>& value) const {
    const Json* const member = in_.Find(key);
    if (member == nullptr || member->is_null()) return;
    ReadMembers(in_.Child(key), value.emplace());
  }

  template <typename Element>
  requires(!std::same_as<Element, std::string>) void operator()(
      const char* key, std::vector<Element>& elements) const {
    in_.ReadArray(key, &elements,
                  [](const Object& in, Element* element) { ReadMembers(in, *element); });
  }

  void operator()(const char* key, FrameList& list) const {
    std::vector<Frame> frames;
    (*this)(key, frames);
    list = std::move(frames);
  }

 private:
  template <typename Member>
  static void ReadMembers(const Object& in, Member& value) {
    VisitFields(value, Reader(in));
    MendMissing(in, value);
  }

  static void ReadMembers(const Object& in, Callsite& callsite) {
    VisitJudged(callsite.sum, Reader(in));
    // The line alone; the stack that leads to it is looked up among the report's sites.
    Frame line;
    VisitLine(line, Reader(in));
    callsite.sum.frames = {line};
    VisitFields(callsite, Reader(in));
  }

  // What reports of earlier versions do not have.
  template <typename Member>
  static void MendMissing(const Object&, Member&) {}

  static void MendMissing(const Object& in, SamplingInfo& sampling) {
    if (in.Find("asked_interval_bytes") == nullptr) {
      sampling.asked_interval_bytes = sampling.interval_bytes;
    }
  }

  static void MendMissing(const Object& in, Site& site) {
    if (in.Find("callsite") == nullptr) site.callsite = CallsiteIndex(site.frames);
    // An index is only as good as the array it points into.
    if (site.callsite >= site.frames.size()) site.callsite = 0;
  }

  const Object& in_;
};

void FindStacks(Report* report) {
  std::unordered_map<std::string_view, const Site*> by_id;
  for (const Site& site : report->sites) by_id.emplace(site.id, &site);
  for (Callsite& callsite : report->callsites) {
    for (const std::string& id : callsite.sites) {
      const auto found = by_id.find(id);
      if (found == by_id.end()) continue;
      callsite.sum.frames = found->second->frames;
      callsite.sum.callsite = found->second->callsite;
      callsite.sum.labels = found->second->labels;
      break;
    }
  }
}

void ReadReport(const Object& in, Report* report) {
  for (const char* key : {"sequence", "pid", "sites"}) in.Require(key);
  VisitFields(*report, Reader(in));
  if (in.Find("sites_total") == nullptr) report->sites_total = report->sites.size();
  if (in.Find("callsites_total") == nullptr) report->callsites_total = report->callsites.size();
  FindStacks(report);
}

// nlohmann's texts carry a number and a class; keep what helps: the place and the cause.
std::string ParseFailure(const Json::parse_error& failure, std::string_view line) {
  if (failure.byte > line.size())
    return fmt::format("the JSON ends early, at byte {}", line.size());
  const size_t at = failure.byte == 0 ? 0 : failure.byte - 1;
  return fmt::format("no valid JSON at byte {}, near {}", failure.byte,
                     CutEnd(Printable(line.substr(at, 30)), 30));
}

// A report has six levels; each one costs the parser memory, and a file of brackets would take
// it all.
bool NestsTooDeep(std::string_view line) {
  constexpr size_t kMostLevels = 32;
  size_t levels = 0;
  bool in_text = false;
  for (size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (in_text) {
      if (c == '\\') ++i;
      in_text = c != '"';
    } else if (c == '"') {
      in_text = true;
    } else if (c == '[' || c == '{') {
      if (++levels > kMostLevels) return true;
    } else if ((c == ']' || c == '}') && levels > 0) {
      --levels;
    }
  }
  return false;
}

}  // namespace

std::optional<Report> FromJson(std::string_view line, std::string* error) {
  error->clear();
  if (NestsTooDeep(line)) {
    *error = "the JSON is nested deeper than any report";
    return std::nullopt;
  }
  Json parsed;
  try {
    parsed = Json::parse(line);
  } catch (const Json::parse_error& failure) {
    *error = ParseFailure(failure, line);
    return std::nullopt;
  } catch (const Json::exception&) {
    *error = "the JSON holds a number out of range";
    return std::nullopt;
  }
  const Object object(parsed, "", error);
  if (!error->empty()) return std::nullopt;
  std::string schema;
  object.Read("schema", &schema);
  if (!error->empty()) return std::nullopt;
  if (schema != kReportSchema) {
    *error = schema.empty()
                 ? fmt::format("no heapgauge report: \"schema\" is missing, expected \"{}\"",
                               kReportSchema)
                 : fmt::format("schema is \"{}\", this version reads \"{}\"",
                               CutEnd(Printable(schema), 60), kReportSchema);
    return std::nullopt;
  }
  Report report;
  ReadReport(object, &report);
  if (!error->empty()) return std::nullopt;
  return report;
}

}  // namespace heapgauge
