// Frames found before, so that a steady report starts no helper and opens no file.
//
// Texts are kept once however many frames show them: the same inlined functions and files come
// again and again, and C++ names run to hundreds of bytes.
//
// Bounded by bytes: two generations, each half the limit.  New and re-used answers go to the young
// one; when that is full it becomes the old one, and what was in the old one and not used since is
// forgotten.  A report that shows the same sites again keeps them all.
#ifndef HEAPGAUGE_SYMBOLIZE_FRAME_CACHE_H_
#define HEAPGAUGE_SYMBOLIZE_FRAME_CACHE_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "symbolize/frame.h"

namespace heapgauge::symbolize {

class FrameCache final {
 public:
  struct Answer {
    // Function, file, line, inlined, verbatim; module and offset are left to whoever asks.
    std::vector<Frame> frames;
    // True for names that had to do because the helper could not be asked: to be asked again.
    bool provisional = false;
  };

  // 1500 addresses in template-heavy C++ with six frames each take 2 MiB, in C a quarter of that; a
  // report of 50 sites shows some 500.
  static constexpr size_t kDefaultLimitBytes = size_t{8} * 1024 * 1024;
  static constexpr size_t kMaxAddresses = size_t{64} * 1024;

  explicit FrameCache(size_t limit_bytes = kDefaultLimitBytes) : limit_bytes_(limit_bytes) {}

  // `module`: its build-id, or its path where it has none.
  std::optional<Answer> Find(const std::string& module, uint64_t offset);
  void Store(const std::string& module, uint64_t offset, const Answer& answer);

  size_t bytes() const { return young_.bytes + old_.bytes; }

 private:
  struct StoredFrame {
    const std::string* function;
    const std::string* file;  // null: none
    std::optional<uint32_t> line;
    bool inlined;
    FlagIfSet verbatim;
  };
  struct Entry {
    std::vector<StoredFrame> frames;
    bool provisional = false;
  };
  struct Generation {
    std::unordered_map<std::string, std::unordered_map<uint64_t, Entry>> modules;
    std::unordered_set<std::string> texts;  // nodes stay where they are: frames point at them
    size_t bytes = 0;
    size_t addresses = 0;

    const std::string* Keep(const std::string& text);
    const Entry* Find(const std::string& module, uint64_t offset) const;
  };

  const size_t limit_bytes_;
  Generation young_;
  Generation old_;
};

}  // namespace heapgauge::symbolize

#endif  // HEAPGAUGE_SYMBOLIZE_FRAME_CACHE_H_
