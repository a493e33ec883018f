#include "graph/surroundings.h"

#include <link.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "base/arena_mappings.h"
#include "base/fork_gate.h"
#include "elf/maps.h"
#include "elf/module_layout.h"
#include "elf/module_memory.h"
#include "graph/thread_list.h"
#include "graph/thread_record.h"

// Of the C library; looked up by every module in any case.
extern "C" void __cxa_finalize(void*);

namespace heapgauge {
namespace {

constexpr uintptr_t kPageBytes = 4096;
// Of the C library's record of a thread, from the thread pointer on; static thread-local storage
// lies below it (x86-64).
constexpr uintptr_t kRecordBytes = 0x900;
constexpr uintptr_t kThreadLocalMost = uintptr_t{1} << 20;
// Where a thread's record is looked for: at the ends of anonymous mappings.
constexpr uintptr_t kRecordSearch = uintptr_t{256} * 1024;

bool IsSkipped(std::string_view path) noexcept {
  return path == "[vvar]" || path == "[vdso]" || path == "[vsyscall]" ||
         path.starts_with("[vvar") ||
         (path.starts_with("/dev/") && path != "/dev/zero" && !path.starts_with("/dev/shm/") &&
          path != "/dev/zero (deleted)") ||
         path.starts_with("anon_inode:");
}

}  // namespace

struct Surroundings::Modules {
  Surroundings* self;
  bool whole = true;
};

void Surroundings::Release() noexcept {
  maps_.Release();
  threads_.Release();
  roots_.Release();
  out_.Release();
  unknown_.Release();
}

const Mapping* Surroundings::MappingOf(uintptr_t address) const noexcept {
  const Mapping* const after = std::upper_bound(
      maps_.begin(), maps_.end(), address,
      [](uintptr_t at, const Mapping& mapping) { return at < mapping.range.begin; });
  if (after == maps_.begin() || !after[-1].range.Holds(address)) return nullptr;
  return after - 1;
}

bool Surroundings::AddRoot(uintptr_t begin, uintptr_t end, RootKind place, pid_t thread) noexcept {
  if (begin >= end) return true;
  Root root;
  root.range = {begin, end};
  root.place = place;
  root.thread = thread;
  return roots_.Add(root) && KeepOut(root.range);
}

bool Surroundings::AddWord(uintptr_t word, pid_t thread) noexcept {
  Root root;
  root.place = RootKind::kRegister;
  root.thread = thread;
  root.word = word;
  return roots_.Add(root);
}

bool Surroundings::ReadMaps(char* room, size_t room_bytes) noexcept {
  MapsReader reader(MapsReader::kSelf, {room, room_bytes});
  if (!reader.opened()) return false;
  MapsLine line;
  while (reader.Next(&line)) {
    if (!line.readable) continue;
    Mapping mapping;
    mapping.range = line.range;
    mapping.writable = line.writable;
    mapping.is_heap = line.path == "[heap]";
    mapping.named = !line.path.empty() && !line.path.starts_with("[anon") && !mapping.is_heap;
    mapping.skipped = IsSkipped(line.path);
    if (!maps_.Add(mapping)) return false;
  }
  return true;
}

bool Surroundings::AddModules() noexcept {
  const ForkGate::Passage gate;  // the loader's lock
  if (!gate.entered()) return false;
  Modules modules{this};
  thread_local_bytes_ = 0;
  dl_iterate_phdr(
      [](dl_phdr_info* info, size_t, void* data) {
        Modules& to = *static_cast<Modules*>(data);
        // In pages of the module's file, which somebody may have cut short.
        CheckedMemory memory;
        const ProgramHeaders headers = HeadersOf(*info);
        bool is_c_library = false;
        VisitSegments(memory, headers, info->dlpi_addr,
                      [&](const ElfW(Phdr) & segment, const AddressRange& range) {
                        is_c_library = is_c_library ||
                                       (segment.p_type == PT_LOAD &&
                                        range.Holds(reinterpret_cast<uintptr_t>(&__cxa_finalize)));
                      });
        const bool is_ours = std::strstr(info->dlpi_name, "libheapgauge") != nullptr;
        const auto take = [&](const ElfW(Phdr) & segment, const AddressRange& range) {
          if (segment.p_type == PT_TLS) {
            to.self->thread_local_bytes_ += segment.p_memsz + segment.p_align;
          }
          if (segment.p_type != PT_LOAD) return;
          if ((segment.p_flags & PF_W) == 0 || is_ours) {
            // Whole pages: what is left of the last one is no memory of the program's.
            to.whole = to.self->KeepOut({range.begin / kPageBytes * kPageBytes,
                                         (range.end + kPageBytes - 1) / kPageBytes * kPageBytes}) &&
                       to.whole;
            return;
          }
          if (is_c_library) to.self->c_library_data_ = range;
          to.whole = to.self->AddRoot(range.begin, range.end, RootKind::kGlobal, 0) && to.whole;
        };
        if (!VisitSegments(memory, headers, info->dlpi_addr, take)) {
          // What it may write to is memory that nothing is known of; how much there is of it in
          // each thread isn't known either.
          to.self->thread_local_bytes_ += kThreadLocalMost;
        }
        return 0;
      },
      &modules);
  thread_local_bytes_ = std::min(thread_local_bytes_, kThreadLocalMost);
  return modules.whole;
}

// Where each thread's record is: a word that holds its own address, twice, and the thread's number
// not far behind.  Mappings grow downwards, so what the loader made for the first thread, and what
// pthread_create() made, lies at an end.
void Surroundings::FindRecords(OwnReader& reader, char* room, size_t room_bytes) noexcept {
#if defined(__x86_64__)
  size_t missing = threads_.size();
  const bool all = ending_ != 0;
  const uintptr_t own = reinterpret_cast<uintptr_t>(__builtin_thread_pointer());
  const auto look = [&](uintptr_t begin, uintptr_t end) {
    // In pieces that overlap by a record.
    for (uintptr_t at = begin; at < end && (all || missing > 0);) {
      at = reader.NextResident(at, end);
      const size_t bytes = std::min<size_t>({room_bytes, end - at, kRecordSearch});
      if (bytes < kRecordBytes) return;
      if (reader.Read(at, bytes, room)) {
        for (size_t i = (64 - at % 64) % 64; i + kRecordBytes <= bytes; i += 64) {
          uintptr_t words[3];
          std::memcpy(words, room + i, sizeof(words));
          if (words[0] != at + i || words[2] != at + i) continue;
          bool dead = all && at + i != own;
          for (size_t k = 64; k + 4 <= 0x400; k += 4) {
            pid_t id;
            std::memcpy(&id, room + i + k, sizeof(id));
            Thread* const found =
                std::find_if(threads_.begin(), threads_.end(),
                             [&](const Thread& thread) { return thread.id == id; });
            if (id <= 0 || found == threads_.end()) continue;
            dead = false;
            if (found->record != 0) continue;
            found->record = at + i;
            --missing;
            break;
          }
          if (dead) AddDeadThread(room + i, at + i);
        }
      }
      if (end - at <= bytes) return;
      at += bytes - kRecordBytes;
    }
  };
  for (Thread& thread : threads_) {
    if (thread.id == gettid()) thread.record = own, --missing;
  }
  for (const Mapping& mapping : maps_) {
    if (missing == 0 && !all) return;
    if (mapping.named || mapping.is_heap || !mapping.writable) continue;
    const AddressRange& range = mapping.range;
    const uintptr_t top = range.end - std::min(range.end - range.begin, kRecordSearch);
    look(top, range.end);
    look(range.begin, std::min(top + kRecordBytes, range.begin + kRecordSearch));
  }
#else
  static_cast<void>(reader);
  static_cast<void>(room);
  static_cast<void>(room_bytes);
#endif
}

// Its stack is memory that nobody uses; what its record leads to is the C library's, but for what it
// returned, which somebody may still ask for.
bool Surroundings::AddDeadThread(const char* bytes, uintptr_t record) noexcept {
  const Mapping* const mapping = MappingOf(record);
  if (mapping == nullptr) return false;
  uintptr_t local = 0;
  std::memcpy(&local, bytes + sizeof(uintptr_t), sizeof(local));
  const uintptr_t result = ResultIn(bytes, kRecordBytes, record);
  return KeepOut({mapping->range.begin, record + kRecordBytes}) && AddWord(local, 0) &&
         (result == 0 || AddWord(result, 0));
}

bool Surroundings::AddThreads() noexcept {
  const pid_t own = gettid();
  bool whole = true;
  if (signal_stack_ != 0) whole = AddWord(signal_stack_, ending_);
  for (Thread& thread : threads_) {
    if (thread.id == getpid() && FirstThreadIsOver()) thread.stack_pointer = FirstStackEnd();
    if (thread.id == ending_) {
      thread.stack_pointer = end_frame_;
      std::fill(std::begin(thread.words), std::end(thread.words), 0);
    }
    uintptr_t local_begin = 0;
    if (thread.record != 0) {
      const Mapping* const mapping = MappingOf(thread.record);
      const uintptr_t least = mapping != nullptr ? mapping->range.begin : thread.record;
      local_begin = std::max(least, (thread.record - thread_local_bytes_) & ~uintptr_t{15});
      const uintptr_t most = mapping != nullptr ? mapping->range.end : thread.record;
      const uintptr_t local_end = std::min(most, thread.record + kRecordBytes);
      if (thread.id == own) {
        whole = KeepOut({least, local_end}) && whole;  // the stack is below
        continue;
      }
      whole = AddRoot(local_begin, local_end, RootKind::kThreadLocal, thread.id) && whole;
    } else if (thread.id == own) {
      const Mapping* const mapping = MappingOf(reinterpret_cast<uintptr_t>(&own));
      if (mapping != nullptr) whole = KeepOut(mapping->range) && whole;
      continue;
    }
    for (const uintptr_t word : thread.words) {
      if (word >= kPageBytes) whole = AddWord(word, thread.id) && whole;
    }
    const Mapping* const at = thread.stack_pointer != 0 ? MappingOf(thread.stack_pointer) : nullptr;
    const Mapping* home = thread.record != 0 ? MappingOf(thread.record - 1) : nullptr;
    const bool is_first = thread.id == getpid();
    if (is_first) {  // its stack is the kernel's, wherever its record lies
      home = nullptr;
      for (const Mapping& mapping : maps_) {
        if (mapping.named && mapping.range.Holds(FirstStackAddress())) home = &mapping;
      }
    }
    if (at == nullptr && home == nullptr) continue;
    uintptr_t end = at != nullptr ? at->range.end : home->range.end;
    if (!is_first && local_begin != 0 && home != nullptr && (at == nullptr || at == home)) {
      end = local_begin;
    }
    if (at != nullptr && (home == nullptr || at == home) && thread.stack_pointer < end) {
      // What is below the stack pointer is over.
      whole = AddRoot(thread.stack_pointer, end, RootKind::kStack, thread.id) && whole;
      if (home != nullptr && (is_first || local_begin != 0)) {
        whole = KeepOut({at->range.begin, end}) && whole;
      }
    } else if (home != nullptr) {
      // It runs, or is on another stack: a signal's, a coroutine's.  That one is memory that
      // nothing is known of.
      const uintptr_t home_end = is_first || local_begin == 0 ? home->range.end : local_begin;
      whole = AddRoot(home->range.begin, home_end, RootKind::kStack, thread.id) && whole;
    }
  }
  return whole;
}

bool Surroundings::Look(OwnReader& reader, char* room, size_t room_bytes) noexcept {
  maps_.Clear();
  threads_.Clear();
  roots_.Clear();
  out_.Clear();
  unknown_.Clear();
  if (!ReadMaps(room, room_bytes)) return false;
  if (!ListThreads(threads_)) return false;
  FindRecords(reader, room, room_bytes);
  bool whole = true;
  const size_t own = ArenaMappings();
  if (own == SIZE_MAX) return false;
  for (size_t i = 0; i < own; ++i) whole = KeepOut(ArenaMapping(i)) && whole;
  return AddModules() && AddThreads() && whole;
}

bool Surroundings::MakeUnknown() noexcept {
  std::sort(out_.begin(), out_.end(),
            [](const AddressRange& a, const AddressRange& b) { return a.begin < b.begin; });
  size_t next = 0;
  for (const Mapping& mapping : maps_) {
    if (mapping.skipped) continue;
    // Files that can't be written hold no addresses of this process.
    if (mapping.named && !mapping.writable) continue;
    uintptr_t at = mapping.range.begin;
    while (next < out_.size() && out_[next].end <= at) ++next;
    for (size_t i = next; i < out_.size() && out_[i].begin < mapping.range.end; ++i) {
      if (out_[i].begin > at && !unknown_.Add({at, out_[i].begin})) return false;
      at = std::max(at, out_[i].end);
    }
    if (at < mapping.range.end && !unknown_.Add({at, mapping.range.end})) return false;
  }
  return true;
}

}  // namespace heapgauge
