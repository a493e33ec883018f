// The frames of a stack.  A value like a vector, but copies share what they hold until one of them
// is edited: call sites show the stacks of sites, and a report those of the report before it.
//
// As thread-safe as a vector, except that copies of a list that Keep() was called on belong to one
// thread: writers leave their texts with it.
#ifndef HEAPGAUGE_REPORT_FRAME_LIST_H_
#define HEAPGAUGE_REPORT_FRAME_LIST_H_

#include <cstddef>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "symbolize/frame.h"

namespace heapgauge {

class FrameList final {
 public:
  using value_type = Frame;
  using Frames = std::vector<Frame>;

  FrameList() = default;
  FrameList(Frames frames) {  // NOLINT(google-explicit-constructor): one is as good as the other
    if (!frames.empty()) shared_ = std::make_shared<Shared>(std::move(frames));
  }
  FrameList(std::initializer_list<Frame> frames) : FrameList(Frames(frames)) {}

  const Frames& get() const { return shared_ != nullptr ? shared_->frames : None(); }
  operator const Frames&() const { return get(); }           // NOLINT: as above
  operator std::span<const Frame>() const { return get(); }  // NOLINT: as above
  size_t size() const { return get().size(); }
  bool empty() const { return shared_ == nullptr || shared_->frames.empty(); }
  const Frame& operator[](size_t i) const { return get()[i]; }
  const Frame& at(size_t i) const { return get().at(i); }
  const Frame& front() const { return get().front(); }
  const Frame& back() const { return get().back(); }
  auto begin() const { return get().begin(); }
  auto end() const { return get().end(); }
  auto rbegin() const { return get().rbegin(); }
  auto rend() const { return get().rend(); }
  bool operator==(const FrameList& other) const {
    return shared_ == other.shared_ || get() == other.get();
  }

  // Of this list alone from now on.
  Frames& Edit() {
    if (shared_ == nullptr || shared_.use_count() > 1 || shared_->kept) {
      shared_ = std::make_shared<Shared>(get());
    }
    return shared_->frames;
  }

  // It will be shown again: what writers make of it is worth its memory.
  void Keep() {
    if (shared_ != nullptr) shared_->kept = true;
  }
  bool is_kept() const { return shared_ != nullptr && shared_->kept; }
  // What tells kept lists apart; valid while a copy lives.
  const void* identity() const { return shared_.get(); }
  // Of a kept list: its text as JSON, empty until somebody has made it.  Else nullptr.
  std::string* kept_json() const { return is_kept() ? &shared_->json : nullptr; }

 private:
  struct Shared {
    explicit Shared(Frames given) : frames(std::move(given)) {}
    Frames frames;
    bool kept = false;
    std::string json;
  };

  static const Frames& None() {
    static const Frames& none = *new Frames;  // never destroyed: the process's end asks, too
    return none;
  }

  std::shared_ptr<Shared> shared_;
};

}  // namespace heapgauge

#endif  // HEAPGAUGE_REPORT_FRAME_LIST_H_
