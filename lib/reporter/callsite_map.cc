#include "reporter/callsite_map.h"

#include <algorithm>
#include <functional>
#include <map>
#include <new>

#include "base/basename.h"
#include "report/callsite.h"
#include "report/function_name.h"

namespace heapgauge {
namespace {

// Frames asked for at a time of each stack; most call sites lie among the first.  Of the stacks
// that hold most all are, for their report shows them.
constexpr size_t kStep = 6;
constexpr size_t kWhole = 256;

constexpr char kOverflowName[] = "(more stacks than HEAPGAUGE_MEMORY_LIMIT has room for)";

constexpr uint64_t kFnvBasis = 0xCBF29CE484222325U;
constexpr uint64_t kFnvPrime = 0x100000001B3U;

// Ids are compared across machines and versions, so the hash must never change.
class IdHash final {
 public:
  IdHash& Mix(std::string_view text) {
    for (const char c : text) hash_ = (hash_ ^ static_cast<unsigned char>(c)) * kFnvPrime;
    hash_ = (hash_ ^ 0xFF) * kFnvPrime;  // no byte of a text
    return *this;
  }
  uint64_t Get() const { return hash_ != 0 ? hash_ : 1; }

 private:
  uint64_t hash_ = kFnvBasis;
};

// `content`: SiteIdentity::ContentOf().
uint64_t IdOf(const Frame& frame, std::string_view content) {
  IdHash hash;
  hash.Mix("call site");
  const std::string name = ShortName(frame.function);
  if (frame.file && frame.line) {
    return hash.Mix(name).Mix(*frame.file).Mix(std::to_string(*frame.line)).Get();
  }
  if (frame.module.empty()) return hash.Mix("?").Mix(name).Get();  // generated code
  hash.Mix(content.empty() ? Basename(frame.module) : content);
  // Without lines the instantiations of a template are told by their common name.
  const bool is_template = QualifiedName(frame.function).find('<') != std::string_view::npos;
  return hash.Mix(is_template ? name : std::to_string(frame.module_offset)).Get();
}

}  // namespace

// What the addresses of one batch are: many stacks share most of theirs.
struct CallsiteMap::Named {
  using Spot = SiteIdentity::Spot;
  std::unordered_map<Spot, size_t, SiteIdentity::SpotHash> index;
  std::vector<std::vector<PlaceId>> places;  // of the inlined calls at an address and its function

  const std::vector<PlaceId>& At(const Spot& spot) const {
    static const std::vector<PlaceId> kNone;
    const auto found = index.find(spot);
    return found == index.end() ? kNone : places[found->second];
  }
};

CallsiteMap::CallsiteMap(const Tracker& tracker, const SiteIdentity& identity,
                         Symbolizer& symbolizer, std::string_view wrappers)
    : tracker_(tracker), identity_(identity), symbolizer_(symbolizer), wrappers_(wrappers) {}

CallsiteMap::PlaceId CallsiteMap::Intern(const Frame& frame, std::string_view content) {
  const uint64_t id = IdOf(frame, content);
  const auto [found, fresh] = place_of_.emplace(id, static_cast<PlaceId>(places_.size()));
  if (fresh) {
    Place place;
    place.callsite = {id, frame};
    place.function = wrappers_.Intern(frame.module, ShortName(frame.function));
    place.wrapper = IsAllocationWrapper(frame);
    place.told = !place.wrapper && (frame.file || InProgram(frame));
    places_.push_back(std::move(place));
  }
  return found->second;
}

bool CallsiteMap::InProgram(const Frame& frame) const {
  const auto& modules = identity_.modules().modules();
  // The first module of the map is the executable.
  return !modules.empty() && frame.module == modules.front().path;
}

// False when the frames up to `end` don't show yet what the stack's call site is.
bool CallsiteMap::MakeChain(const StoredSite& site, size_t end, const Named& named, Chain* chain) {
  *chain = {};
  bool has_line = false;
  for (size_t i = 0; i < end; ++i) {
    for (const PlaceId id : named.At(identity_.SpotOf(site, i))) {
      // Also further out: std:: between the program's allocator and its caller asked for nothing.
      if (places_[id].wrapper) continue;
      if (chain->size == kChain && has_line) return true;
      if (chain->line_count < kLines && places_[id].told) {
        // What is no wrapper now may turn out to be one.
        has_line = has_line || !wrappers_.IsWrapper(places_[id].function);
        chain->lines[chain->line_count++] = id;
      }
      if (chain->size < kChain) chain->places[chain->size++] = id;
    }
  }
  if (end < site.depth && (chain->size < std::min<size_t>(kChain, 3) || !has_line)) return false;
  if (chain->size == 0) {
    // Wrappers throughout, or no stack at all.
    Frame frame;
    if (site.index == SiteTable::kOverflowIndex) frame.function = kOverflowName;
    const bool bare = site.depth == 0 || named.At(identity_.SpotOf(site, 0)).empty();
    chain->places[chain->size++] =
        bare ? Intern(frame) : named.At(identity_.SpotOf(site, 0)).front();
  }
  return true;
}

void CallsiteMap::PlaceCallsite(Chain& chain) const {
  size_t at = 0;
  while (at + 1 < chain.size && wrappers_.IsWrapper(places_[chain.places[at]].function)) ++at;
  chain.at = static_cast<uint8_t>(at);
  const PlaceId found = chain.places[at];
  // Those before the call site are wrappers, and no line that asked.
  chain.program_line = found;
  for (size_t k = 0; k < chain.line_count; ++k) {
    if (wrappers_.IsWrapper(places_[chain.lines[k]].function)) continue;
    chain.program_line = chain.lines[k];
    break;
  }
  // Code without a name is no answer to "whose is it": the line that led there is.
  const bool nameless = places_[found].callsite.frame.function.empty();
  chain.callsite = nameless ? chain.program_line : found;
}

void CallsiteMap::Name(const std::vector<uint32_t>& sites, const std::vector<size_t>& ends,
                       Named* named) {
  std::vector<ModuleAddress> addresses;
  std::vector<std::string> contents;
  const size_t before = named->places.size();
  for (size_t k = 0; k < sites.size(); ++k) {
    const StoredSite& site = *tracker_.sites().At(sites[k]);
    for (size_t i = 0; i < ends[k]; ++i) {
      const SiteIdentity::Spot spot = identity_.SpotOf(site, i);
      if (!named->index.emplace(spot, before + addresses.size()).second) continue;
      addresses.push_back(identity_.AddressOf(spot));
      contents.push_back(identity_.ContentOf(spot));
    }
  }
  if (addresses.empty()) return;
  const std::vector<std::vector<Frame>> named_frames = symbolizer_.Symbolize(addresses);
  // How the symbolizer says so.
  if (named_frames.size() != addresses.size()) throw std::bad_alloc();
  for (size_t k = 0; k < addresses.size(); ++k) {
    std::vector<PlaceId>& places = named->places.emplace_back();
    for (const Frame& frame : named_frames[k]) {
      places.push_back(Intern(frame, contents[k]));
    }
  }
}

bool CallsiteMap::Learn() {
  const uint32_t count = tracker_.sites().size();
  if (count == known_) return FindWrappers();
  chains_.resize(count);
  std::vector<std::pair<int64_t, uint32_t>> fresh;  // live bytes, index
  for (uint32_t index = known_; index < count; ++index) {
    const StoredSite& site = *tracker_.sites().At(index);
    // relaxed: an order of work.
    const int64_t live = site.allocated.bytes.load(std::memory_order_relaxed) -
                         site.freed.bytes.load(std::memory_order_relaxed);
    fresh.emplace_back(live, index);
  }
  std::sort(fresh.begin(), fresh.end(), std::greater<>());
  std::vector<uint32_t> sites;
  std::vector<size_t> ends;
  for (size_t k = 0; k < fresh.size(); ++k) {
    const size_t depth = tracker_.sites().At(fresh[k].second)->depth;
    sites.push_back(fresh[k].second);
    ends.push_back(k < kWhole ? depth : std::min(depth, kStep));
  }
  Named named;
  while (!sites.empty()) {
    Name(sites, ends, &named);
    size_t left = 0;
    for (size_t k = 0; k < sites.size(); ++k) {
      const StoredSite& site = *tracker_.sites().At(sites[k]);
      if (MakeChain(site, ends[k], named, &chains_[sites[k]])) {
        PlaceCallsite(chains_[sites[k]]);
        continue;
      }
      chains_[sites[k]].size = 0;
      sites[left] = sites[k];
      ends[left++] = std::min<size_t>(site.depth, ends[k] + kStep);
    }
    sites.resize(left);
    ends.resize(left);
  }
  known_ = count;
  return FindWrappers();
}

bool CallsiteMap::FindWrappers() {
  // Ways in; what lies further out says nothing new.
  constexpr size_t kWay = 6;
  constexpr size_t kMostWays = 8192;
  // A table that grows by a stack now and then need not be looked through each time, nor the same
  // stacks before they have half as many samples again.
  constexpr uint32_t kMore = 16;  // a sixteenth of what there was
  uint64_t all_samples = 0;
  for (uint32_t index = 0; index < known_; ++index) {
    // relaxed: figures.
    all_samples += tracker_.sites().At(index)->allocated.samples.load(std::memory_order_relaxed);
  }
  const bool few_stacks_more = searched_ != 0 && known_ - searched_ <= searched_ / kMore &&
                               (known_ > kWhole || known_ == searched_);
  if (few_stacks_more && all_samples < searched_samples_ + searched_samples_ / 2) return false;
  searched_ = known_;
  searched_samples_ = all_samples;
  std::map<std::vector<PlaceId>, WrapperFinder::Flow> ways;
  std::vector<PlaceId> way;
  for (uint32_t index = 0; index < known_; ++index) {
    const Chain& chain = chains_[index];
    const SiteCounters& born = tracker_.sites().At(index)->allocated;
    // relaxed: figures.
    const uint64_t samples = born.samples.load(std::memory_order_relaxed);
    if (samples == 0) continue;
    way.clear();
    size_t skipped = 0;
    for (size_t i = 0; i < chain.size && way.size() < kWay + skipped; ++i) {
      const WrapperFinder::FunctionId function = places_[chain.places[i]].function;
      // A function that calls itself is one step.
      if (!way.empty() && places_[way.back()].function == function) continue;
      if (wrappers_.IsWrapper(function)) ++skipped;
      way.push_back(chain.places[i]);
    }
    // Of more ways than can be held at once, the ends.
    if (ways.size() >= kMostWays && way.size() > skipped + 2 && ways.count(way) == 0) {
      way.resize(skipped + 2);
    }
    WrapperFinder::Flow& flow = ways[way];
    flow.bytes += static_cast<double>(born.bytes.load(std::memory_order_relaxed)) * kBytesUnit;
    flow.objects +=
        static_cast<double>(samples) +
        static_cast<double>(born.unseen_objects.load(std::memory_order_relaxed)) * kObjectsUnit;
    flow.samples += samples;
  }
  std::vector<WrapperFinder::Flow> flows;
  flows.reserve(ways.size());
  for (auto& [places, flow] : ways) {
    for (const PlaceId place : places) flow.functions.push_back(places_[place].function);
    flow.lines = places;
    flows.push_back(std::move(flow));
  }
  if (!wrappers_.Find(flows)) return false;
  for (Chain& chain : chains_) PlaceCallsite(chain);
  return true;
}

const CallsiteMap::Callsite& CallsiteMap::Of(uint32_t site) const {
  static const Callsite kNone;
  return site < known_ ? places_[chains_[site].callsite].callsite : kNone;
}

const CallsiteMap::Callsite& CallsiteMap::ProgramLineOf(uint32_t site) const {
  if (site >= known_) return Of(site);
  const Chain& chain = chains_[site];
  const Place& place = places_[chain.callsite];
  return place.told ? place.callsite : places_[chain.program_line].callsite;
}

const CallsiteMap::Callsite* CallsiteMap::WrapperOf(uint32_t site) const {
  if (site >= known_ || chains_[site].at == 0) return nullptr;
  return &places_[chains_[site].places[chains_[site].at - 1]].callsite;
}

uint64_t CallsiteMap::AlikeOf(uint32_t site) const {
  if (site >= known_) return 0;
  const Chain& chain = chains_[site];
  const Place& place = places_[chain.callsite];
  const Frame& frame = place.callsite.frame;
  const bool is_found =
      chain.places[chain.at] == chain.callsite;  // else it is the line that led there
  if (!is_found || frame.function.empty() || (frame.file && frame.line)) return 0;
  const size_t above = chain.at + size_t{1};
  const uint64_t caller = above < chain.size ? places_[chain.places[above]].function + 1 : 0;
  return (uint64_t{place.function} + 1) << 32 | caller;
}

uint32_t CallsiteMap::IndexIn(const std::vector<Frame>& frames) const {
  uint32_t at = CallsiteIndex(frames);
  for (size_t i = at + 1; i < frames.size(); ++i) {
    if (!wrappers_.IsWrapper(frames[at].module, ShortName(frames[at].function))) break;
    if (!IsAllocationWrapper(frames[i])) at = static_cast<uint32_t>(i);
  }
  if (at >= frames.size() || !frames[at].function.empty()) return at;
  for (size_t i = at; i < frames.size(); ++i) {
    const Frame& frame = frames[i];
    if ((frame.file || InProgram(frame)) && !IsAllocationWrapper(frame) &&
        !wrappers_.IsWrapper(frame.module, ShortName(frame.function))) {
      return static_cast<uint32_t>(i);
    }
  }
  return at;
}

size_t CallsiteMap::memory_bytes() const {
  return chains_.capacity() * sizeof(Chain) +
         places_.size() * (sizeof(Place) + 4 * sizeof(void*) + 100);  // and what texts take
}

}  // namespace heapgauge
