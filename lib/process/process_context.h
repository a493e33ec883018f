// OpenTelemetry's process context: what the program publishes of itself, in a mapping named
// OTEL_CTX.  Of it only the names are read that stand behind the numbers of a thread's attributes
// (labels/thread_context.h).
// https://github.com/open-telemetry/opentelemetry-specification/blob/main/oteps/profiles/4719-process-ctx.md
//
// Nothing in it is believed.  Report thread only; every page is asked about before it is touched.
#ifndef HEAPGAUGE_PROCESS_PROCESS_CONTEXT_H_
#define HEAPGAUGE_PROCESS_PROCESS_CONTEXT_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace heapgauge {

// The names by their number, of a payload: threadlocal.attribute_key_map, at most 256 and cut at 64
// bytes each.  Empty: it has none, or is damaged.
std::vector<std::string> ParseAttributeNames(std::string_view payload);

class ProcessContext final {
 public:
  static constexpr size_t kMostPayloadBytes = size_t{256} * 1024;

  ProcessContext() = default;
  ProcessContext(const ProcessContext&) = delete;
  ProcessContext& operator=(const ProcessContext&) = delete;

  // Reads what has been published since; what is damaged or being written changes nothing.  True
  // when there are other names than before.
  bool Refresh();
  const std::vector<std::string>& names() const noexcept { return names_; }

 private:
  struct Header {
    char signature[8];
    uint32_t version;
    uint32_t payload_bytes;
    uint64_t published_ns;  // 0: it is being written
    uint64_t payload;
  };
  static_assert(sizeof(Header) == 32, "as it lies in memory");

  // False: there is no context.
  static bool ReadHeader(uintptr_t at, Header* header) noexcept;
  uintptr_t Find();
  bool ReadAt(uintptr_t at);

  uintptr_t at_ = 0;  // 0: not found
  uint64_t published_ns_ = 0;
  bool changed_ = false;
  std::vector<std::string> names_;
};

}  // namespace heapgauge

#endif  // HEAPGAUGE_PROCESS_PROCESS_CONTEXT_H_
