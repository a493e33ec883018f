#include "trace/module_ledger.h"

#include <dlfcn.h>
#include <link.h>

#include <algorithm>
#include <cstring>
#include <new>

#include "elf/module_around.h"
#include "elf/module_layout.h"
#include "elf/module_memory.h"
#include "trace/module_facts.h"

namespace heapgauge {
namespace {

bool Same(const ModuleFacts& a, const ModuleFacts& b) noexcept {
  return a.begin == b.begin && a.end == b.end && a.bias == b.bias && a.content == b.content &&
         a.build_id_size == b.build_id_size &&
         std::memcmp(a.build_id.data(), b.build_id.data(), a.build_id_size) == 0 &&
         std::strcmp(a.name, b.name) == 0;
}

bool Overlap(const ModuleFacts& a, const ModuleFacts& b) noexcept {
  return a.begin < b.end && b.begin < a.end;
}

// The first address of the module's code; 0: it has none.
uintptr_t CodeOf(const dl_phdr_info& info) noexcept {
  CheckedMemory memory;
  uintptr_t code = 0;
  VisitSegments(memory, HeadersOf(info), info.dlpi_addr,
                [&code](const ElfW(Phdr) & segment, const AddressRange& range) {
                  if (segment.p_type == PT_LOAD && (segment.p_flags & PF_X) != 0 && code == 0) {
                    code = range.begin;
                  }
                });
  return code;
}

}  // namespace

void ModuleLedger::Initialize() noexcept {
  void* const memory = arena_->Allocate(kMost * sizeof(Atomic<ModuleRecord*>));
  // release: zeroed memory is behind it.
  if (memory != nullptr) {
    records_.store(static_cast<Atomic<ModuleRecord*>*>(memory), std::memory_order_release);
  }
  clock_.Initialize();
  TakeStock();
}

uint32_t ModuleLedger::size() const noexcept {
  return size_.load(std::memory_order_acquire);  // acquire: pairs with the release in Enter()
}

const ModuleRecord* ModuleLedger::At(uint32_t number) const noexcept {
  // acquire, both: pair with the releases that published table and record (M1).
  const Atomic<ModuleRecord*>* const records = records_.load(std::memory_order_acquire);
  if (records == nullptr || number == 0 || number > kMost) return nullptr;
  return records[number - 1].load(std::memory_order_acquire);
}

ModuleRecord* ModuleLedger::Make(const ModuleFacts& facts) noexcept {
  const size_t name_size = std::strlen(facts.name) + 1;
  void* const memory = arena_->Allocate(sizeof(ModuleRecord) + name_size);
  if (memory == nullptr) return nullptr;
  ModuleRecord* const record = new (memory) ModuleRecord;
  char* const name = reinterpret_cast<char*>(record + 1);
  std::memcpy(name, facts.name, name_size);
  record->facts = facts;
  record->facts.name = name;
  return record;
}

const ModuleRecord* ModuleLedger::Enter(const ModuleFacts& facts) noexcept {
  // acquire: pairs with the release in Initialize().
  Atomic<ModuleRecord*>* const records = records_.load(std::memory_order_acquire);
  if (records == nullptr) return nullptr;
  Atomic<const ModuleRecord*>& bucket = buckets_[BucketOf(facts.begin)];
  // acquire, here and below: pairs with the releases below; what can be reached is complete (M1).
  for (const ModuleRecord* known = bucket.load(std::memory_order_acquire); known != nullptr;
       known = known->next) {
    if (Same(known->facts, facts)) return known;
  }
  ModuleRecord* fresh = nullptr;
  bool successor = false;
  // Places are taken in order, so whoever takes one has looked at all records before it.
  for (uint32_t at = 0; at < kMost; ++at) {
    ModuleRecord* other = records[at].load(std::memory_order_acquire);
    if (other == nullptr) {
      if (fresh == nullptr) fresh = Make(facts);
      if (fresh == nullptr) return nullptr;
      fresh->number = at + 1;
      fresh->successor = successor;
      // Counted before it can be named: a stack that names it is of a time when all see the count.
      // relaxed: the release that follows publishes it.
      if (successor) successors_.fetch_add(1, std::memory_order_relaxed);
      // release: publishes the record.  acquire on failure: the other's is looked at.
      if (records[at].compare_exchange_strong(other, fresh, std::memory_order_release,
                                              std::memory_order_acquire)) {
        break;
      }
      if (successor) successors_.fetch_sub(1, std::memory_order_relaxed);  // relaxed: as above
    }
    if (Same(other->facts, facts)) return other;
    successor = successor || Overlap(other->facts, facts);
    if (at + 1 == kMost) return nullptr;
  }
  // Others may see a smaller size for a moment: a record is found by its number in any case.
  uint32_t size = size_.load(std::memory_order_relaxed);  // relaxed: checked by the exchange
  while (size < fresh->number &&
         !size_.compare_exchange_weak(size, fresh->number, std::memory_order_release,
                                      std::memory_order_relaxed)) {
  }
  const ModuleRecord* head = bucket.load(std::memory_order_relaxed);  // relaxed: as above
  do {
    fresh->next = head;
    // release: publishes the record and `next`.
  } while (!bucket.compare_exchange_weak(head, fresh, std::memory_order_release,
                                         std::memory_order_relaxed));
  return fresh;
}

const ModuleRecord* ModuleLedger::FindRecord(uintptr_t address, uint64_t now,
                                             bool* in_module) noexcept {
  const ModuleAround module(address);
  *in_module = module.found();
  if (!*in_module) return nullptr;
  const uintptr_t begin = module.begin();
  // acquire: pairs with the release in Enter().
  for (const ModuleRecord* record = buckets_[BucketOf(begin)].load(std::memory_order_acquire);
       record != nullptr; record = record->next) {
    // relaxed: as long as the clock stands, so does the module (nothing else was loaded there).
    if (record->facts.begin == begin && record->seen_at.load(std::memory_order_relaxed) == now) {
      return record;
    }
  }
  ModuleFacts facts;
  ReadModuleFacts(module, &facts);
  const ModuleRecord* const record = Enter(facts);
  if (record != nullptr)
    record->seen_at.store(now, std::memory_order_relaxed);  // relaxed: as above
  return record;
}

size_t ModuleLedger::FindSuccessors(StackTrace& trace, uint64_t now) noexcept {
  // relaxed: without memory it stays so.
  if (records_.load(std::memory_order_relaxed) == nullptr) return 0;
  uintptr_t* const named = trace.frames + trace.depth;
  size_t count = 0;
  bool unknown = false;  // M4: then what is known is named, whatever it is
  const ModuleRecord* last = nullptr;
  for (size_t i = 0; i < trace.depth; ++i) {
    const uintptr_t call = trace.frames[i] - 1;
    if (last != nullptr && last->Covers(call)) continue;
    bool in_module = false;
    last = FindRecord(call, now, &in_module);
    if (last == nullptr) {
      if (!in_module || unknown) continue;
      unknown = true;
      count = 0;
      i = ~size_t{0};  // from the start
      continue;
    }
    if (!last->successor && !unknown) continue;
    if (std::find(named, named + count, last->number) != named + count) continue;
    if (count == kMostNamed - 1) {
      unknown = true;
      break;
    }
    named[count++] = last->number;
  }
  if (unknown) named[count++] = kUnknown;
  return count;
}

const ModuleRecord* ModuleLedger::HolderOf(uintptr_t address, const uintptr_t* named,
                                           size_t named_count) const noexcept {
  for (size_t i = 0; i < named_count; ++i) {
    const ModuleRecord* const record = named[i] == kUnknown ? nullptr : At(named[i]);
    if (record != nullptr && record->Covers(address)) return record;
  }
  if (IsUnknown(named, named_count)) return nullptr;
  const uint32_t count = size();
  for (uint32_t number = 1; number <= count; ++number) {
    const ModuleRecord* const record = At(number);
    if (record != nullptr && !record->successor && record->Covers(address)) return record;
  }
  return nullptr;
}

void ModuleLedger::TakeStock() noexcept {
  Stock stock{this, 0};
  dl_iterate_phdr(&ModuleLedger::TakeIn, &stock);
  // release: publishes what was entered.
  stock_at_.store(stock.now, std::memory_order_release);
}

int ModuleLedger::TakeIn(dl_phdr_info* info, size_t size, void* data) noexcept {
  Stock& stock = *static_cast<Stock*>(data);
  ModuleLedger& ledger = *stock.ledger;
  if (stock.now == 0) {
    if (size >= offsetof(dl_phdr_info, dlpi_adds) + sizeof info->dlpi_adds) {
      ledger.clock_.Told(info->dlpi_adds);
    }
    stock.now = ledger.clock_.Now();
    // relaxed: a stock that another thread took is as good.
    if (ledger.stock_at_.load(std::memory_order_relaxed) == stock.now) return 1;
  }
  bool in_module = false;
  const uintptr_t code = CodeOf(*info);
  if (code != 0) ledger.FindRecord(code, stock.now, &in_module);
  return 0;
}

}  // namespace heapgauge
