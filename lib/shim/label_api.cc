// heapgauge.h's labels and calls: this thread's state here, the rest by thunks to the core.
#include <cstddef>

#include "core_api/label_context.h"
#include "heapgauge/heapgauge.h"
#include "shim/core_loader.h"
#include "shim/thread_state.h"

using namespace heapgauge;  // NOLINT: the functions are C

namespace {

constexpr heapgauge_scope kNoScope{};

}  // namespace

extern "C" {

HG_EXPORT heapgauge_label_id heapgauge_label(const char* key, const char* value) {
  const CoreApi* const core = Core();
  return core != nullptr ? core->label(key, value) : 0;
}

HG_EXPORT heapgauge_scope heapgauge_push_label(heapgauge_label_id label) {
  const CoreApi* const core = Core();
  return core != nullptr ? core->push_label(&ThisThread(), label) : kNoScope;
}

HG_EXPORT void heapgauge_pop_label(heapgauge_scope scope) { CloseScope(ThisThread(), scope); }

HG_EXPORT heapgauge_context heapgauge_capture_context(void) { return {ContextBits(ThisThread())}; }

HG_EXPORT heapgauge_scope heapgauge_enter_context(heapgauge_context context) {
  // Without a core nothing ever has labels.
  if (Core() == nullptr) return kNoScope;
  return OpenScope(ThisThread(), static_cast<uint16_t>(context.opaque),
                   static_cast<uint16_t>(context.opaque >> 16));
}

HG_EXPORT heapgauge_scope heapgauge_begin_call(const char* peer) {
  const CoreApi* const core = Core();
  return core != nullptr ? core->begin_call(&ThisThread(), peer) : kNoScope;
}

HG_EXPORT size_t heapgauge_call_baggage(const char* baggage, char* out, size_t room) {
  const CoreApi* const core = Core();
  if (core != nullptr) return core->call_baggage(&ThisThread(), baggage, out, room);
  if (out != nullptr && room > 0) *out = '\0';
  return 0;
}

HG_EXPORT size_t heapgauge_call_header(char* out, size_t room) {
  return heapgauge_call_baggage(nullptr, out, room);
}

HG_EXPORT heapgauge_scope heapgauge_accept_call(const char* baggage, int* depth) {
  if (depth != nullptr) *depth = 0;
  const CoreApi* const core = Core();
  return core != nullptr ? core->accept_call(&ThisThread(), baggage, depth) : kNoScope;
}

}  // extern "C"
