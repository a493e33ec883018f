// What a host and its symbolize helper say to each other: one request on the helper's standard
// input, then a stream of records on its standard output, so that whatever arrived before a crash
// or a deadline is of use.
//
//   request    magic version debug_root settings modules{ file path build_id offsets places }
//   response   magic version record*      record: kind, size, content of that many bytes
//     kModuleBegin module · kFrames module offset-index frames · kNote module text ·
//     kPlace module place-index variable type · kModuleEnd module · kEnd
//
// Both decoders take any bytes: the peer may be another version, another program, or dying.
#ifndef HEAPGAUGE_SYMBOLIZE_HELPER_PROTOCOL_H_
#define HEAPGAUGE_SYMBOLIZE_HELPER_PROTOCOL_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "symbolize/frame.h"
#include "symbolize/variable_place.h"
#include "symbolize/wire.h"

namespace heapgauge::symbolize {

inline constexpr uint32_t kProtocolVersion = 5;  // raised with every change of the layout

struct HelperRequest {
  struct Module {
    std::string file;               // to be opened: the binary, "" if it is gone
    std::string path;               // the module's name; where its debug link is looked for
    std::string build_id;           // a file with another one is not believed
    std::vector<uint64_t> offsets;  // ascending
    std::vector<PlaceQuestion> places = {};
  };

  std::string debug_root;
  std::vector<std::string> debuginfod;  // debuginfod_settings.h
  std::vector<Module> modules;
};

std::string EncodeRequest(const HelperRequest& request);
std::optional<HelperRequest> DecodeRequest(std::string_view bytes);

// The helper's half of a response.  Frames carry function, file, line, inlined and verbatim; the
// module and offset are the asker's own.
class ResponseEncoder final {
 public:
  ResponseEncoder();
  void ModuleBegin(uint32_t module);
  void Frames(uint32_t module, uint32_t offset_index, const std::vector<Frame>& frames);
  // Of one that has a name.
  void Place(uint32_t module, uint32_t place_index, const VariablePlace& place);
  // For people: why its debug information could not be read.
  void Note(uint32_t module, const std::string& note);
  void ModuleEnd(uint32_t module);
  void End();

  // What was encoded since the last Take().
  std::string Take();

 private:
  void Record(uint8_t kind, const WireWriter& content);

  WireWriter out_;
};

struct HelperResponse {
  using Frames = std::vector<Frame>;  // empty: no answer

  bool understood = false;  // the right magic and version stood at its head
  bool complete = false;    // it ran to its end
  // The module at work when a response that isn't complete broke off.
  std::optional<size_t> unfinished_module;
  std::vector<bool> finished;                      // per module of the request
  std::vector<std::string> notes;                  // likewise; "" for none
  std::vector<std::vector<Frames>> frames;         // per module, per offset of the request
  std::vector<std::vector<VariablePlace>> places;  // per module, per place of the request
};

HelperResponse DecodeResponse(std::string_view bytes, const HelperRequest& request);

}  // namespace heapgauge::symbolize

#endif  // HEAPGAUGE_SYMBOLIZE_HELPER_PROTOCOL_H_
