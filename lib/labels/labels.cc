#include "labels/labels.h"

#include <algorithm>
#include <cstring>

#include "base/clock.h"
#include "core_api/label_context.h"
#include "labels/baggage.h"

namespace heapgauge {
namespace {

// `text` cut at `most` bytes, not inside a character.
std::string_view Cut(std::string_view text, size_t most) noexcept {
  if (text.size() <= most) return text;
  size_t size = most;
  while (size > 0 && (static_cast<unsigned char>(text[size]) & 0xC0) == 0x80) --size;
  return text.substr(0, size > 0 ? size : most);
}

// Of a text of the program's, which may be of any length: no more is read than is kept.
std::string_view Bounded(const char* text, size_t most) noexcept {
  return text == nullptr ? std::string_view() : std::string_view(text, strnlen(text, most));
}

}  // namespace

constinit Labels Labels::instance_;

void Labels::Initialize(PageArena& arena, size_t memory_limit_bytes) noexcept {
  const size_t share = memory_limit_bytes / 64;
  keys_.Initialize(arena, share / 4, kMostKeys);
  labels_.Initialize(arena, 2 * share, kMostLabels);
  sets_.Initialize(arena, share, kMostSets);
  paths_.Initialize(arena, share / 2, kMostPaths);
  turns_.Initialize(arena, share / 8, kMostTurns);
}

ServiceName Labels::Service() const noexcept {
  return EscapeName(service_ == nullptr ? std::string_view() : service_);
}

uint16_t Labels::LabelOther() noexcept {
  CountLost();
  const uint16_t key = keys_.Find(kOther);
  const char text[] = {static_cast<char>(key), 'o', 't', 'h', 'e', 'r'};
  return key == 0 ? uint16_t{0} : labels_.Find({text, sizeof text});
}

uint16_t Labels::Label(const char* key, const char* value) noexcept {
  return Label(Bounded(key, kKeyBytes + 1), Bounded(value, kValueBytes + 1));
}

uint16_t Labels::Label(std::string_view key, std::string_view value) noexcept {
  key = Cut(key, kKeyBytes);
  value = Cut(value, kValueBytes);
  if (key.empty()) return 0;
  uint16_t index = keys_.Find(key);
  FixedText<kValueBytes + 1> text;
  const auto intern = [&](std::string_view what) {
    text.clear();
    text.Add(static_cast<char>(index));
    text.Add(what);
    return labels_.Intern(text.view());
  };
  if (index == 0) {
    // There must be an "other" of its own for each key, and one for those that find no room.
    if (key != kOther && keys_.Find(kOther) == 0) static_cast<void>(Label(kOther, kOther));
    index = keys_.Intern(key);
    if (index == 0 || intern(kOther) == 0) return LabelOther();
  }
  const uint16_t label = intern(value);
  if (label != 0) return label;
  CountLost();
  return intern(kOther);
}

std::string_view Labels::KeyOf(uint16_t label) const noexcept { return keys_.At(KeyIndex(label)); }

std::string_view Labels::ValueOf(uint16_t label) const noexcept {
  const std::string_view text = labels_.At(label);
  return text.empty() ? text : text.substr(1);
}

unsigned char Labels::KeyIndex(uint16_t label) const noexcept {
  const std::string_view text = labels_.At(label);
  return text.empty() ? 0 : static_cast<unsigned char>(text[0]);
}

uint16_t Labels::SlowWith(uint16_t set, uint16_t label) noexcept {
  if (KeyIndex(label) == 0) return set;  // no label of ours
  uint16_t after = MakeSet(set, label);
  if (after == 0) {
    CountLost();
    // The label alone says more than nothing.
    after = set != 0 ? MakeSet(0, label) : uint16_t{0};
    if (after == 0) after = set;
  }
  const uint32_t asked = (uint32_t{set} << 16) | label;
  // relaxed: B2.
  steps_[StepOf(asked)].store((uint64_t{asked} << 32) | after, std::memory_order_relaxed);
  return after;
}

uint16_t Labels::MakeSet(uint16_t set, uint16_t label) noexcept {
  const std::string_view before = sets_.At(set);
  const unsigned char key = KeyIndex(label);
  FixedText<2 * kMostOfSet> after;
  const auto add = [&after](uint16_t member) {
    const char bytes[] = {static_cast<char>(member & 0xFF), static_cast<char>(member >> 8)};
    return after.Add(std::string_view(bytes, sizeof bytes));
  };
  bool added = false;
  for (size_t i = 0; i + 1 < before.size(); i += 2) {
    const uint16_t member = MemberAt(before, i);
    const unsigned char other = KeyIndex(member);
    if (!added && other >= key) {
      if (!add(label)) return 0;
      added = true;
    }
    if (other != key && !add(member)) return 0;
  }
  if (!added && !add(label)) return 0;
  return sets_.Intern(after.view());
}

heapgauge_scope Labels::Push(ThreadState& self, uint32_t label) noexcept {
  const auto known = static_cast<uint16_t>(label <= kMostLabels ? label : 0);
  return OpenScope(self, known != 0 ? With(self.labels, known) : self.labels, self.path);
}

std::string_view Labels::PathOf(const ThreadState& self, ServiceName* own) const noexcept {
  const std::string_view path = PathAt(self.path);
  if (!path.empty()) return path;
  *own = Service();
  return own->view();
}

uint16_t Labels::CircleLabel(const CallPath& path, const CallPath::Turn& turn) noexcept {
  // Its members, each once, in the order of their names.
  std::array<std::string_view, kMostPathNames + 1> members;
  size_t count = 0;
  for (size_t i = turn.first; i + 1 < path.size(); ++i) members[count++] = path[i];
  std::sort(members.begin(), members.begin() + count);
  count =
      static_cast<size_t>(std::unique(members.begin(), members.begin() + count) - members.begin());
  FixedText<kValueBytes> text;
  for (size_t i = 0; i < count; ++i) {
    if (i > 0 && !text.Add(' ')) break;
    if (!text.Add(members[i])) break;
  }
  return Label(kCircleKey, text.view());
}

heapgauge_scope Labels::BeginCall(ThreadState& self, const char* peer) noexcept {
  const std::string_view name = Bounded(peer, kValueBytes + 1);
  if (name.empty()) return OpenScope(self, self.labels, self.path);
  uint16_t set = With(self.labels, Label(kPeerKey, name));
  // The service has been on this path before: does this call close the circle?
  if (const uint16_t depth = TurnsAt(self.path); HG_UNLIKELY(depth > 0)) {
    CallPath path;
    const ServiceName escaped = EscapeName(name);
    if (path.Read(PathAt(self.path))) path.Append(escaped.view());
    if (const CallPath::Turn turn = path.LastTurn(); turn.seen) {
      const uint16_t circle = CircleLabel(path, turn);
      circles_.Note(circle, depth, CoarseMonotonicNs());
      set = With(set, circle);
    }
  }
  return OpenScope(self, set, self.path);
}

uint16_t Labels::KeepPath(const CallPath& path, std::string_view own, size_t before) noexcept {
  PathText text;
  path.Write(&text);
  const auto note = static_cast<uint16_t>(before);
  const uint16_t known = paths_.Intern(text.view(), note);
  // A path that finds no room is not passed on: the next service learns of this one alone.
  if (known != 0 || before == 0) return known;
  size_t first = 0;
  while (path[first] != own) ++first;
  CallPath turns;
  for (size_t i = first; i < path.size(); ++i) turns.Append(path[i]);
  turns.Write(&text);
  const uint16_t turn = turns_.Intern(text.view(), note);
  return turn != 0 ? static_cast<uint16_t>(turn | kTurn) : uint16_t{0};
}

heapgauge_scope Labels::AcceptCall(ThreadState& self, const char* baggage, int* depth) noexcept {
  PathText text;
  FindPath(Bounded(baggage, kMostBaggageBytes + 1), &text);
  CallPath path;
  size_t before = 0;
  uint16_t known = 0;
  uint16_t set = self.labels;
  if (!text.empty() && path.Read(text.view())) {
    const ServiceName own = Service();
    before = path.Count(own.view());
    path.Append(own.view());
    known = KeepPath(path, own.view(), before);
    if (const CallPath::Turn turn = path.LastTurn(); before > 0 && turn.seen) {
      const uint16_t circle = CircleLabel(path, turn);
      circles_.Note(circle, static_cast<uint32_t>(before), CoarseMonotonicNs());
      set = With(set, circle);
    }
  }
  if (depth != nullptr) *depth = static_cast<int>(before);
  return OpenScope(self, set, known);
}

size_t Labels::CallBaggage(const ThreadState& self, const char* baggage, char* out,
                           size_t room) const noexcept {
  ServiceName own;
  const PathMember member = MakeMember(PathOf(self, &own));
  const std::string_view incoming = baggage == nullptr ? std::string_view() : baggage;
  const size_t size =
      MergeMember(incoming, member.view(), out, out != nullptr && room > 0 ? room - 1 : 0);
  if (out != nullptr && room > 0) out[size < room ? size : 0] = '\0';
  return size;
}

}  // namespace heapgauge
