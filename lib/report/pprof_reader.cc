#include "report/pprof_reader.h"

#include <fmt/core.h>
#include <sys/stat.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <map>
#include <protozero/exception.hpp>
#include <utility>
#include <vector>

#include "report/callsite.h"
#include "report/pprof_profile.h"
#include "report/printable.h"
#include "report/units.h"

namespace heapgauge {
namespace {

constexpr size_t kMostFramesTogether = 4'000'000;  // far more than a heap has stacks for

// All stacks that ask at one line.
void SumCallsites(Report* report) {
  std::map<std::string, size_t> places;
  std::vector<double> largest;  // stack of each call site, live bytes
  for (const Site& site : report->sites) {
    const Frame* frame = site.frames.empty() ? nullptr : &site.frames[site.callsite];
    std::string place;
    if (frame != nullptr) {
      place = fmt::format("{}\n{}\n{}\n{}", frame->function, frame->file.value_or(""),
                          frame->line.value_or(0), frame->module);
      if (frame->function.empty()) place += fmt::format("\n{}", frame->module_offset);
    }
    const auto [entry, fresh] = places.emplace(place, report->callsites.size());
    if (fresh) {
      report->callsites.emplace_back().sum = site;  // the largest stack: they are sorted
      largest.push_back(site.live_bytes);
      continue;
    }
    Callsite& callsite = report->callsites[entry->second];
    ++callsite.stacks;
    callsite.sum.live_bytes += site.live_bytes;
    callsite.sum.live_objects += site.live_objects;
    callsite.sum.allocated_bytes += site.allocated_bytes;
    callsite.sum.allocated_objects += site.allocated_objects;
    callsite.sum.freed_bytes += site.freed_bytes;
    callsite.sum.freed_objects += site.freed_objects;
    callsite.sum.growth_bytes += site.growth_bytes;
    callsite.largest_stack_share =
        callsite.sum.live_bytes > 0 ? largest[entry->second] / callsite.sum.live_bytes : 1;
  }
  std::stable_sort(
      report->callsites.begin(), report->callsites.end(),
      [](const Callsite& a, const Callsite& b) { return a.sum.live_bytes > b.sum.live_bytes; });
  uint32_t rank = 0;
  for (Callsite& callsite : report->callsites) callsite.sum.rank = ++rank;
  report->callsites_total = report->callsites.size();
}

void AddFrames(const PprofProfile& profile, uint64_t id, std::vector<Frame>* frames) {
  const auto found = profile.locations.find(id);
  if (found == profile.locations.end())
    throw PprofDamage(fmt::format("location {} is not there", id));
  const PprofProfile::Location& location = found->second;
  Frame frame;
  frame.module_offset = location.address;
  if (const auto mapping = profile.mappings.find(location.mapping);
      mapping != profile.mappings.end()) {
    frame.module = profile.String(mapping->second.file);
    frame.module_offset = location.address - mapping->second.start + mapping->second.offset;
  }
  if (location.lines.empty()) frames->push_back(frame);
  for (size_t i = 0; i < location.lines.size(); ++i) {
    const PprofProfile::Line& line = location.lines[i];
    const auto function = profile.functions.find(line.function);
    if (function == profile.functions.end())
      throw PprofDamage(fmt::format("function {} is not there", line.function));
    frame.function = profile.String(function->second.name);
    if (frame.function.empty()) frame.function = profile.String(function->second.system_name);
    const std::string& file = profile.String(function->second.file);
    frame.file = file.empty() ? std::nullopt : std::optional(file);
    frame.line = line.line > 0 ? std::optional(static_cast<uint32_t>(line.line)) : std::nullopt;
    frame.inlined = i + 1 < location.lines.size();
    frames->push_back(frame);
    if (frames->size() > kMostPprofFrames) throw PprofDamage("a sample has too many frames");
  }
}

Report ToReport(const PprofProfile& profile) {
  const size_t inuse_bytes = profile.TypeIndex("inuse_space");
  if (inuse_bytes == profile.types.size())
    throw PprofDamage("it has no inuse_space: not a profile of live heap");
  const size_t indices[] = {inuse_bytes, profile.TypeIndex("inuse_objects"),
                            profile.TypeIndex("alloc_space"), profile.TypeIndex("alloc_objects"),
                            profile.TypeIndex("growth_space")};
  Report report;
  std::map<std::pair<std::vector<uint64_t>, std::vector<std::pair<int64_t, int64_t>>>, size_t> seen;
  size_t frames = 0;
  for (const PprofProfile::Sample& sample : profile.samples) {
    const auto [entry, fresh] =
        seen.emplace(std::make_pair(sample.locations, sample.labels), report.sites.size());
    if (fresh) {
      Site& site = report.sites.emplace_back();
      std::vector<Frame> stack;
      for (const uint64_t id : sample.locations) AddFrames(profile, id, &stack);
      site.frames = std::move(stack);
      frames += site.frames.size();
      if (frames > kMostFramesTogether) throw PprofDamage("it has too many frames");
      for (const auto& [key, text] : sample.labels)
        site.labels[profile.String(key)] = profile.String(text);
      site.callsite = CallsiteIndex(site.frames);
    }
    Site& site = report.sites[entry->second];
    const auto value = [&](size_t index) {
      return index < sample.values.size() ? static_cast<double>(sample.values[index]) : 0.0;
    };
    site.live_bytes += value(indices[0]);
    site.live_objects += value(indices[1]);
    site.allocated_bytes += value(indices[2]);
    site.allocated_objects += value(indices[3]);
    site.growth_bytes += value(indices[4]);
  }
  std::stable_sort(report.sites.begin(), report.sites.end(),
                   [](const Site& a, const Site& b) { return a.live_bytes > b.live_bytes; });
  uint32_t rank = 0;
  for (Site& site : report.sites) {
    site.rank = ++rank;
    site.freed_bytes = std::max(0.0, site.allocated_bytes - site.live_bytes);
    site.freed_objects = std::max(0.0, site.allocated_objects - site.live_objects);
    report.totals.live_bytes += site.live_bytes;
    report.totals.live_objects += site.live_objects;
    report.totals.allocated_bytes += site.allocated_bytes;
    report.totals.allocated_objects += site.allocated_objects;
    report.totals.freed_bytes += site.freed_bytes;
    report.totals.freed_objects += site.freed_objects;
  }
  report.sites_total = report.sites.size();
  SumCallsites(&report);
  for (const auto& [id, mapping] : profile.mappings) {
    const std::string& build_id = profile.String(mapping.build_id);
    if (!build_id.empty()) report.modules[profile.String(mapping.file)] = build_id;
    if (id == profile.first_mapping) {
      report.exe = profile.String(mapping.file);
      report.build_id = build_id;
    }
  }
  if (profile.period > 0) report.sampling.interval_bytes = static_cast<uint64_t>(profile.period);
  report.uptime_s = static_cast<double>(profile.duration_nanos) * 1e-9;
  if (profile.time_nanos > 0) report.time = FormatUtc(profile.time_nanos / 1'000'000);
  return report;
}

// A file.  The kernel's views of itself, which may keep a reader waiting, have no size.
bool HasContent(const std::string& path) {
  struct stat status {};
  return stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode) && status.st_size > 0;
}

}  // namespace

std::optional<Report> FromPprof(const std::string& bytes, std::string* error) {
  try {
    return ToReport(PprofProfile(bytes.starts_with("\x1f\x8b") ? GunzipPprof(bytes) : bytes));
  } catch (const PprofDamage& damage) {
    *error = damage.what();
  } catch (const protozero::exception&) {
    *error = "it is no profile, or a damaged one";
  }
  return std::nullopt;
}

bool IsPprofFile(const std::string& path) {
  if (!HasContent(path)) return false;
  std::ifstream file(path, std::ios::binary);
  char first[2] = {};
  if (!file.read(first, 2)) return false;
  return (first[0] == '\x1f' && first[1] == '\x8b') || path.ends_with(".pb");
}

std::optional<Report> ReadPprof(const std::string& path, std::string* error) {
  struct stat status {};
  if (stat(path.c_str(), &status) == 0 && status.st_size > static_cast<off_t>(kMostPprofBytes)) {
    *error = fmt::format("{}: it is larger than 512 MiB", Printable(path));
    return std::nullopt;
  }
  std::ifstream file(path, std::ios::binary);
  const std::string bytes((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  if (!file) {
    *error = fmt::format("{}: can't be read", Printable(path));
    return std::nullopt;
  }
  std::optional<Report> report = FromPprof(bytes, error);
  if (!report) *error = fmt::format("{}: {}", Printable(path), *error);
  return report;
}

}  // namespace heapgauge
