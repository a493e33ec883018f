#include "symbolize/symbolizer.h"

#include <algorithm>
#include <map>
#include <unordered_map>
#include <utility>

#include "base/descriptor.h"
#include "elf/elf_image.h"
#include "elf/elf_symbols.h"
#include "helper/program_path.h"
#include "symbolize/debuginfod_settings.h"
#include "symbolize/demangle.h"
#include "symbolize/file_notes.h"
#include "symbolize/frame_cache.h"
#include "symbolize/helper_client.h"
#include "symbolize/lines_wanted.h"
#include "symbolize/mapped_module.h"
#include "symbolize/module_files.h"
#include "symbolize/symbol_names.h"

namespace heapgauge {
namespace {

using symbolize::FrameCache;
using symbolize::HelperClient;
using symbolize::HelperRequest;
using symbolize::HelperResponse;

// Per question to the helper.  Template-heavy C++ takes 4 KiB an address; its answer has to fit
// into the room kept for one (32 MiB).
constexpr size_t kMaxHelperAddresses = 4096;

// In place of a place: the file is another one by now.
constexpr size_t kReplaced = ~size_t{0};

// Files of one path without a build-id are told apart by how they begin.
std::string KeyOf(const std::string& path, const std::string& build_id, const FileHead& head) {
  if (!build_id.empty()) return build_id;
  return head.bytes == 0 ? path : path + '\0' + std::to_string(head.hash);
}

std::string KeyOf(const ModuleAddress& address) {
  return KeyOf(address.module, address.build_id, address.head);
}

bool FileBeginsSo(const std::string& path, const FileHead& head) {
  const auto file = elf::ElfImage::OpenFile(path.c_str());
  return file && symbolize::BeginsSo(*file, head);
}

std::vector<Frame> Unnamed(const ModuleAddress& address) {
  Frame frame;
  frame.module = address.module;
  frame.module_offset = address.offset;
  return {std::move(frame)};
}

// Of a module without a build-id whose path leads to another file by now.
std::vector<Frame> NameAsMapped(const ModuleAddress& address) {
  std::vector<Frame> frames = Unnamed(address);
  const auto mapped = symbolize::FindMapped({}, address.head);
  if (!mapped) return frames;
  std::string name;
  for (const auto table : {elf::SymbolTable::kFull, elf::SymbolTable::kDynamic}) {
    elf::NameFromSymbols(mapped->image, table, {&address.offset, 1}, {&name, 1});
  }
  frames.front().function = symbolize::Demangle(name);
  return frames;
}

std::string FindHelperIfWanted(const Symbolizer::Options& options) {
  if (options.mode != SymbolizeMode::kLines) return {};
  return options.helper.empty() ? FindProgram(kSymbolizeProgram) : options.helper;
}

}  // namespace

class Symbolizer::Impl final {
 public:
  explicit Impl(Options options)
      : options_(std::move(options)),
        helper_limit_(options_.helper_limit),
        helper_path_(FindHelperIfWanted(options_)),
        helper_(helper_path_) {
    if (!helper_path_.empty()) debuginfod_ = symbolize::DebuginfodSettings();
    if (options_.mode == SymbolizeMode::kLines && helper_path_.empty()) {
      problem_ = "heapgauge-symbolize is not beside the library: functions only, no lines";
    }
  }

  std::vector<std::vector<Frame>> Symbolize(std::span<const ModuleAddress> addresses) {
    Known known;
    settled_ = false;  // memory may run out
    unsettled_ = 0;
    if (options_.mode != SymbolizeMode::kOff) Resolve(addresses, known);
    std::vector<std::vector<Frame>> result;
    result.reserve(addresses.size());
    for (const ModuleAddress& address : addresses) {
      Slot* const slot = known.Find(address);
      if (slot == nullptr || slot->frames.empty()) {
        result.push_back(Unnamed(address));
        continue;
      }
      result.push_back(--slot->uses == 0 ? std::move(slot->frames) : slot->frames);
      for (Frame& frame : result.back()) {
        frame.module = address.module;
        frame.module_offset = address.offset;
      }
    }
    settled_ = unsettled_ == 0;
    return result;
  }

  bool is_settled() const noexcept { return settled_; }

  std::string last_problem() const { return problem_; }

  std::vector<std::string> NotesOn(std::span<const ModuleAddress> addresses) const {
    std::map<std::string, std::string> found;  // by key: each once, in the same order every time
    if (std::ranges::all_of(notes_, [](const auto& note) { return note.second.empty(); }))
      return {};
    for (const ModuleAddress& address : addresses) {
      const auto note = notes_.find(KeyOf(address));
      if (note != notes_.end() && !note->second.empty()) found.insert(*note);
    }
    std::vector<std::string> notes;
    for (auto& [key, note] : found) notes.push_back(std::move(note));
    return notes;
  }

  void set_helper_limit(std::chrono::milliseconds limit) noexcept { helper_limit_ = limit; }

 private:
  struct Slot {
    std::vector<Frame> frames;
    size_t uses = 0;  // addresses of this call that are still to get a copy
  };

  // The frames for one call: the cache may forget some of them meanwhile.
  struct Known {
    std::unordered_map<std::string, std::unordered_map<uint64_t, Slot>> modules;
    std::unordered_map<std::string, FileHead> heads;  // of files that are asked, by path

    Slot* Find(const ModuleAddress& address) {
      const auto module = modules.find(KeyOf(address));
      if (module == modules.end()) return nullptr;
      const auto slot = module->second.find(address.offset);
      return slot == module->second.end() ? nullptr : &slot->second;
    }
  };

  // Addresses to be asked for, by module in order of first appearance: reports put what matters
  // first, and a deadline may cut off what comes last.
  std::vector<HelperRequest::Module> Missing(std::span<const ModuleAddress> addresses,
                                             Known& known) {
    std::vector<HelperRequest::Module> missing;
    std::unordered_map<std::string, size_t> place;
    const bool retry = helper_.Ready();
    for (const ModuleAddress& address : addresses) {
      if (address.module.empty()) continue;
      const std::string key = KeyOf(address);
      Slot& slot = known.modules[key][address.offset];
      if (++slot.uses > 1) continue;
      if (auto answer = cache_.Find(key, address.offset)) {
        if (!answer->provisional || !retry) {
          unsettled_ += answer->provisional ? 1 : 0;
          slot.frames = std::move(answer->frames);
          continue;
        }
      }
      const auto [found, added] = place.try_emplace(key, missing.size());
      if (added && address.build_id.empty() && address.head.bytes != 0) {
        if (!FileBeginsSo(address.module, address.head))
          found->second = kReplaced;
        else
          known.heads[address.module] = address.head;
      }
      if (added) {
        notes_[key] = symbolize::ReplacedNote(address, options_.debug_root,
                                              options_.mode == SymbolizeMode::kLines);
      }
      if (found->second == kReplaced) {
        slot.frames = NameAsMapped(address);
        cache_.Store(key, address.offset, {slot.frames, false});
        continue;
      }
      if (added) missing.push_back({{}, address.module, address.build_id, {}});
      missing[found->second].offsets.push_back(address.offset);
    }
    for (HelperRequest::Module& module : missing) {
      std::sort(module.offsets.begin(), module.offsets.end());
    }
    return missing;
  }

  void Resolve(std::span<const ModuleAddress> addresses, Known& known) {
    std::vector<HelperRequest::Module> missing = Missing(addresses, known);
    if (missing.empty()) return;
    if (options_.mode == SymbolizeMode::kLines && helper_.Ready()) {
      problem_.clear();
      for (HelperRequest::Module& module : missing) {
        if (symbolize::LinesWanted(module.path, module.build_id, options_.debug_root,
                                   !debuginfod_.empty())) {
          continue;
        }
        TakeNames(module, Unread::kLeft, known);
      }
      const auto deadline = std::chrono::steady_clock::now() + helper_limit_;
      while (helper_.Ready() && AskHelper(missing, deadline, known)) {
      }
    }
    for (HelperRequest::Module& module : missing) {
      const bool provisional = options_.mode == SymbolizeMode::kLines && helper_.Expects(module);
      TakeNames(module, provisional ? Unread::kAskedAgain : Unread::kShown, known);
    }
  }

  // One question; removes from `missing` what was answered.  False if nothing was.
  bool AskHelper(std::vector<HelperRequest::Module>& missing, HelperClient::TimePoint deadline,
                 Known& known) {
    HelperRequest request;
    request.debug_root = options_.debug_root;
    request.debuginfod = debuginfod_;
    std::vector<size_t> place;
    size_t room = kMaxHelperAddresses;
    for (size_t i = 0; i < missing.size() && room > 0; ++i) {
      if (missing[i].offsets.empty() || !helper_.Expects(missing[i])) continue;
      place.push_back(i);
      HelperRequest::Module& module = request.modules.emplace_back(missing[i]);
      if (module.offsets.size() > room) module.offsets.resize(room);
      room -= module.offsets.size();
      const auto binary = symbolize::FindBinary(module.path, module.build_id);
      if (binary) module.file = binary->path;
    }
    if (place.empty()) return false;
    auto answers = helper_.Ask(request, deadline);
    if (!helper_.last_problem().empty()) problem_ = helper_.last_problem();
    bool progress = false;
    for (size_t k = 0; k < place.size(); ++k) {
      HelperRequest::Module& module = missing[place[k]];
      std::vector<HelperResponse::Frames>& frames = answers[k].frames;
      if (!answers[k].note.empty()) {
        const std::string key = KeyOf(module.path, module.build_id, known.heads[module.path]);
        if (notes_[key].empty()) notes_[key] = answers[k].note + ".";
      }
      std::vector<uint64_t> unanswered;
      for (size_t n = 0; n < frames.size(); ++n) {
        if (frames[n].empty()) {
          unanswered.push_back(module.offsets[n]);
        } else {
          Remember(module, module.offsets[n], std::move(frames[n]), false, known);
          progress = true;
        }
      }
      module.offsets.erase(module.offsets.begin(),
                           module.offsets.begin() + static_cast<ptrdiff_t>(frames.size()));
      if (answers[k].finished) {  // these will never have an answer
        progress = true;
        HelperRequest::Module rest{module.file, module.path, module.build_id,
                                   std::move(unanswered)};
        TakeNames(rest, Unread::kShown, known);
      } else {
        module.offsets.insert(module.offsets.begin(), unanswered.begin(), unanswered.end());
      }
    }
    return progress;
  }

  // What becomes of a name that the helper alone can read.
  enum class Unread : uint8_t {
    kLeft,        // for the helper, in module.offsets
    kAskedAgain,  // shown as it is, like all names of this call, until the helper is there again
    kShown,
  };

  // Names from symbol tables for module.offsets; leaves there what is still to be asked for.
  void TakeNames(HelperRequest::Module& module, Unread unread, Known& known) {
    if (module.offsets.empty()) return;
    const unsigned refused = Descriptor::refused();
    const std::vector<std::string> names =
        symbolize::SymbolNames(module.path, module.build_id, module.offsets, options_.debug_root);
    // Names that no file could be opened for are looked for again in the next report.
    const bool to_be_kept = refused == Descriptor::refused();
    if (!to_be_kept || unread == Unread::kAskedAgain) ++unsettled_;
    std::vector<uint64_t> left;
    for (size_t n = 0; n < module.offsets.size(); ++n) {
      if (unread == Unread::kLeft && symbolize::NeedsHelperToRead(names[n])) {
        left.push_back(module.offsets[n]);
        continue;
      }
      std::vector<Frame> frames(1);
      frames[0].function = symbolize::Demangle(names[n]);
      frames[0].verbatim = {symbolize::IsVerbatim(names[n], frames[0].function)};
      Remember(module, module.offsets[n], std::move(frames), unread == Unread::kAskedAgain, known,
               to_be_kept);
    }
    module.offsets = std::move(left);
  }

  void Remember(const HelperRequest::Module& module, uint64_t offset, std::vector<Frame> frames,
                bool provisional, Known& known, bool to_be_kept = true) {
    const std::string key = KeyOf(module.path, module.build_id, known.heads[module.path]);
    FrameCache::Answer answer{std::move(frames), provisional};
    if (to_be_kept) cache_.Store(key, offset, answer);
    known.modules[key][offset].frames = std::move(answer.frames);
  }

  const Options options_;
  std::chrono::milliseconds helper_limit_;
  const std::string helper_path_;
  std::vector<std::string> debuginfod_;
  HelperClient helper_;
  FrameCache cache_;
  std::string problem_;
  bool settled_ = false;                                // the last answer
  size_t unsettled_ = 0;                                // of its names
  std::unordered_map<std::string, std::string> notes_;  // by KeyOf(); as many as modules
};

Symbolizer::Symbolizer(SymbolizeMode mode, std::string helper)
    : Symbolizer(Options{.mode = mode, .helper = std::move(helper)}) {}

Symbolizer::Symbolizer(Options options) : impl_(std::make_unique<Impl>(std::move(options))) {}

Symbolizer::~Symbolizer() = default;

std::vector<std::vector<Frame>> Symbolizer::Symbolize(
    std::span<const ModuleAddress> addresses) noexcept {
  try {
    return impl_->Symbolize(addresses);
  } catch (...) {  // memory; the next report may find some
  }
  try {
    std::vector<std::vector<Frame>> bare;
    for (const ModuleAddress& address : addresses) bare.push_back(Unnamed(address));
    return bare;
  } catch (...) {
    return {};
  }
}

void Symbolizer::set_helper_limit(std::chrono::milliseconds limit) noexcept {
  impl_->set_helper_limit(limit);
}

std::vector<std::string> Symbolizer::NotesOn(
    std::span<const ModuleAddress> addresses) const noexcept {
  try {
    return impl_->NotesOn(addresses);
  } catch (...) {  // memory
    return {};
  }
}

std::string Symbolizer::last_problem() const { return impl_->last_problem(); }

bool Symbolizer::is_settled() const noexcept { return impl_->is_settled(); }

}  // namespace heapgauge
