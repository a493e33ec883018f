#include "shim/next_allocator.h"

#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <gnu/libc-version.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>

#include <type_traits>

#include "base/errno_keeper.h"
#include "base/raw_log.h"
#include "base/raw_syscall.h"
#include "elf/imports.h"
#include "elf/module_around.h"
#include "shim/bootstrap_pool.h"
#include "shim/entry_points.h"
#include "shim/library_calls.h"
#include "shim/operator_forms.h"
#include "shim/own_imports.h"

namespace heapgauge {
namespace {

enum ResolveState : int { kUnresolved, kResolving, kResolved };
std::atomic<int> g_resolve_state{kUnresolved};
thread_local constinit bool t_resolving __attribute__((tls_model("initial-exec"))) = false;

// Calls of the hooks by the resolving thread.
unsigned g_early_calls = 0;

// True when the caller may use the pointers; false when it is the resolving thread itself, inside
// dlsym or a malloc that comes before ours.
bool Ready() noexcept {
  if (t_resolving) {
    ++g_early_calls;
    return false;
  }
  ResolveNextAllocator();
  return true;
}

// A program that has a free() of its own but no malloc() hands all that it frees to the C library's
// by another name: what is allocated meanwhile must be the C library's.  Null for all others.
void* (*g_early_malloc)(size_t) = nullptr;
void* (*g_early_realloc)(void*, size_t) = nullptr;

void* AllocateEarly(size_t bytes) noexcept {
  if (HG_LIKELY(g_early_malloc == nullptr)) return PoolAllocate(bytes);
  void* const block = g_early_malloc(bytes);
  return block != nullptr ? memset(block, 0, bytes) : nullptr;
}

void* EarlyMalloc(size_t bytes) { return Ready() ? g_hot.malloc(bytes) : AllocateEarly(bytes); }
void EarlyFree(void* block) {
  if (Ready()) g_hot.free(block);
}
void* EarlyCalloc(size_t count, size_t size) {
  if (Ready()) return g_hot.calloc(count, size);
  size_t bytes;
  return __builtin_mul_overflow(count, size, &bytes) ? nullptr : AllocateEarly(bytes);
}
void* EarlyRealloc(void* block, size_t bytes) {
  if (Ready()) return g_hot.realloc(block, bytes);
  if (g_early_realloc != nullptr) return g_early_realloc(block, bytes);
  void* const fresh = PoolAllocate(bytes);
  if (fresh != nullptr && block != nullptr) {
    const size_t old = PoolUsableSize(block);
    memcpy(fresh, block, old < bytes ? old : bytes);
  }
  return fresh;
}
void* EarlyMemalign(size_t alignment, size_t bytes) {
  return Ready() ? g_next.memalign(alignment, bytes) : nullptr;
}
void* EarlyAlignedAlloc(size_t alignment, size_t bytes) {
  return Ready() ? g_next.aligned_alloc(alignment, bytes) : nullptr;
}
int EarlyPosixMemalign(void** out, size_t alignment, size_t bytes) {
  return Ready() ? g_next.posix_memalign(out, alignment, bytes) : ENOMEM;
}
void* EarlyValloc(size_t bytes) { return Ready() ? g_next.valloc(bytes) : nullptr; }
void* EarlyPvalloc(size_t bytes) { return Ready() ? g_next.pvalloc(bytes) : nullptr; }
size_t EarlyUsableSize(void* block) { return Ready() ? g_next.usable_size(block) : 0; }

// Stand-ins for entry points that the next allocator may lack.
void* MemalignByPosix(size_t alignment, size_t bytes) {
  void* block = nullptr;
  if (alignment < sizeof(void*)) alignment = sizeof(void*);
  const int error = g_next.posix_memalign(&block, alignment, bytes);
  if (error == 0) return block;
  errno = error;
  return nullptr;
}
size_t UnknownUsableSize(void*) { return 0; }

const void* BaseOf(const void* symbol) noexcept {
  return reinterpret_cast<const void*>(ModuleAround(symbol).begin());
}

const void* OwnBase() noexcept { return BaseOf(reinterpret_cast<void*>(&OwnBase)); }

// A program that is linked to a fixed address and takes a function's address has that address be a
// stub of its own, and dlsym() says so: the function itself lies elsewhere.
bool IsStub(void* symbol) noexcept {
  const char* const module = ModuleAround(symbol).name();
  if (module == nullptr || *module != '\0') return false;
  Dl_info info;
  ElfW(Sym)* entry = nullptr;
  return dladdr1(symbol, &info, reinterpret_cast<void**>(&entry), RTLD_DL_SYMENT) != 0 &&
         entry != nullptr && entry->st_shndx == SHN_UNDEF;
}

// Not by dlopen() and dlsym(): asking them initialises a module that is not yet.
void* DefinitionIn(const link_map& map, const char* name) noexcept {
  return reinterpret_cast<void*>(ElfModule(map).FunctionOfAnyVersion(name));
}

// The first real definition in the order of loading; nullptr when it is ours or there is none.
void* DefinitionBehind(void* stub, const char* name) noexcept {
  const ModuleAround program(stub);
  if (!program.found()) return nullptr;
  for (const link_map* map = program.map()->l_next; map != nullptr; map = map->l_next) {
    if (void* const found = DefinitionIn(*map, name))
      return BaseOf(found) != OwnBase() ? found : nullptr;
  }
  return nullptr;
}

// libc_malloc_debug.so, where it is loaded: it defines the family under the versions alone that
// programs ask for, and dlsym(), which asks for none, passes it by.
const link_map* g_versioned = nullptr;

void FindVersioned() noexcept {
#if defined(__x86_64__)
  void* const symbol = dlvsym(RTLD_DEFAULT, "malloc", "GLIBC_2.2.5");
#else
  void* const symbol = dlvsym(RTLD_DEFAULT, "malloc", "GLIBC_2.17");
#endif
  const ModuleAround module(symbol);
  // The C library's own is found without.
  if (!module.found() || module.begin() == ModuleAround(InGlibc()).begin()) return;
  g_versioned = module.map();
}

// As the program's own reference is looked up: dlsym(), and that module in its place.
void* Look(void* where, const char* name) noexcept {
  void* const plain = dlsym(where, name);
  if (HG_LIKELY(g_versioned == nullptr)) return plain;
  const link_map* map = g_versioned;
  while (map->l_prev != nullptr) map = map->l_prev;
  const link_map* const own = ModuleAround(&OwnBase).map();
  const link_map* const found = ModuleAround(plain).map();
  bool passed = where != RTLD_NEXT;
  for (; map != nullptr; map = map->l_next) {
    if (passed && map == g_versioned) {
      void* const versioned = DefinitionIn(*map, name);
      return versioned != nullptr ? versioned : plain;
    }
    if (passed && map == found) return plain;
    passed = passed || map == own;
  }
  return plain;
}

// The definition that the program's own calls lead to, when it is not ours; nullptr as a rule.
void* SymbolBeforeOurs(const char* name) noexcept {
  void* const first = Look(RTLD_DEFAULT, name);
  if (BaseOf(first) == OwnBase()) return nullptr;
  return IsStub(first) ? DefinitionBehind(first, name) : first;
}

// Before the first look-up that can fail: the loader allocates the text for that.
void FindEarlyAllocator() noexcept {
  if (SymbolBeforeOurs("malloc") != nullptr || SymbolBeforeOurs("free") == nullptr) return;
  dl_find_object library;
  if (_dl_find_object(const_cast<void*>(InGlibc()), &library) != 0) return;
  const auto find = [&](const char* name, auto* out) {
    *out = reinterpret_cast<std::remove_pointer_t<decltype(out)>>(
        DefinitionIn(*library.dlfo_link_map, name));
  };
  find("realloc", &g_early_realloc);
  if (g_early_realloc != nullptr) find("malloc", &g_early_malloc);
}

// True when the program's calls of malloc never reach ours: it has one of its own, or a library
// that comes before us has.  Found out by such a call, for a malloc before ours may be a wrapper
// that hands on to us.
bool HooksAreBypassed() noexcept {
  if (SymbolBeforeOurs("malloc") == nullptr) return false;
  void* const first_malloc = Look(RTLD_DEFAULT, "malloc");
  void* const first_free = Look(RTLD_DEFAULT, "free");
  const unsigned before = g_early_calls;
  void* const block = reinterpret_cast<void* (*)(size_t)>(first_malloc)(1);
  const bool reached = g_early_calls != before;
  if (first_free != nullptr) reinterpret_cast<void (*)(void*)>(first_free)(block);
  return !reached;
}

// Set while the pointers are looked up: with it, the family that comes before ours is taken, so
// that the few entry points that family lacks and we have (reallocarray, operator new) end where
// the program's blocks come from.
bool g_prefer_before = false;

template <typename Function>
bool Find(const char* name, Function** out) noexcept {
  void* symbol = g_prefer_before ? SymbolBeforeOurs(name) : nullptr;
  if (symbol == nullptr) symbol = NextSymbol(name);
  if (symbol == nullptr) return false;
  *out = reinterpret_cast<Function*>(symbol);
  return true;
}

// The allocator in use comes before ours; `bases` are the modules of its four main functions, the
// first that of malloc.
void JudgeRedirection(const void* const (&bases)[4], NextAllocator* next) noexcept {
  const void* const home = bases[0];
  next->is_c_library = home == BaseOf(InGlibc());
  // A program that has the allocator linked in calls it directly: half of what it frees would be
  // missed, and look like a leak.
  const bool in_library = next->module != nullptr && *next->module != '\0';
  bool complete = in_library;
  for (const void* base : bases) complete = complete && base != nullptr && base == home;
  next->can_redirect = complete;
  // Not redirected: the C++ library's operators, which end in malloc, and other people's.
  const bool own_operators = BaseOf(SymbolBeforeOurs("_Znwm")) == home;
  // A module that we don't know of yet may hand a block's size to the allocator, which must be what
  // the allocator takes for the block's size: only the C library's free() takes none.
  next->can_align = next->can_align && next->is_c_library;
  if (!complete) return;
  // Without the module's own a guess at a block's size would be somebody else's guess.
  if (BaseOf(reinterpret_cast<void*>(next->usable_size)) != home) {
    next->usable_size = UnknownUsableSize;
  }
  size_t count;
  EntryPoint* const entries = EntryPoints(&count);
  for (size_t i = 0; i < count; ++i) {
    if (entries[i].is_operator && !own_operators) continue;
    void* const symbol = SymbolBeforeOurs(entries[i].name);
    if (BaseOf(symbol) == home) entries[i].original = reinterpret_cast<uintptr_t>(symbol);
  }
}

// For coverage: an address that leads to a hook by way of the program's stub.  Most programs have
// none, and the loader would look for each name in all modules before ours.
void FindStubs() noexcept {
  const link_map* map = ModuleAround(&OwnBase).map();
  while (map != nullptr && map->l_prev != nullptr) map = map->l_prev;  // the program is the first
  const ElfModule program = map != nullptr ? ElfModule(*map) : ElfModule();
  size_t count;
  EntryPoint* const entries = EntryPoints(&count);
  for (size_t i = 0; i < count; ++i) {
    if (entries[i].is_operator) continue;
    if (!program.MayHave(entries[i].name)) continue;
    void* const first = Look(RTLD_DEFAULT, entries[i].name);
    if (IsStub(first)) entries[i].stub = reinterpret_cast<uintptr_t>(first);
  }
}

// Not inlined: errno is had from the C library, whose functions are ours only by now.
__attribute__((noinline)) void LookUp() noexcept {
  const ErrnoKeeper errno_keeper;
  FindEarlyAllocator();
  FindVersioned();
  g_prefer_before = HooksAreBypassed();
  void* const malloc_symbol = g_prefer_before ? SymbolBeforeOurs("malloc") : NextSymbol("malloc");
  if (malloc_symbol == nullptr) {
    // Can't happen with a dynamic libc; without an allocator there is nothing to forward to.
    RawLog(LogLevel::kError,
           "no malloc found behind libheapgauge.so; the program can't run with it loaded");
    abort();
  }
  NextAllocator next{};
  next.bypassed = g_prefer_before;
  next.is_debugging =
      g_versioned != nullptr && DefinitionIn(*g_versioned, "malloc") == malloc_symbol;
  const void* malloc_base = nullptr;
  next.module = ModuleOf(malloc_symbol, &malloc_base);
  void (*free_function)(void*) = nullptr;
  void* (*calloc_function)(size_t, size_t) = nullptr;
  void* (*realloc_function)(void*, size_t) = nullptr;
  Find("free", &free_function);
  Find("calloc", &calloc_function);
  Find("realloc", &realloc_function);
  Find("aligned_alloc", &next.aligned_alloc);
  Find("posix_memalign", &next.posix_memalign);
  Find("valloc", &next.valloc);
  Find("pvalloc", &next.pvalloc);
  if (!Find("malloc_usable_size", &next.usable_size)) next.usable_size = UnknownUsableSize;
  void* memalign_symbol = nullptr;
  if (Find("memalign", &next.memalign)) {
    memalign_symbol = reinterpret_cast<void*>(next.memalign);
  } else {
    next.memalign = MemalignByPosix;
    memalign_symbol = reinterpret_cast<void*>(next.posix_memalign);
  }
  const void* memalign_base = nullptr;
  const void* free_base = nullptr;
  ModuleOf(memalign_symbol, &memalign_base);
  ModuleOf(reinterpret_cast<void*>(free_function), &free_base);
  // With alignment a sample would get more room than was asked for, and hide what checks look for.
  next.can_align = memalign_base != nullptr && memalign_base == malloc_base &&
                   free_base == malloc_base && !next.is_debugging;
  if (next.bypassed) {
    const void* const bases[] = {malloc_base, free_base,
                                 BaseOf(reinterpret_cast<void*>(calloc_function)),
                                 BaseOf(reinterpret_cast<void*>(realloc_function))};
    JudgeRedirection(bases, &next);
  }

  FindStubs();
  // A malloc before ours that hands on to us is part of the program's operators, too; and where the
  // program's malloc can't be tracked, neither can they.
  LookUpOperators(malloc_base,
                  next.bypassed ? !next.can_redirect : SymbolBeforeOurs("malloc") != nullptr);

  g_next = next;
  g_hot.free = free_function;
  g_hot.calloc = calloc_function;
  g_hot.realloc = realloc_function;
  g_hot.malloc = reinterpret_cast<void* (*)(size_t)>(malloc_symbol);
}

}  // namespace

constinit SampleFilter g_filter;
HotState g_hot = {{.filter = &g_filter}, EarlyMalloc, EarlyFree, EarlyCalloc, EarlyRealloc};
NextAllocator g_next = {.memalign = EarlyMemalign,
                        .aligned_alloc = EarlyAlignedAlloc,
                        .posix_memalign = EarlyPosixMemalign,
                        .valloc = EarlyValloc,
                        .pvalloc = EarlyPvalloc,
                        .usable_size = EarlyUsableSize};

void* NextSymbol(const char* name) noexcept { return Look(RTLD_NEXT, name); }

void ResolveOperators() noexcept {
  if (!Ready()) memset(g_handed_on, 0, sizeof(g_handed_on));
}

void* SymbolBefore(const char* name) noexcept { return SymbolBeforeOurs(name); }

// Not by dladdr(): it also looks for the symbol's name, and passes through the C library's whole
// symbol table for it, for each call of every process that starts.
const char* ModuleOf(void* symbol, const void** base) noexcept {
  const ModuleAround module(symbol);
  if (!module.found()) return nullptr;
  *base = reinterpret_cast<const void*>(module.begin());
  return module.name();
}

void ResolveNextAllocator() noexcept {
  // acquire: pairs with the release below; the pointers are set.
  int state = g_resolve_state.load(std::memory_order_acquire);
  if (state == kResolved) return;
  if (state == kUnresolved &&
      g_resolve_state.compare_exchange_strong(state, kResolving, std::memory_order_acquire,
                                              std::memory_order_acquire)) {
    t_resolving = true;
    BindOwnImports();  // before all else
    LookUp();
    t_resolving = false;
    g_resolve_state.store(kResolved, std::memory_order_release);  // release: publishes the pointers
    return;
  }
  // acquire: as above.  A second thread before the first malloc is done: a matter of microseconds.
  // Not through libc, which may not be ours yet.
  while (g_resolve_state.load(std::memory_order_acquire) != kResolved) RawSyscall(SYS_sched_yield);
}

}  // namespace heapgauge
