// Addresses to functions, files and lines, outside the host process.
//
// Used by the report thread and by the command; never inside a hook.  Not thread-safe: one thread,
// or one lock, per Symbolizer.  Needs 256 KiB of stack (the demangler's).
#ifndef HEAPGAUGE_SYMBOLIZE_SYMBOLIZER_H_
#define HEAPGAUGE_SYMBOLIZE_SYMBOLIZER_H_

#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/content_hash.h"
#include "symbolize/frame.h"

namespace heapgauge {

// An address in a module's own ELF address space: the run-time address minus the load bias.  For a
// return address the caller has already subtracted one, so that it lies inside the call.
struct ModuleAddress {
  std::string module;    // path; "" if no module covered the address
  std::string build_id;  // hex; "" if the module has none
  uint64_t offset = 0;
  // Where there is no build-id: a file that begins otherwise gives no names.
  FileHead head = {};
};

enum class SymbolizeMode : uint8_t {
  kLines,  // function, file, line, inlined frames: by the helper, which reads DWARF with libdw
  kNames,  // function: in-process, from the symbol tables (.symtab, .dynsym)
  kOff,    // module and offset only
};

class Symbolizer final {
 public:
  struct Options {
    SymbolizeMode mode = SymbolizeMode::kLines;
    std::string helper;  // absolute path of the heapgauge command; empty: found beside this library
    std::string debug_root = "/usr/lib/debug";  // where separate debug files are
    // For one call in all.  A cold 200-address report takes some 0.2 s; this leaves room for debug
    // information of gigabytes, yet ends before a supervisor's usual stop timeout does.
    std::chrono::milliseconds helper_limit{10'000};
  };

  // `helper` is the path of the heapgauge command; empty: found beside this library.
  explicit Symbolizer(SymbolizeMode mode, std::string helper = {});
  explicit Symbolizer(Options options);
  ~Symbolizer();
  Symbolizer(const Symbolizer&) = delete;
  Symbolizer& operator=(const Symbolizer&) = delete;

  // Frames for each address, in the order given; each entry holds at least one frame, innermost
  // first, the last of them not inlined.  Never fails: what can't be named keeps module and offset.
  // (Only when memory is exhausted is the result empty.)  Results are cached by build-id (path
  // where there is none) and offset, so a steady report costs no helper.
  std::vector<std::vector<Frame>> Symbolize(std::span<const ModuleAddress> addresses) noexcept;

  // Of the calls from now on, where somebody waits for the answer.  Not during a call.
  void set_helper_limit(std::chrono::milliseconds limit) noexcept;

  // What readers of these frames must know of the modules' files, a sentence each: another file has
  // a module's name by now.
  std::vector<std::string> NotesOn(std::span<const ModuleAddress> addresses) const noexcept;

  // Whether the last call's answer is for good: asked again, the same.
  bool is_settled() const noexcept;

  // Why the last call that wanted the helper had to do without it, in one line; "" if it hadn't.
  // Changes seldom: worth a log line when it does.
  std::string last_problem() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace heapgauge

#endif  // HEAPGAUGE_SYMBOLIZE_SYMBOLIZER_H_
