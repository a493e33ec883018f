// heapgauge in C++: a thin, header-only face on the C API (heapgauge.h), for C++17 and later.
//
//   heapgauge::Snapshot snapshot;
//   if (heapgauge::TakeSnapshot(snapshot, 10) == heapgauge::Status::kOk) {
//     for (const heapgauge::Site& site : snapshot.sites()) Log(site.live_bytes, site.frames[0]);
//   }
//
// Nothing here throws, allocates, or holds state besides what it shows, so a program may be built
// with -fno-exceptions and its parts with different language levels.  Estimates are unbiased; with
// a sample interval of 1 byte they are exact.
//
// Threads  every call may come from any thread, none from a signal handler, unless it says so.
//          One Snapshot object is for one thread at a time.
// Errors   a Status; no call throws, ends the process or changes errno.
#ifndef HEAPGAUGE_HEAPGAUGE_HPP
#define HEAPGAUGE_HEAPGAUGE_HPP

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

#include "heapgauge/heapgauge.h"

namespace heapgauge {

// Look at it: a status that nobody reads hides that nothing is being tracked.
enum class Status {
  kOk = HEAPGAUGE_OK,
  kNotAvailable = HEAPGAUGE_NOT_AVAILABLE,  // the tracker stepped aside: core missing, ...
  kBadArgument = HEAPGAUGE_BAD_ARGUMENT,    // out of its range; nothing was changed
  kNoMemory = HEAPGAUGE_NO_MEMORY,          // the answer did not fit; the output is empty
  kIoError = HEAPGAUGE_IO_ERROR,            // the report could not be written
};

/// The meaning of a status in a few words.
inline const char* StatusText(Status status) noexcept {
  return heapgauge_status_text(static_cast<heapgauge_status>(status));
}

/// Version of the library that is loaded, which may be newer than this header.
/// Shape    "0.1.0".
/// Threads  Any; also in a signal handler.
inline std::string_view Version() noexcept { return heapgauge_version(); }

/// Starts or resumes sampling.  Already running unless HEAPGAUGE_START=off.
/// Errors   kNotAvailable.
[[nodiscard]] inline Status Start() noexcept { return static_cast<Status>(heapgauge_start()); }

/// Stops sampling new allocations.  Frees of sampled blocks are still seen, so figures stay right.
/// Errors   kNotAvailable.
[[nodiscard]] inline Status Stop() noexcept { return static_cast<Status>(heapgauge_stop()); }

inline bool IsRunning() noexcept { return heapgauge_is_running() != 0; }

/// Sets the mean distance between samples.
/// Shape    bytes: 1 (every allocation, exactly) .. 2^40 [byte].
/// Errors   kBadArgument outside that range; kNotAvailable.
/// Threads  The calling thread changes at once, every other one after the gap it has drawn already.
///          Estimates stay unbiased through the change.
[[nodiscard]] inline Status SetSampleInterval(std::uint64_t bytes) noexcept {
  return static_cast<Status>(heapgauge_set_sample_interval(bytes));
}

/// Shape    The interval in force [byte]; 0 when the tracker stepped aside.
inline std::uint64_t SampleInterval() noexcept { return heapgauge_get_sample_interval(); }

/// Writes a report into the report directory and returns when it is there.
/// Errors   kIoError (also counted in the next report), kNotAvailable.
/// Threads  Any; the caller waits for the report thread.
[[nodiscard]] inline Status FindHolders() noexcept {
  return static_cast<Status>(heapgauge_find_holders());
}

[[nodiscard]] inline Status WriteReport() noexcept {
  return static_cast<Status>(heapgauge_write_report());
}

/// Shape    The report directory; empty before the first report made it.  Valid to the end.
inline std::string_view ReportDirectory() noexcept {
  const char* const directory = heapgauge_report_directory();
  return directory == nullptr ? std::string_view() : std::string_view(directory);
}

using Site = heapgauge_site;

// A read-only row of things that somebody else owns.  A contiguous range, so std::span<const T> can
// be made of it; not std::span itself, so that C++17 and C++20 parts of one program see the same
// type.
template <typename T>
class View final {
 public:
  using value_type = T;
  using const_iterator = const T*;
  using iterator = const_iterator;

  constexpr View() noexcept = default;
  constexpr View(const T* data, std::size_t size) noexcept : data_(data), size_(size) {}

  constexpr const T* data() const noexcept { return data_; }
  constexpr std::size_t size() const noexcept { return size_; }
  constexpr bool empty() const noexcept { return size_ == 0; }
  constexpr const T* begin() const noexcept { return data_; }
  constexpr const T* end() const noexcept { return data_ + size_; }
  constexpr const T& operator[](std::size_t i) const noexcept { return data_[i]; }

 private:
  const T* data_ = nullptr;
  std::size_t size_ = 0;
};

using SiteView = View<Site>;
using FrameView = View<void*>;

/// The return addresses of a site.
/// Shape    0 .. HEAPGAUGE_MAX_FRAMES addresses, innermost first, not symbolized; valid as long as
///          the snapshot.
inline FrameView Frames(const Site& site) noexcept { return {site.frames, site.frame_count}; }

// The sampled live heap at about one moment, released when it goes out of scope.  Moves only.
class Snapshot final {
 public:
  Snapshot() noexcept { Clear(); }
  ~Snapshot() { heapgauge_snapshot_free(&raw_); }
  Snapshot(const Snapshot&) = delete;
  Snapshot& operator=(const Snapshot&) = delete;
  Snapshot(Snapshot&& other) noexcept : raw_(other.raw_) { other.Clear(); }
  Snapshot& operator=(Snapshot&& other) noexcept {
    std::swap(raw_, other.raw_);
    return *this;
  }

  /// Most live bytes first; valid until the snapshot is taken anew, moved from or destroyed.
  SiteView sites() const noexcept { return {raw_.sites, raw_.site_count}; }

  /// Totals over all sites, also those beyond max_sites [byte, count].
  double live_bytes() const noexcept { return raw_.live_bytes; }
  double live_bytes_stderr() const noexcept { return raw_.live_bytes_stderr; }
  double live_objects() const noexcept { return raw_.live_objects; }
  double allocated_bytes() const noexcept { return raw_.allocated_bytes; }
  double freed_bytes() const noexcept { return raw_.freed_bytes; }
  double allocated_objects() const noexcept { return raw_.allocated_objects; }
  double freed_objects() const noexcept { return raw_.freed_objects; }

  std::uint64_t interval_bytes() const noexcept { return raw_.interval_bytes; }
  std::uint64_t samples() const noexcept { return raw_.samples; }
  std::uint64_t live_samples() const noexcept { return raw_.live_samples; }
  /// Samples that found no room under HEAPGAUGE_MEMORY_LIMIT; above 0 the estimates are too low.
  std::uint64_t dropped_samples() const noexcept { return raw_.dropped_samples; }

 private:
  friend Status TakeSnapshot(Snapshot& out, std::size_t max_sites) noexcept;

  void Clear() noexcept {
    raw_ = heapgauge_snapshot();
    raw_.size = sizeof raw_;
  }

  heapgauge_snapshot raw_;
};

/// Copies the sampled live heap, grouped by call site, into `out`; its earlier content is released.
/// Shape    out.sites(): 0 .. max_sites rows, most live bytes first.  Totals cover every site.
/// Errors   kNotAvailable, kNoMemory; `out` is then empty.
/// Threads  Any; not in a signal handler.  Allocation goes on meanwhile: each row is consistent,
///          the set is not one instant.
[[nodiscard]] inline Status TakeSnapshot(Snapshot& out, std::size_t max_sites) noexcept {
  heapgauge_snapshot_free(&out.raw_);
  out.Clear();
  const auto status = static_cast<Status>(heapgauge_take_snapshot(&out.raw_, max_sites));
  if (status != Status::kOk) out.Clear();
  return status;
}

// Samples while it is in scope, for a program that is loaded with HEAPGAUGE_START=off and wants to
// look at one part of itself.  Leaves tracking on when it was on before.  Not nestable across
// threads: the switch is process-wide.
class ScopedTracking final {
 public:
  ScopedTracking() noexcept : was_running_(IsRunning()), status_(Start()) {}
  ~ScopedTracking() {
    if (!was_running_) static_cast<void>(Stop());
  }
  ScopedTracking(const ScopedTracking&) = delete;
  ScopedTracking& operator=(const ScopedTracking&) = delete;

  Status status() const noexcept { return status_; }

 private:
  const bool was_running_;
  const Status status_;
};

using Label = heapgauge_label_id;  // 0: no label

/// The number of a label, for all of the process's life.  Keep it where it is needed again.
/// Shape    key: 1 .. 64 bytes, value: 0 .. 256 bytes; what is longer is cut.
inline Label MakeLabel(const char* key, const char* value) noexcept {
  return heapgauge_label(key, value);
}

// What is open on this thread while the object lives.  Neither copied nor moved: a scope belongs to
// the thread and the block that opened it.
class Scope {
 public:
  ~Scope() { heapgauge_pop_label(scope_); }
  Scope(const Scope&) = delete;
  Scope& operator=(const Scope&) = delete;

 protected:
  explicit Scope(heapgauge_scope scope) noexcept : scope_(scope) {}

 private:
  const heapgauge_scope scope_;
};

// What this thread allocates meanwhile has the label.
class ScopedLabel final : public Scope {
 public:
  explicit ScopedLabel(Label label) noexcept : Scope(heapgauge_push_label(label)) {}
  ScopedLabel(const char* key, const char* value) noexcept : ScopedLabel(MakeLabel(key, value)) {}
};

// What this thread allocates meanwhile is memory in flight for a call to `peer`.
class ScopedCall final : public Scope {
 public:
  explicit ScopedCall(const char* peer) noexcept : Scope(heapgauge_begin_call(peer)) {}
};

// A request that came in, with its baggage header (nullptr: none).
class ScopedRequest final : public Scope {
 public:
  explicit ScopedRequest(const char* baggage) noexcept : ScopedRequest(baggage, 0) {}

  /// How often this service is on the request's path already; > 0 is a circle.
  int depth() const noexcept { return depth_; }

 private:
  ScopedRequest(const char* baggage, int depth) noexcept
      : Scope(heapgauge_accept_call(baggage, &depth)), depth_(depth) {}

  const int depth_;
};

// Labels and path of the work at hand, to go on with it elsewhere: kept in a coroutine's promise or
// beside a pool's task, and entered whenever a thread takes the work up.
class Context final {
 public:
  Context() noexcept : raw_(heapgauge_capture_context()) {}

 private:
  friend class ScopedContext;
  heapgauge_context raw_;
};

// Takes up work until the object goes: before the work is suspended or handed on again.
class ScopedContext final : public Scope {
 public:
  explicit ScopedContext(Context context) noexcept : Scope(heapgauge_enter_context(context.raw_)) {}
};

}  // namespace heapgauge

#endif  // HEAPGAUGE_HEAPGAUGE_HPP
