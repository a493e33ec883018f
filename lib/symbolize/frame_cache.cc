#include "symbolize/frame_cache.h"

#include <utility>

namespace heapgauge::symbolize {
namespace {

// What a hash node, its bucket and the allocator spend beside the content.
constexpr size_t kNodeOverhead = 48;

}  // namespace

const std::string* FrameCache::Generation::Keep(const std::string& text) {
  const auto [place, added] = texts.insert(text);
  if (added) bytes += kNodeOverhead + sizeof(std::string) + text.size();
  return &*place;
}

const FrameCache::Entry* FrameCache::Generation::Find(const std::string& module,
                                                      uint64_t offset) const {
  const auto known = modules.find(module);
  if (known == modules.end()) return nullptr;
  const auto entry = known->second.find(offset);
  return entry == known->second.end() ? nullptr : &entry->second;
}

std::optional<FrameCache::Answer> FrameCache::Find(const std::string& module, uint64_t offset) {
  const Entry* entry = young_.Find(module, offset);
  const bool from_old = entry == nullptr;
  if (from_old) entry = old_.Find(module, offset);
  if (entry == nullptr) return std::nullopt;
  Answer answer;
  answer.provisional = entry->provisional;
  answer.frames.reserve(entry->frames.size());
  for (const StoredFrame& stored : entry->frames) {
    Frame& frame = answer.frames.emplace_back();
    frame.function = *stored.function;
    if (stored.file != nullptr) frame.file = *stored.file;
    frame.line = stored.line;
    frame.inlined = stored.inlined;
    frame.verbatim = stored.verbatim;
  }
  if (from_old) Store(module, offset, answer);  // it is in use: it moves to the young
  return answer;
}

void FrameCache::Store(const std::string& module, uint64_t offset, const Answer& answer) {
  if (young_.bytes > limit_bytes_ / 2 || young_.addresses >= kMaxAddresses / 2) {
    old_ = std::exchange(young_, {});
  }
  Entry entry;
  entry.provisional = answer.provisional;
  entry.frames.reserve(answer.frames.size());
  for (const Frame& frame : answer.frames) {
    entry.frames.push_back({young_.Keep(frame.function),
                            frame.file ? young_.Keep(*frame.file) : nullptr, frame.line,
                            frame.inlined, frame.verbatim});
  }
  // A replaced entry's bytes stay counted: an estimate, on the safe side.
  young_.bytes += kNodeOverhead + sizeof(Entry) + entry.frames.size() * sizeof(StoredFrame);
  const auto [place, added] = young_.modules[module].insert_or_assign(offset, std::move(entry));
  if (added) ++young_.addresses;
}

}  // namespace heapgauge::symbolize
