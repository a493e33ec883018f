#include "report/json_reader.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <type_traits>
#include <unordered_map>

#include "report/callsite.h"
#include "report/printable.h"

namespace heapgauge {
namespace {

using nlohmann::json;

std::string Dump(const json& value) {
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

// Reads the members of one object.  The first thing wrong is kept in *error with its place, later
// ones are not.
class Object final {
 public:
  Object(const json& value, std::string place, std::string* error)
      : value_(value), place_(std::move(place)), error_(error) {
    if (!value_.is_object()) Complain(place_, "an object", value_);
  }

  const json* Find(const char* key) const {
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
    const json* member = Find(key);
    if (member == nullptr) return;
    if (!member->is_string()) return Complain(Place(key), "a string", *member);
    *out = member->get_ref<const std::string&>();
  }

  void Read(const char* key, bool* out) const {
    const json* member = Find(key);
    if (member == nullptr) return;
    if (!member->is_boolean()) return Complain(Place(key), "true or false", *member);
    *out = member->get<bool>();
  }

  template <typename T>
  requires std::is_arithmetic_v<T>
  void Read(const char* key, T* out) const {
    const json* member = Find(key);
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
    const json* member = Find(key);
    if (member == nullptr) return;
    out->reset();
    if (member->is_null()) return;
    T value{};
    Read(key, &value);
    *out = std::move(value);
  }

  void Read(const char* key, std::map<std::string, std::string>* out) const {
    const json* member = Find(key);
    if (member == nullptr) return;
    if (!member->is_object()) return Complain(Place(key), "an object", *member);
    for (const auto& [name, text] : member->items()) {
      if (!text.is_string()) return Complain(Place(key) + "." + Printable(name), "a string", text);
      (*out)[name] = text.get_ref<const std::string&>();
    }
  }

  void Read(const char* key, std::vector<std::string>* out) const {
    const json* member = Find(key);
    if (member == nullptr) return;
    if (!member->is_array()) return Complain(Place(key), "an array", *member);
    for (const json& text : *member) {
      if (!text.is_string()) return Complain(Place(key), "an array of strings", text);
      out->push_back(text.get_ref<const std::string&>());
    }
  }

  // Calls read(element, &item) for each element of the array `key`.
  template <typename T, typename ReadElement>
  void ReadArray(const char* key, std::vector<T>* out, const ReadElement& read) const {
    const json* member = Find(key);
    if (member == nullptr) return;
    if (!member->is_array()) return Complain(Place(key), "an array", *member);
    out->reserve(member->size());
    for (size_t i = 0; i < member->size() && error_->empty(); ++i) {
      read(Object((*member)[i], fmt::format("{}[{}]", Place(key), i), error_),
           &out->emplace_back());
    }
  }

  Object Child(const char* key) const {
    static const json kEmpty = json::object();
    const json* member = Find(key);
    return Object(member == nullptr ? kEmpty : *member, Place(key), error_);
  }

 private:
  // Whole figures may have been written as 12.0 or, by another writer, in exponent form.
  template <typename T>
  static bool Fits(const json& number) {
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

  void Complain(const std::string& place, const char* expected, const json& found) const {
    if (!error_->empty()) return;
    // Not dump() of a whole array: a foreign file may nest them deeper than our stack.
    const std::string shown = found.is_array()    ? "an array"
                              : found.is_object() ? "an object"
                                                  : CutEnd(Printable(Dump(found)), 40);
    *error_ = fmt::format("{}: expected {}, found {}", place.empty() ? "the line" : place, expected,
                          shown);
  }

  const json& value_;
  std::string place_;
  std::string* error_;
};

void ReadFrame(const Object& in, Frame* frame) {
  in.Read("function", &frame->function);
  in.Read("file", &frame->file);
  in.Read("line", &frame->line);
  in.Read("module", &frame->module);
  in.Read("module_offset", &frame->module_offset);
  in.Read("inlined", &frame->inlined);
}

// What a stack and a call site have in common.
void ReadFigures(const Object& in, Site* site) {
  in.Read("rank", &site->rank);
  in.Read("id", &site->id);
  in.Read("verdict", &site->verdict);
  in.Read("confidence", &site->confidence);
  in.Read("evidence", &site->evidence);
  in.Read("live_bytes", &site->live_bytes);
  in.Read("live_bytes_stderr", &site->live_bytes_stderr);
  in.Read("live_objects", &site->live_objects);
  in.Read("allocated_bytes", &site->allocated_bytes);
  in.Read("freed_bytes", &site->freed_bytes);
  in.Read("allocated_objects", &site->allocated_objects);
  in.Read("freed_objects", &site->freed_objects);
  in.Read("growth_bytes", &site->growth_bytes);
  in.Read("growth_bytes_per_s", &site->growth_bytes_per_s);
  in.Read("growth_low", &site->growth_low);
  in.Read("growth_high", &site->growth_high);
  in.Read("age_p50_s", &site->age_p50_s);
  in.Read("age_max_s", &site->age_max_s);
  in.Read("lifetime_p50_s", &site->lifetime_p50_s);
  in.Read("lifetime_p99_s", &site->lifetime_p99_s);
}

void ReadSite(const Object& in, Site* site) {
  ReadFigures(in, site);
  in.Read("labels", &site->labels);
  in.ReadArray("frames", &site->frames, ReadFrame);
  // The key is not in the schema's first form; and an index is only as good as the array it points
  // into.
  if (in.Find("callsite") == nullptr) {
    site->callsite = CallsiteIndex(site->frames);
  } else {
    in.Read("callsite", &site->callsite);
    if (site->callsite >= site->frames.size()) site->callsite = 0;
  }
}

// The line alone; the stack that leads to it is looked up among the report's sites.
void ReadCallsite(const Object& in, Callsite* callsite) {
  ReadFigures(in, &callsite->sum);
  ReadFrame(in, &callsite->sum.frames.emplace_back());
  in.Read("stacks", &callsite->stacks);
  in.Read("largest_stack_share", &callsite->largest_stack_share);
  in.Read("sites", &callsite->sites);
}

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

void ReadSampling(const Object& in, SamplingInfo* sampling) {
  in.Read("interval_bytes", &sampling->interval_bytes);
  sampling->asked_interval_bytes =
      sampling->interval_bytes;  // older reports know one interval only
  in.Read("asked_interval_bytes", &sampling->asked_interval_bytes);
  in.Read("interval_changes", &sampling->interval_changes);
  in.Read("samples", &sampling->samples);
  in.Read("live_samples", &sampling->live_samples);
  in.Read("dropped", &sampling->dropped);
  in.Read("unwind", &sampling->unwind);
  in.Read("cpu_s", &sampling->cpu_s);
  in.Read("memory_bytes", &sampling->memory_bytes);
  in.Read("reports_failed", &sampling->reports_failed);
  in.Read("coverage", &sampling->coverage);
  in.Read("coverage_note", &sampling->coverage_note);
  in.Read("unseen_deaths", &sampling->unseen_deaths);
  in.Read("distrust", &sampling->distrust);
}

void ReadProcess(const Object& in, ProcessInfo* process) {
  in.Read("rss_bytes", &process->rss_bytes);
  in.Read("heap_live_bytes", &process->heap_live_bytes);
  in.Read("allocator_retained_bytes", &process->allocator_retained_bytes);
  in.Read("limit_bytes", &process->limit_bytes);
  in.Read("limit_source", &process->limit_source);
  in.Read("usage_bytes", &process->usage_bytes);
  in.Read("rss_file_bytes", &process->rss_file_bytes);
  in.Read("rss_shmem_bytes", &process->rss_shmem_bytes);
  in.Read("threads", &process->threads);
}

void ReadTotals(const Object& in, Totals* totals) {
  in.Read("live_bytes", &totals->live_bytes);
  in.Read("live_bytes_stderr", &totals->live_bytes_stderr);
  in.Read("live_objects", &totals->live_objects);
  in.Read("allocated_bytes", &totals->allocated_bytes);
  in.Read("freed_bytes", &totals->freed_bytes);
  in.Read("allocated_objects", &totals->allocated_objects);
  in.Read("freed_objects", &totals->freed_objects);
  in.Read("growth_bytes_per_s", &totals->growth_bytes_per_s);
}

void ReadForecast(const Object& in, Forecast* forecast) {
  in.Read("limit_bytes", &forecast->limit_bytes);
  in.Read("limit_source", &forecast->limit_source);
  in.Read("seconds_to_limit", &forecast->seconds_to_limit);
  in.Read("seconds_low", &forecast->seconds_low);
  std::optional<double> high;
  in.Read("seconds_high", &high);
  forecast->seconds_high = high.value_or(std::numeric_limits<double>::infinity());
}

void ReadReport(const Object& in, Report* report) {
  for (const char* key : {"sequence", "pid", "sites"}) in.Require(key);
  in.Read("sequence", &report->sequence);
  in.Read("time", &report->time);
  in.Read("uptime_s", &report->uptime_s);
  in.Read("final", &report->final);
  in.Read("pid", &report->pid);
  in.Read("instance", &report->instance);
  in.Read("exe", &report->exe);
  in.Read("host", &report->host);
  in.Read("build_id", &report->build_id);
  ReadSampling(in.Child("sampling"), &report->sampling);
  ReadProcess(in.Child("process"), &report->process);
  ReadTotals(in.Child("totals"), &report->totals);
  in.Read("verdict", &report->verdict);
  in.Read("evidence", &report->evidence);
  if (const json* forecast = in.Find("forecast"); forecast != nullptr && !forecast->is_null()) {
    ReadForecast(in.Child("forecast"), &report->forecast.emplace());
  }
  in.ReadArray("sites", &report->sites, ReadSite);
  report->sites_total = report->sites.size();
  in.Read("sites_total", &report->sites_total);
  in.ReadArray("callsites", &report->callsites, ReadCallsite);
  report->callsites_total = report->callsites.size();
  in.Read("callsites_total", &report->callsites_total);
  FindStacks(report);
  in.Read("modules", &report->modules);
}

// nlohmann's texts carry a number and a class; keep what helps: the place and the cause.
std::string ParseFailure(const json::parse_error& failure, std::string_view line) {
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
  json parsed;
  try {
    parsed = json::parse(line);
  } catch (const json::parse_error& failure) {
    *error = ParseFailure(failure, line);
    return std::nullopt;
  } catch (const json::exception&) {
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
