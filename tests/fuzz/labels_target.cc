// What comes from outside and is read inside a host for its labels: a baggage header, the attributes
// of a thread's context, the names in the process's.  The first byte says which.
#include <cstdlib>
#include <memory>
#include <string>

#include "core_api/label_context.h"
#include "labels/baggage.h"
#include "labels/labels.h"
#include "labels/thread_context.h"
#include "process/process_context.h"
#include "target.h"

namespace heapgauge::fuzz {
namespace {

constexpr size_t kMiB = size_t{1} << 20;

Bytes Seed(char kind, const std::string& text) {
  const std::string whole = kind + text;
  return {whole.begin(), whole.end()};
}

}  // namespace

void RunTarget(const uint8_t* data, size_t size) {
  static PageArena arena(16 * kMiB);
  static Labels& labels = []() -> Labels& {
    Labels& made = *new Labels;
    made.Initialize(arena, 16 * kMiB);
    made.SetService("auth");
    return made;
  }();
  static ThreadContext& context = *new ThreadContext(labels);
  if (size == 0) return;
  const Guarded bytes(data + 1, size - 1);
  const std::string text(bytes.begin(), bytes.end());
  if (data[0] == 'c') {
    if (context.WithAttributes(0, bytes.begin(), size - 1) > labels.last_set()) std::abort();
  } else if (data[0] == 'p') {
    if (ParseAttributeNames({reinterpret_cast<const char*>(bytes.begin()), size - 1}).size() >
        256) {
      std::abort();
    }
  } else {
    ThreadState self;
    int depth = -1;
    const heapgauge_scope request = labels.AcceptCall(self, text.c_str(), &depth);
    if (depth < 0 || depth > static_cast<int>(kMostPathNames)) std::abort();
    const heapgauge_scope call = labels.BeginCall(self, text.c_str());
    char room[kMostBaggageBytes + 1];
    const size_t length = labels.CallBaggage(self, text.c_str(), room, sizeof room);
    if (length < sizeof room && std::char_traits<char>::length(room) > length) std::abort();
    CloseScope(self, call);
    CloseScope(self, request);
    if (self.labels != 0 || self.scopes != 0) std::abort();
  }
}

std::vector<Bytes> Seeds() {
  return {Seed('b', "user=7;p=1, heapgauge-path=1:gateway/auth/session , z=%20"),
          Seed('b', "heapgauge-path=1:auth/session/auth/session/auth"),
          Seed('b', "heapgauge-path=2:auth,heapgauge-path=1:a~20b%2fauth"),
          Seed('c', std::string("\1\2/a\2\4blue\1\0", 12)),
          Seed('p', std::string("\x12\x2b\x0a\x1dthreadlocal.attribute_key_map"
                                "\x12\x0a\x2a\x08\x0a\x06\x0a\x04name"))};
}

}  // namespace heapgauge::fuzz
