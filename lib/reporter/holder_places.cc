#include "reporter/holder_places.h"

#include <algorithm>
#include <cstring>

namespace heapgauge {
namespace {

constexpr size_t kMostWords = 48;  // of one look, those that hold most first
constexpr size_t kMostBelow = 12;
constexpr size_t kMostAbove = 24;
// A frame of more than that is not looked through.
constexpr size_t kWindow = size_t{64} * 1024;
constexpr size_t kStackWord = sizeof(uintptr_t);

// Whether these bytes end in a call: with the distance, or through a register or a word of memory.
bool EndsInCall(const unsigned char* code, size_t bytes) {
  if (bytes >= 5 && code[bytes - 5] == 0xE8) return true;
  for (size_t length = 2; length <= 7 && length <= bytes; ++length) {
    const unsigned char* const at = code + bytes - length;
    if (at[0] == 0xFF && (at[1] >> 3 & 7) == 2) return true;
  }
  return false;
}

}  // namespace

bool HolderPlaces::IsReturnAddress(uintptr_t address, HolderSearch& search) const {
  if (!identity_.modules().Find(address - 1)) return false;
  unsigned char code[8];
  return search.ReadMemory(address - sizeof(code), sizeof(code), code) &&
         EndsInCall(code, sizeof(code));
}

void HolderPlaces::AskGlobal(uintptr_t word, Questions* questions) const {
  for (const ModuleMap::Module& module : identity_.modules().modules()) {
    if (!module.loaded || word < module.extent.begin || word >= module.extent.end) continue;
    PlaceQuestion place;
    place.address = word - module.bias;
    questions->words.push_back(word);
    questions->modules.push_back({module.path, module.build_id, place.address, {}});
    questions->places.push_back(std::move(place));
    return;
  }
}

void HolderPlaces::AskStack(uintptr_t word, HolderSearch& search, Questions* questions) const {
#if defined(__x86_64__)
  const Root* const root = search.RootAt(word);
  if (root == nullptr || root->place != RootKind::kStack || word % kStackWord != 0) return;
  const uintptr_t begin =
      (std::max(root->range.begin, word - std::min(word, kWindow)) + kStackWord - 1) / kStackWord *
      kStackWord;
  const uintptr_t end = std::min(root->range.end, word + kWindow);
  std::vector<uintptr_t> words((end - begin) / kStackWord);
  if (words.empty() || !search.ReadMemory(begin, words.size() * kStackWord, words.data())) return;
  const size_t at = (word - begin) / kStackWord;
  std::vector<uint64_t> ends;
  for (size_t i = at + 1; i < words.size() && ends.size() < kMostAbove; ++i) {
    if (IsReturnAddress(words[i], search)) ends.push_back((i + 1 - at) * kStackWord);
  }
  size_t below = 0;
  for (size_t i = at; i-- > 0 && below < kMostBelow;) {
    if (!IsReturnAddress(words[i], search)) continue;
    ++below;
    const ModuleAddress code = identity_.modules().Locate(words[i]);
    PlaceQuestion place;
    place.address = code.offset;
    place.on_stack = true;
    place.above = (at - i - 1) * kStackWord;
    place.ends = ends;
    questions->words.push_back(word);
    questions->modules.push_back(code);
    questions->places.push_back(std::move(place));
  }
  // A copy of a stack holds what the stack holds.
  volatile uintptr_t* const copy = words.data();
  for (size_t i = 0; i < words.size(); ++i) copy[i] = 0;
#else
  static_cast<void>(word);
  static_cast<void>(search);
  static_cast<void>(questions);
#endif
}

HolderPlaces::Names HolderPlaces::NameAll(const std::vector<HolderSearch::Holder>& holders,
                                          HolderSearch& search) const {
  struct Count {
    uintptr_t word = 0;
    RootKind place = RootKind::kUnknown;
    size_t objects = 0;
  };
  std::unordered_map<uintptr_t, Count> counts;
  for (const HolderSearch::Holder& holder : holders) {
    if (holder.answer != HolderSearch::Answer::kHeld || holder.word == 0) continue;
    Count& count = counts[holder.word];
    count = {holder.word, holder.place, count.objects + 1};
  }
  std::vector<Count> words;
  for (const auto& [word, count] : counts) words.push_back(count);
  std::sort(words.begin(), words.end(), [](const Count& a, const Count& b) {
    return a.objects != b.objects ? a.objects > b.objects : a.word < b.word;
  });
  if (words.size() > kMostWords) words.resize(kMostWords);
  Questions questions;
  for (const Count& count : words) {
    if (count.place == RootKind::kGlobal) AskGlobal(count.word, &questions);
    if (count.place == RootKind::kStack) AskStack(count.word, search, &questions);
  }
  Names names;
  if (questions.places.empty()) return names;
  std::vector<VariablePlace> places = variables_.Find(questions.modules, questions.places);
  for (size_t i = 0; i < places.size(); ++i) {
    // Of a word on a stack the nearest return address comes first.
    if (!places[i].variable.empty()) names.emplace(questions.words[i], std::move(places[i]));
  }
  return names;
}

}  // namespace heapgauge
