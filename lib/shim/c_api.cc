// heapgauge.h: thunks to the core.
#include <cstddef>

#include "heapgauge/heapgauge.h"
#include "shim/core_loader.h"
#include "shim/next_allocator.h"
#include "shim/thread_state.h"

using namespace heapgauge;  // NOLINT: the functions are C

#define HG_STRING2(x) #x
#define HG_STRING(x) HG_STRING2(x)

extern "C" {

HG_EXPORT const char* heapgauge_version(void) {
  return HG_STRING(HEAPGAUGE_VERSION_MAJOR) "." HG_STRING(HEAPGAUGE_VERSION_MINOR) "." HG_STRING(
      HEAPGAUGE_VERSION_PATCH);
}

HG_EXPORT const char* heapgauge_status_text(heapgauge_status status) {
  switch (status) {
    case HEAPGAUGE_OK:
      return "ok";
    case HEAPGAUGE_NOT_AVAILABLE:
      return "tracking is not available in this process";
    case HEAPGAUGE_BAD_ARGUMENT:
      return "bad argument";
    case HEAPGAUGE_NO_MEMORY:
      return "out of memory";
    case HEAPGAUGE_IO_ERROR:
      return "the report could not be written";
  }
  return "unknown status";
}

HG_EXPORT heapgauge_status heapgauge_start(void) {
  const CoreApi* const core = Core();
  return core != nullptr ? core->start() : HEAPGAUGE_NOT_AVAILABLE;
}

HG_EXPORT heapgauge_status heapgauge_stop(void) {
  const CoreApi* const core = Core();
  return core != nullptr ? core->stop() : HEAPGAUGE_NOT_AVAILABLE;
}

HG_EXPORT int heapgauge_is_running(void) {
  // relaxed: an answer that may be old as soon as it is given.
  const bool on =
      Core() != nullptr && g_hot.control.recording.load(std::memory_order_relaxed) == Control::kOn;
  return on ? 1 : 0;
}

HG_EXPORT heapgauge_status heapgauge_set_sample_interval(uint64_t bytes) {
  const CoreApi* const core = Core();
  return core != nullptr ? core->set_interval(bytes) : HEAPGAUGE_NOT_AVAILABLE;
}

HG_EXPORT uint64_t heapgauge_get_sample_interval(void) {
  // relaxed: as above.
  return Core() != nullptr ? g_hot.control.interval_bytes.load(std::memory_order_relaxed) : 0;
}

HG_EXPORT heapgauge_status heapgauge_take_snapshot(heapgauge_snapshot* out, size_t max_sites) {
  if (out == nullptr || out->size != sizeof(heapgauge_snapshot)) return HEAPGAUGE_BAD_ARGUMENT;
  *out = heapgauge_snapshot{};
  out->size = sizeof(heapgauge_snapshot);
  const CoreApi* const core = Core();
  return core != nullptr ? core->take_snapshot(out, max_sites) : HEAPGAUGE_NOT_AVAILABLE;
}

HG_EXPORT void heapgauge_snapshot_free(heapgauge_snapshot* snapshot) {
  const CoreApi* const core = Core();
  if (snapshot != nullptr && core != nullptr) core->free_snapshot(snapshot);
}

HG_EXPORT heapgauge_status heapgauge_write_report(void) {
  const CoreApi* const core = Core();
  return core != nullptr ? core->write_report() : HEAPGAUGE_NOT_AVAILABLE;
}

HG_EXPORT heapgauge_status heapgauge_find_holders(void) {
  const CoreApi* const core = Core();
  return core != nullptr ? core->find_holders() : HEAPGAUGE_NOT_AVAILABLE;
}

HG_EXPORT const char* heapgauge_report_directory(void) {
  const CoreApi* const core = Core();
  return core != nullptr ? core->report_directory() : nullptr;
}

}  // extern "C"
