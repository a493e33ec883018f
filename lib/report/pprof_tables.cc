#include "report/pprof_tables.h"

#include <algorithm>

#include "report/frame_text.h"
#include "report/printable.h"

namespace heapgauge {
namespace {

using protozero::pbf_writer;

// Field numbers of profile.proto.
namespace mapping {
enum : uint32_t {
  kId = 1,
  kMemoryStart = 2,
  kMemoryLimit = 3,
  kFilename = 5,
  kBuildId = 6,
  kHasFunctions = 7,
  kHasFilenames = 8,
  kHasLineNumbers = 9,
  kHasInlineFrames = 10
};
}
namespace location {
enum : uint32_t { kId = 1, kMappingId = 2, kAddress = 3, kLine = 4 };
}
namespace line {
enum : uint32_t { kFunctionId = 1, kLine = 2 };
}
namespace function {
enum : uint32_t { kId = 1, kName = 2, kSystemName = 3, kFilename = 4 };
}

constexpr uint64_t kMappingSize = uint64_t{1} << 40;

}  // namespace

PprofTables::PprofTables(const std::string& exe) {
  String("");
  Module(exe);  // first: pprof takes it for the main program
}

int64_t PprofTables::String(const std::string& text) {
  const auto [found, fresh] = strings_.emplace(text, static_cast<int64_t>(string_order_.size()));
  if (fresh) string_order_.push_back(text);
  return found->second;
}

uint64_t PprofTables::Location(const std::vector<Frame>& frames, size_t begin, size_t end) {
  const Frame& outer = frames[end - 1];
  // Where the call site is an inlined frame, the same address is entered further out than
  // elsewhere; where it is all that is known of a stack, without what it was inlined into.
  const LocationView key{outer.module_offset, end - begin, outer.module, outer.function};
  if (const auto known = locations_.find(key); known != locations_.end()) return known->second;
  const uint64_t id = locations_.size() + 1;
  locations_.emplace(key, id);
  const uint64_t module = outer.module.empty() ? 0 : Module(outer.module).id;
  pbf_writer all(location_bytes_);
  pbf_writer writer(all, pprof_field::kLocation);
  writer.add_uint64(location::kId, id);
  writer.add_uint64(location::kMappingId, module);
  writer.add_uint64(location::kAddress, module * kMappingSize + outer.module_offset);
  for (size_t i = begin; i < end; ++i) {
    if (frames[i].function.empty()) continue;
    const uint64_t function = Function(frames[i]);
    pbf_writer line_writer(writer, location::kLine);
    line_writer.add_uint64(line::kFunctionId, function);
    line_writer.add_int64(line::kLine, frames[i].line.value_or(0));
    if (module != 0) Module(outer.module).named = true;
  }
  return id;
}

std::vector<uint64_t> PprofTables::Stack(const Site& site) {
  if (!site.frames.is_kept()) return NewStack(site);
  const auto known = stacks_.find(site.frames.identity());
  if (known != stacks_.end() && known->second.callsite == site.callsite) {
    return known->second.locations;
  }
  KnownStack stack{site.frames, site.callsite, NewStack(site)};
  return stacks_.insert_or_assign(site.frames.identity(), std::move(stack)).first->second.locations;
}

size_t PprofTables::bytes() const {
  constexpr size_t kNode = 150;  // of a map, with the texts that are its key
  return location_bytes_.size() + function_bytes_.size() +
         kNode * (strings_.size() + string_order_.size() + locations_.size() + functions_.size() +
                  stacks_.size());
}

void PprofTables::AppendTo(const TextMap& build_ids, std::string* out) {
  {
    pbf_writer all(*out);
    // By id: readers take the first for the main program.
    std::vector<decltype(modules_)::const_pointer> by_id;
    for (const auto& entry : modules_) by_id.push_back(&entry);
    std::sort(by_id.begin(), by_id.end(),
              [](const auto* a, const auto* b) { return a->second.id < b->second.id; });
    for (const auto* entry : by_id) WriteMapping(*entry, build_ids, &all);
  }
  out->append(location_bytes_).append(function_bytes_);
  pbf_writer all(*out);
  for (const std::string& text : string_order_) all.add_string(pprof_field::kStringTable, text);
}

PprofTables::ModuleEntry& PprofTables::Module(const std::string& path) {
  return modules_.emplace(path, ModuleEntry{modules_.size() + 1, false}).first->second;
}

uint64_t PprofTables::Function(const Frame& frame) {
  const std::string file = frame.file ? Printable(*frame.file) : "";
  const auto [found, fresh] =
      functions_.emplace(std::make_pair(frame.function, file), functions_.size() + 1);
  if (fresh) {
    pbf_writer all(function_bytes_);
    pbf_writer writer(all, pprof_field::kFunction);
    writer.add_uint64(function::kId, found->second);
    writer.add_int64(function::kName, String(FullName(frame)));
    writer.add_int64(function::kSystemName, String(Printable(frame.function)));
    writer.add_int64(function::kFilename, String(file));
  }
  return found->second;
}

std::vector<uint64_t> PprofTables::NewStack(const Site& site) {
  std::vector<uint64_t> stack;
  for (size_t begin = site.callsite; begin < site.frames.size();) {
    size_t end = begin;
    while (end + 1 < site.frames.size() && site.frames[end].inlined) ++end;
    stack.push_back(Location(site.frames, begin, ++end));
    begin = end;
  }
  return stack;
}

void PprofTables::WriteMapping(const std::pair<const std::string, ModuleEntry>& entry,
                               const TextMap& build_ids, pbf_writer* all) {
  const auto& [path, module] = entry;
  const auto build_id = build_ids.find(path);
  pbf_writer writer(*all, pprof_field::kMapping);
  writer.add_uint64(mapping::kId, module.id);
  writer.add_uint64(mapping::kMemoryStart, module.id * kMappingSize);
  writer.add_uint64(mapping::kMemoryLimit, (module.id + 1) * kMappingSize);
  writer.add_int64(mapping::kFilename, String(Printable(path)));
  if (build_id != build_ids.end())
    writer.add_int64(mapping::kBuildId, String(Printable(build_id->second)));
  for (const uint32_t has : {mapping::kHasFunctions, mapping::kHasFilenames,
                             mapping::kHasLineNumbers, mapping::kHasInlineFrames}) {
    writer.add_bool(has, module.named);
  }
}

}  // namespace heapgauge
