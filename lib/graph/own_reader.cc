#include "graph/own_reader.h"

#include <errno.h>
#include <sys/auxv.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstring>

#include "base/raw_syscall.h"

namespace heapgauge {
namespace {

// Of a word of /proc/thread-self/pagemap: in memory, in the swap.
constexpr uint64_t kPresent = uint64_t{1} << 63;
constexpr uint64_t kSwapped = uint64_t{1} << 62;

iovec Vector(uintptr_t address, size_t bytes) noexcept {
  return {reinterpret_cast<void*>(address), bytes};  // NOLINT: an address of any memory
}

}  // namespace

long OwnReader::ReadVector(const iovec* to, const iovec* from, size_t from_count) const noexcept {
  // By the number of this thread: the first one, whose number is the process's, may have left.
  const pid_t pid = copy_ != 0 ? copy_ : gettid();
  return RawSyscall(SYS_process_vm_readv, pid, to, 1, from, from_count, 0);
}

bool OwnReader::Works() noexcept {
  broken_ = false;
  const uint64_t known = 0x6865617067617567;
  uint64_t copy = 0;
  return Copy(reinterpret_cast<uintptr_t>(&known), sizeof(known), &copy) == sizeof(known) &&
         copy == known && !broken_;
}

void OwnReader::Begin() noexcept {
  for (Window& window : windows_) window.first_page = 0;
  char path[32] = "/proc/thread-self/pagemap";
  if (copy_ != 0) std::snprintf(path, sizeof(path), "/proc/%d/pagemap", copy_);
  pagemap_ = Descriptor::OpenToRead(path);
  // Its words are of the kernel's pages: where these are larger (AArch64 may have 64 KiB) nothing is
  // looked for.
  if (!pagemap_->valid() || getauxval(AT_PAGESZ) != kPage) broken_ = true;
}

const OwnReader::Window& OwnReader::WindowOf(uintptr_t page) noexcept {
  const uintptr_t first = page / kWindowPages * kWindowPages;
  Window& window = windows_[first / kWindowPages % kWindows];
  if (window.first_page == first && first != 0) return window;
  window.first_page = first;
  for (uint64_t& word : window.resident) word = 0;
  const auto note = [&](size_t i) { window.resident[i / 64] |= uint64_t{1} << (i % 64); };
  uint64_t words[kWindowPages];
  const ssize_t got = pagemap_ ? pread(pagemap_->get(), words, sizeof(words),
                                       static_cast<off_t>(first * sizeof(uint64_t)))
                               : -1;
  if (got < 0) broken_ = true;
  const size_t count = got > 0 ? static_cast<size_t>(got) / sizeof(uint64_t) : 0;
  for (size_t i = 0; i < count; ++i) {
    if ((words[i] & kPresent) != 0) note(i);
    if ((words[i] & (kPresent | kSwapped)) == kSwapped) ++swapped_;
  }
  return window;
}

void OwnReader::Forget(uintptr_t address) noexcept {
  windows_[address / kPage / kWindowPages % kWindows].first_page = 0;
}

bool OwnReader::IsResident(uintptr_t page) noexcept {
  const size_t i = page % kWindowPages;
  return (WindowOf(page).resident[i / 64] >> (i % 64) & 1) != 0;
}

uintptr_t OwnReader::NextResident(uintptr_t begin, uintptr_t end) noexcept {
  for (uintptr_t page = begin / kPage; page * kPage < end;) {
    const Window& window = WindowOf(page);
    const uint64_t rest = window.resident[page % kWindowPages / 64] >> (page % 64);
    if (rest != 0) {
      page += static_cast<uintptr_t>(__builtin_ctzll(rest));
      return std::min(end, std::max(begin, page * kPage));
    }
    page = (page / 64 + 1) * 64;
  }
  return end;
}

size_t OwnReader::Copy(uintptr_t from, size_t bytes, void* to) noexcept {
  const iovec local = {to, bytes};
  const iovec remote = Vector(from, bytes);
  const long got = ReadVector(&local, &remote, 1);
  if (got < 0 && got != -EFAULT) broken_ = true;
  const size_t copied = got > 0 ? static_cast<size_t>(got) : 0;
  bytes_read_ += copied;
  return copied;
}

bool OwnReader::Read(uintptr_t from, size_t bytes, void* to) noexcept {
  char* const out = static_cast<char*>(to);
  const uintptr_t end = from + bytes;
  bool any = false;
  for (uintptr_t at = from; at < end;) {
    const uintptr_t begin = NextResident(at, end);
    std::memset(out + (at - from), 0, begin - at);
    uintptr_t run = begin;
    while (run < end && IsResident(run / kPage)) run = std::min(end, (run / kPage + 1) * kPage);
    const size_t copied = run > begin ? Copy(begin, run - begin, out + (begin - from)) : 0;
    std::memset(out + (begin - from) + copied, 0, run - begin - copied);
    any = any || copied > 0;
    // What could not be copied was taken away: the rest of the run page by page.
    at = copied == run - begin ? run : std::min(run, ((begin + copied) / kPage + 1) * kPage);
  }
  return any;
}

void OwnReader::Gather(const Piece* pieces, size_t count, void* to) noexcept {
  iovec remote[kMostPieces];
  size_t whole = 0;
  bool all = count <= kMostPieces;
  for (size_t i = 0; i < count && all; ++i) {
    remote[i] = Vector(pieces[i].from, pieces[i].bytes);
    whole += pieces[i].bytes;
    const uintptr_t last = (pieces[i].from + pieces[i].bytes - 1) / kPage;
    for (uintptr_t page = pieces[i].from / kPage; page <= last && all; ++page) {
      all = IsResident(page);
    }
  }
  if (all) {
    const iovec local = {to, whole};
    const long got = ReadVector(&local, remote, count);
    if (got == static_cast<long>(whole)) {
      bytes_read_ += whole;
      return;
    }
  }
  char* out = static_cast<char*>(to);
  for (size_t i = 0; i < count; ++i) {
    Read(pieces[i].from, pieces[i].bytes, out);
    out += pieces[i].bytes;
  }
}

}  // namespace heapgauge
