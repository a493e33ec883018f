// The call that `heapgauge attach` makes inside the process, on a thread of its own.
#include <cstring>

#include "base/macros.h"
#include "core_api/attach_request.h"
#include "heapgauge/heapgauge.h"
#include "shim/core_loader.h"
#include "shim/thread_state.h"

namespace heapgauge {
namespace {

constexpr size_t kMostSettings = 64;  // there are 17 variables

void Say(AttachRequest* request, const char* text) noexcept {
  strncpy(request->text, text, sizeof(request->text) - 1);
}

AttachResult Refused(AttachRequest* request, const char* text) noexcept {
  Say(request, *text != '\0' ? text : "the library in it has stepped aside");
  return AttachResult::kRefused;
}

bool LoadCoreFor(AttachRequest* request) noexcept {
  const char* settings[kMostSettings + 1] = {};
  const char* at = request->settings;
  for (size_t count = 0; *at != '\0' && count < kMostSettings; ++count) {
    settings[count] = at;
    at += strlen(at) + 1;
  }
  return StartLate(settings);
}

AttachResult Steer(AttachRequest* request) noexcept {
  if (Core() == nullptr) {
    if (request->action == AttachAction::kStop) return Refused(request, "it is not tracked");
    // Once: what was wrong then is wrong still.
    if (*g_aside_reason != '\0') return Refused(request, g_aside_reason);
    if (g_stepped_aside.load(std::memory_order_relaxed) || !LoadCoreFor(request)) {
      return Refused(request, g_aside_reason);
    }
  } else if (request->action == AttachAction::kStart && request->sample_interval != 0) {
    heapgauge_set_sample_interval(request->sample_interval);
  }
  if (request->action == AttachAction::kStop) {
    heapgauge_stop();
  } else if (heapgauge_start() != HEAPGAUGE_OK) {
    return Refused(request, "the tracker did not start");
  }
  // A report now: where it went is where all will go, and that it can be written is known.
  const bool written = heapgauge_write_report() == HEAPGAUGE_OK;
  const char* const directory = heapgauge_report_directory();
  if (directory != nullptr) Say(request, directory);
  return written && directory != nullptr ? AttachResult::kDone : AttachResult::kNoReport;
}

}  // namespace
}  // namespace heapgauge

extern "C" HG_EXPORT int32_t heapgauge_attach(heapgauge::AttachRequest* request) {
  using namespace heapgauge;  // NOLINT: one function
  ThreadState& self = ThisThread();
  AttachResult result;
  if (request->version != kAttachVersion || request->bytes != sizeof(AttachRequest)) {
    // No place is known to say more.
    result = AttachResult::kRefused;
  } else {
    result = Steer(request);
  }
  self.exempt = true;  // this thread is ours and about to end
  self.sampler.Exempt();
  return static_cast<int32_t>(result);
}
