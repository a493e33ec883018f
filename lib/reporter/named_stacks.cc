#include "reporter/named_stacks.h"

#include <algorithm>
#include <iterator>
#include <new>
#include <string>
#include <utility>

namespace heapgauge {
namespace {

bool IsSameModule(const ModuleAddress& a, const ModuleAddress& b) {
  return a.module == b.module && a.build_id == b.build_id && a.head == b.head;
}

// With the texts that are too long for the string itself, and what a writer leaves of it.
size_t BytesOf(const FrameList& frames) {
  constexpr size_t kJson = 120;  // the keys and the figures
  size_t bytes = 0;
  for (const Frame& frame : frames) {
    const size_t texts =
        frame.function.size() + frame.module.size() + (frame.file ? frame.file->size() : 0);
    bytes += sizeof(Frame) + kJson + 2 * texts;
  }
  return bytes;
}

}  // namespace

std::vector<NamedStacks::Stack> NamedStacks::Name(const std::vector<uint32_t>& indices) {
  std::vector<ModuleAddress> addresses;
  std::vector<size_t> depths;
  std::vector<Stack> stacks(indices.size());
  for (size_t i = 0; i < indices.size(); ++i) {
    const std::vector<ModuleAddress> frames = identity_.Addresses(*tracker_.sites().At(indices[i]));
    depths.push_back(frames.size());
    addresses.insert(addresses.end(), frames.begin(), frames.end());
    std::vector<ModuleAddress>& modules = stacks[i].modules;
    for (const ModuleAddress& frame : frames) {
      const auto same = [&](const ModuleAddress& other) { return IsSameModule(other, frame); };
      if (std::none_of(modules.begin(), modules.end(), same)) modules.push_back(frame);
    }
  }
  const std::vector<std::vector<Frame>> named = symbolizer_.Symbolize(addresses);
  if (named.size() != addresses.size()) throw std::bad_alloc();  // how the symbolizer says so
  size_t next = 0;
  for (size_t i = 0; i < indices.size(); ++i) {
    std::vector<Frame> frames;
    for (size_t k = 0; k < depths[i]; ++k, ++next) {
      frames.insert(frames.end(), named[next].begin(), named[next].end());
    }
    if (indices[i] == SiteTable::kOverflowIndex) frames = {callsites_.Of(indices[i]).frame};
    stacks[i].callsite = callsites_.IndexIn(frames);
    stacks[i].frames = std::move(frames);
  }
  return stacks;
}

void NamedStacks::Fill(const std::vector<uint32_t>& indices, Report& report) {
  ++reports_;
  if (modules_ != identity_.changes()) Forget();
  modules_ = identity_.changes();
  std::vector<uint32_t> fresh;
  for (const uint32_t index : indices) {
    if (kept_.count(index) == 0) fresh.push_back(index);
  }
  std::vector<Stack> named;
  bool settled = true;
  if (!fresh.empty()) {
    named = Name(fresh);
    settled = symbolizer_.is_settled();
  }
  std::vector<ModuleAddress> modules;
  size_t next = 0;
  for (size_t i = 0; i < indices.size(); ++i) {
    const auto found = kept_.find(indices[i]);
    Stack& stack = found != kept_.end() ? found->second : named[next++];
    // The second time: a process that ends with its first report keeps nothing.
    if (found != kept_.end()) stack.frames.Keep();
    stack.shown = reports_;
    report.sites[i].frames = stack.frames;
    report.sites[i].callsite = stack.callsite;
    for (const ModuleAddress& module : stack.modules) {
      const auto same = [&](const ModuleAddress& other) { return IsSameModule(other, module); };
      if (std::any_of(modules.begin(), modules.end(), same)) continue;
      modules.push_back(module);
      if (!module.build_id.empty()) report.modules.emplace(module.module, module.build_id);
    }
  }
  report.notes = symbolizer_.NotesOn(modules);
  std::erase_if(kept_, [this](const auto& kept) { return kept.second.shown + 1 < reports_; });
  for (size_t k = 0; settled && k < fresh.size(); ++k) {
    kept_.emplace(fresh[k], std::move(named[k]));
  }
  bytes_ = 0;
  for (const auto& [index, stack] : kept_) bytes_ += sizeof(Stack) + BytesOf(stack.frames);
}

}  // namespace heapgauge
