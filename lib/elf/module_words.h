// Changing the words through which a loaded module calls others: the one place where that is done.
//
// W1  A word is changed by one aligned exchange of all of it, from the value that was judged to
//     another good one: a thread that calls through it meanwhile gets either, and a value that
//     somebody else has put there meanwhile stays.
// W2  Only words that the module's own headers declare writable.  Whoever asks has read the word:
//     nothing here finds out whether its page is still there.
// W3  Pages that the loader makes read-only are opened only when the loader is known to be done with
//     the module, for it may still be writing there while another thread is inside dlopen(): either
//     the caller knows it (code of the module has run, or dlopen() has returned), or the kernel says
//     that all of them are read-only.  They are opened when the first word in them is to change,
//     and are read-only again when the pass is over.
// W4  Nothing is ever put back, so what words are led to stays loaded as long as the process lives.
//
// Calls nothing: it runs before this library's own calls lead where they should (own_imports.h).
#ifndef HEAPGAUGE_ELF_MODULE_WORDS_H_
#define HEAPGAUGE_ELF_MODULE_WORDS_H_

#include <cstdint>

#include "base/address_range.h"
#include "elf/module_layout.h"

namespace heapgauge {

// One pass over a module's words.
class ModuleWords final {
 public:
  // True when the kernel says that all of the pages can be read and not written to.
  using AreReadOnly = bool (*)(const AddressRange& pages, void* data);
  // The caller knows that the loader is done (W3).
  static constexpr AreReadOnly kLoaderIsDone = nullptr;

  ModuleWords(const ModuleLayout& layout, uintptr_t page_bytes, AreReadOnly are_read_only,
              void* data) noexcept
      : writable_(layout.writable),
        read_only_(WholePages(layout.relro, page_bytes)),
        are_read_only_(are_read_only),
        data_(data) {}
  ~ModuleWords() { Close(); }
  ModuleWords(const ModuleWords&) = delete;
  ModuleWords& operator=(const ModuleWords&) = delete;

  // Leads the word at `at` from `seen` to `to`.  False when it may not be changed, or has another
  // value by now.
  bool Change(uintptr_t at, uintptr_t seen, uintptr_t to) noexcept;

  // A word was left because the loader may not be done, or the pages can't be opened.
  bool failed() const noexcept { return failed_; }

 private:
  bool Open(uintptr_t at) noexcept;
  void Close() noexcept;

  const AddressRange writable_;
  const AddressRange read_only_;  // whole pages
  const AreReadOnly are_read_only_;
  void* const data_;
  bool open_ = false;
  bool failed_ = false;
};

}  // namespace heapgauge

#endif  // HEAPGAUGE_ELF_MODULE_WORDS_H_
