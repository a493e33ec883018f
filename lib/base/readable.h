// Memory that may not be there: asked about before it is touched.
//
// A module's segments are pages of its file.  Once somebody cuts the file short (`cp new.so old.so`
// does so first), the pages are still mapped, and whoever touches one dies of SIGBUS; a table whose
// figures lie leads to pages that were never mapped.  The host may never touch them; so we must
// not, either.
#ifndef HEAPGAUGE_BASE_READABLE_H_
#define HEAPGAUGE_BASE_READABLE_H_

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace heapgauge {

// What is asked about at a time: no kernel has smaller pages.
inline constexpr uintptr_t kReadablePage = 4096;

// A system call filter has come that may kill for the question: nothing can be read then.
inline std::atomic<bool> g_ask_for_no_pages{false};

// Whether the eight aligned bytes around an address, and with them its page, can be read.  One
// system call, of the few that filters of threaded programs let pass.  Keeps errno, takes no lock,
// follows no symbol that the host could define.
bool IsReadable(uintptr_t address) noexcept;

// The same of every page of `bytes` bytes.
bool IsReadable(const void* from, size_t bytes) noexcept;

// Copies them where they can be read.  A page that is taken away between the question and the copy
// (less than a microsecond) is not survived.
bool CopyReadable(void* to, const void* from, size_t bytes) noexcept;

// The pages that a walk over foreign memory has asked about already.  For one walk: pages go.
class ReadablePages final {
 public:
  constexpr ReadablePages() noexcept { known_[0] = 1; }

  bool Has(const void* from, size_t bytes) noexcept {
    const uintptr_t begin = reinterpret_cast<uintptr_t>(from);
    const uintptr_t page = begin / kReadablePage;
    if (known_[PlaceOf(page)] == page && bytes != 0 &&
        bytes <= kReadablePage - begin % kReadablePage) {
      return true;
    }
    return AskForAll(begin, bytes);
  }

 private:
  static constexpr size_t kKnown = 32;

  // A module's tables are some hundred pages: two that a walk goes to in turn must not meet in one
  // place.
  static constexpr size_t PlaceOf(uintptr_t page) noexcept {
    return (page ^ (page / kKnown)) % kKnown;
  }

  bool AskForAll(uintptr_t begin, size_t bytes) noexcept {
    const uintptr_t last = begin + bytes - 1;
    if (bytes == 0 || last < begin) return bytes == 0;
    for (uintptr_t page = begin / kReadablePage;; ++page) {
      uintptr_t& known = known_[PlaceOf(page)];
      if (known != page) {
        if (!IsReadable(page * kReadablePage)) return false;
        known = page;
      }
      if (page == last / kReadablePage) return true;
    }
  }

  // 0, and 1 in the place of page 0: none yet.
  uintptr_t known_[kKnown] = {};
};

}  // namespace heapgauge

#endif  // HEAPGAUGE_BASE_READABLE_H_
