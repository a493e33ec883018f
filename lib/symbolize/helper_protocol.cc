#include "symbolize/helper_protocol.h"

#include <algorithm>
#include <utility>

namespace heapgauge::symbolize {
namespace {

constexpr uint32_t kRequestMagic = 0x51534748;   // "HGSQ"
constexpr uint32_t kResponseMagic = 0x41534748;  // "HGSA"

enum RecordKind : uint8_t {
  kModuleBegin = 1,
  kFrames = 2,
  kModuleEnd = 3,
  kEnd = 4,
  kNote = 5,
  kPlace = 6
};
enum FrameFlag : uint8_t { kInlined = 1, kHasFile = 2, kHasLine = 4, kVerbatim = 8 };

// More inlining than any compiler does; a helper that claims more is broken.
constexpr size_t kMaxFrames = 1024;

std::optional<std::vector<Frame>> DecodeFrames(WireReader& in) {
  const auto count = in.Get<uint16_t>();
  if (count > kMaxFrames) return std::nullopt;
  std::vector<Frame> frames;
  for (size_t i = 0; i < count && in.ok(); ++i) {
    const auto flags = in.Get<uint8_t>();
    Frame& frame = frames.emplace_back();
    frame.inlined = (flags & kInlined) != 0;
    frame.verbatim = {(flags & kVerbatim) != 0};
    frame.function = in.GetString();
    if (flags & kHasFile) frame.file = std::string(in.GetString());
    if (flags & kHasLine) frame.line = in.Get<uint32_t>();
  }
  if (!in.ok() || frames.empty() || frames.back().inlined) return std::nullopt;
  return frames;
}

// False where the stream has left the protocol.
bool Apply(uint8_t kind, std::string_view content, HelperResponse& response) {
  WireReader in(content);
  if (kind == kEnd) {
    response.complete = true;
    response.unfinished_module.reset();
    return true;
  }
  const auto module = in.Get<uint32_t>();
  if (!in.ok() || module >= response.frames.size()) return false;
  switch (kind) {
    case kModuleBegin:
      response.unfinished_module = module;
      return true;
    case kModuleEnd:
      response.unfinished_module.reset();
      response.finished[module] = true;
      return true;
    case kNote:
      response.notes[module] = in.GetString();
      return in.ok();
    case kPlace: {
      const auto index = in.Get<uint32_t>();
      VariablePlace place;
      place.variable = in.GetString();
      place.type = in.GetString();
      if (!in.ok() || index >= response.places[module].size()) return false;
      response.places[module][index] = std::move(place);
      return true;
    }
    case kFrames: {
      const auto index = in.Get<uint32_t>();
      auto frames = DecodeFrames(in);
      if (!frames || index >= response.frames[module].size()) return false;
      response.frames[module][index] = std::move(*frames);
      return true;
    }
    default:
      return false;
  }
}

}  // namespace

namespace {

void PutPlace(const PlaceQuestion& place, WireWriter& out) {
  out.Put(place.address);
  out.Put(static_cast<uint8_t>(place.on_stack ? 1 : 0));
  out.Put(place.above);
  out.Put(static_cast<uint32_t>(place.ends.size()));
  for (const uint64_t end : place.ends) out.Put(end);
}

bool GetPlace(WireReader& in, PlaceQuestion* place) {
  place->address = in.Get<uint64_t>();
  place->on_stack = in.Get<uint8_t>() != 0;
  place->above = in.Get<uint64_t>();
  const auto ends = in.Get<uint32_t>();
  if (ends > in.left() / sizeof(uint64_t)) return false;
  for (uint32_t i = 0; i < ends; ++i) place->ends.push_back(in.Get<uint64_t>());
  return in.ok();
}

}  // namespace

std::string EncodeRequest(const HelperRequest& request) {
  WireWriter out;
  out.Put(kRequestMagic);
  out.Put(kProtocolVersion);
  out.PutString(request.debug_root);
  out.Put(static_cast<uint32_t>(request.debuginfod.size()));
  for (const std::string& setting : request.debuginfod) out.PutString(setting);
  out.Put(static_cast<uint32_t>(request.modules.size()));
  for (const HelperRequest::Module& module : request.modules) {
    out.PutString(module.file);
    out.PutString(module.path);
    out.PutString(module.build_id);
    out.Put(static_cast<uint32_t>(module.offsets.size()));
    for (const uint64_t offset : module.offsets) out.Put(offset);
    out.Put(static_cast<uint32_t>(module.places.size()));
    for (const PlaceQuestion& place : module.places) PutPlace(place, out);
  }
  return out.bytes();
}

std::optional<HelperRequest> DecodeRequest(std::string_view bytes) {
  WireReader in(bytes);
  if (in.Get<uint32_t>() != kRequestMagic || in.Get<uint32_t>() != kProtocolVersion) {
    return std::nullopt;
  }
  HelperRequest request;
  request.debug_root = in.GetString();
  const auto settings = in.Get<uint32_t>();
  for (uint32_t i = 0; i < settings && in.ok(); ++i) {
    request.debuginfod.emplace_back(in.GetString());
  }
  const auto modules = in.Get<uint32_t>();
  for (uint32_t i = 0; i < modules && in.ok(); ++i) {
    HelperRequest::Module& module = request.modules.emplace_back();
    module.file = in.GetString();
    module.path = in.GetString();
    module.build_id = in.GetString();
    const auto offsets = in.Get<uint32_t>();
    if (offsets > in.left() / sizeof(uint64_t)) return std::nullopt;
    for (uint32_t k = 0; k < offsets; ++k) module.offsets.push_back(in.Get<uint64_t>());
    const auto places = in.Get<uint32_t>();
    for (uint32_t k = 0; k < places && in.ok(); ++k) {
      if (!GetPlace(in, &module.places.emplace_back())) return std::nullopt;
    }
  }
  if (!in.ok() || in.left() != 0) return std::nullopt;
  return request;
}

ResponseEncoder::ResponseEncoder() {
  out_.Put(kResponseMagic);
  out_.Put(kProtocolVersion);
}

void ResponseEncoder::Record(uint8_t kind, const WireWriter& content) {
  out_.Put(kind);
  out_.Put(static_cast<uint32_t>(content.bytes().size()));
  out_.PutBytes(content.bytes());
}

void ResponseEncoder::ModuleBegin(uint32_t module) {
  WireWriter content;
  content.Put(module);
  Record(kModuleBegin, content);
}

void ResponseEncoder::Note(uint32_t module, const std::string& note) {
  WireWriter content;
  content.Put(module);
  content.PutString(note);
  Record(kNote, content);
}

void ResponseEncoder::Place(uint32_t module, uint32_t place_index, const VariablePlace& place) {
  WireWriter content;
  content.Put(module);
  content.Put(place_index);
  content.PutString(place.variable);
  content.PutString(place.type);
  Record(kPlace, content);
}

void ResponseEncoder::ModuleEnd(uint32_t module) {
  WireWriter content;
  content.Put(module);
  Record(kModuleEnd, content);
}

void ResponseEncoder::End() { Record(kEnd, {}); }

void ResponseEncoder::Frames(uint32_t module, uint32_t offset_index,
                             const std::vector<Frame>& frames) {
  // Too many: the outermost ones stay, they end in the frame that is not inlined.
  const size_t count = std::min(frames.size(), kMaxFrames);
  WireWriter content;
  content.Put(module);
  content.Put(offset_index);
  content.Put(static_cast<uint16_t>(count));
  for (size_t i = frames.size() - count; i < frames.size(); ++i) {
    const Frame& frame = frames[i];
    content.Put(static_cast<uint8_t>((frame.inlined ? kInlined : 0) | (frame.file ? kHasFile : 0) |
                                     (frame.line ? kHasLine : 0) |
                                     (frame.verbatim.set ? kVerbatim : 0)));
    content.PutString(frame.function);
    if (frame.file) content.PutString(*frame.file);
    if (frame.line) content.Put(*frame.line);
  }
  Record(kFrames, content);
}

std::string ResponseEncoder::Take() { return out_.Take(); }

HelperResponse DecodeResponse(std::string_view bytes, const HelperRequest& request) {
  HelperResponse response;
  response.finished.resize(request.modules.size());
  response.notes.resize(request.modules.size());
  for (const HelperRequest::Module& module : request.modules) {
    response.frames.emplace_back(module.offsets.size());
    response.places.emplace_back(module.places.size());
  }
  WireReader in(bytes);
  response.understood =
      in.Get<uint32_t>() == kResponseMagic && in.Get<uint32_t>() == kProtocolVersion;
  while (response.understood && !response.complete) {
    const auto kind = in.Get<uint8_t>();
    const std::string_view content = in.GetBytes(in.Get<uint32_t>());
    if (!in.ok() || !Apply(kind, content, response)) break;
  }
  return response;
}

}  // namespace heapgauge::symbolize
