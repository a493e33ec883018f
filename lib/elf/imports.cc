#include "elf/imports.h"

#include <elf.h>

#include "elf/module_words.h"

namespace heapgauge {
namespace {

bool Equal(const char* a, const char* b) noexcept {
  while (*a != '\0' && *a == *b) {
    ++a;
    ++b;
  }
  return *a == *b;
}

using Reader = ModuleReader<TrustedMemory>;

// What a function's own choice among its forms is.
uintptr_t Chosen(uintptr_t choice) noexcept {
#if defined(__x86_64__)
  return reinterpret_cast<uintptr_t (*)()>(choice)();
#elif defined(__aarch64__)
  // It is asked with the processor's features (<sys/ifunc.h>), which we don't know here: with none it
  // is what runs everywhere.  The C library's own look at what the loader has found out.
  struct Features {
    uint64_t size;
    uint64_t hwcap;
    uint64_t hwcap2;
  };
  constexpr uint64_t kSecondArgument = uint64_t{1} << 62;
  const Features none = {sizeof(Features), 0, 0};
  return reinterpret_cast<uintptr_t (*)(uint64_t, const Features*)>(choice)(kSecondArgument, &none);
#else
  return 0;
#endif
}

}  // namespace

ElfModule::ElfModule(uintptr_t base, const ElfW(Dyn) * dynamic) noexcept {
  // How far it extends is not known: whatever lies behind its beginning may be its.
  layout_.bias = base;
  layout_.extent = {base, UINTPTR_MAX};
  layout_.dynamic = {reinterpret_cast<uintptr_t>(dynamic), UINTPTR_MAX};
  TrustedMemory memory;
  tables_ = Reader(memory, layout_).tables();
}

const char* ElfModule::name() const noexcept {
  if (tables_.name == ModuleTables::kNoName || tables_.strings == 0) return nullptr;
  return reinterpret_cast<const char*>(tables_.strings + tables_.name);
}

bool ElfModule::HasSymbols() const noexcept {
  return tables_.symbols != 0 && tables_.strings != 0 && tables_.hashes != 0 &&
         *reinterpret_cast<const uint32_t*>(tables_.hashes) != 0;
}

bool ElfModule::Needs(const char* name) const noexcept {
  TrustedMemory memory;
  bool needs = false;
  if (tables_.strings == 0) return false;
  Reader(memory, layout_, tables_).VisitNeeded([&](const char* needed) {
    needs = needs || Equal(needed, name);
  });
  return needs;
}

uintptr_t ElfModule::Function(const char* name, uint32_t version_hash) const noexcept {
  TrustedMemory memory;
  ElfW(Sym) symbol;
  const auto accept = [](const ElfW(Sym)&) { return true; };
  if (!Reader(memory, layout_, tables_).FindDefinition(name, version_hash, accept, &symbol)) {
    return 0;
  }
  const uintptr_t address = layout_.bias + symbol.st_value;
  const uint32_t type = ELF64_ST_TYPE(symbol.st_info);
  if (type == STT_FUNC || type == STT_NOTYPE) return address;
  return type == STT_GNU_IFUNC ? Chosen(address) : 0;
}

uintptr_t ElfModule::FunctionOfAnyVersion(const char* name) const noexcept {
  TrustedMemory memory;
  ElfW(Sym) symbol;
  const auto accept = [](const ElfW(Sym) & one) { return ELF64_ST_TYPE(one.st_info) == STT_FUNC; };
  return Reader(memory, layout_, tables_).FindDefinition(name, kAnyVersion, accept, &symbol)
             ? layout_.bias + symbol.st_value
             : 0;
}

bool ElfModule::MayHave(const char* name) const noexcept {
  TrustedMemory memory;
  return !HasSymbols() || Reader(memory, layout_, tables_).MayHave(Reader::HashOf(name));
}

uintptr_t ElfModule::Variable(const char* name) const noexcept {
  TrustedMemory memory;
  ElfW(Sym) symbol;
  const auto accept = [](const ElfW(Sym)&) { return true; };
  return Reader(memory, layout_, tables_).FindDefinition(name, kUsualVersion, accept, &symbol) &&
                 ELF64_ST_TYPE(symbol.st_info) == STT_OBJECT
             ? layout_.bias + symbol.st_value
             : 0;
}

void ElfModule::VisitImports(void (*visit)(const Import& import, void* data),
                             void* data) const noexcept {
  TrustedMemory memory;
  Reader reader(memory, layout_, tables_);
  reader.VisitReferences(
      [&](const ElfW(Rela) & reference, size_t index, const ElfW(Sym) & symbol, const char* name) {
        if (symbol.st_shndx != SHN_UNDEF || ELF64_ST_TYPE(symbol.st_info) == STT_OBJECT) return;
        visit({name, reader.WantedVersion(index),
               reinterpret_cast<uintptr_t*>(layout_.bias + reference.r_offset)},
              data);
      });
}

namespace {

// As the loader rounds; every page size of these machines is a multiple of this one.
constexpr uintptr_t kPage = 4096;

struct Binding {
  const ElfModule* libraries;
  size_t count;
  bool (*leave)(const char* name);
  ModuleWords* words;
};

void Set(ModuleWords* words, uintptr_t* slot, uintptr_t address) noexcept {
  // relaxed: a word that other threads may call through meanwhile; either value will do.
  const uintptr_t now = __atomic_load_n(slot, __ATOMIC_RELAXED);
  if (now != address) words->Change(reinterpret_cast<uintptr_t>(slot), now, address);
}

void Bind(const ElfModule::Import& import, void* data) noexcept {
  const Binding& binding = *static_cast<const Binding*>(data);
  if (binding.words->failed()) return;
  if (binding.leave != nullptr && binding.leave(import.name)) return;
  uintptr_t address = 0;
  for (size_t i = 0; i < binding.count && address == 0; ++i) {
    address = binding.libraries[i].Function(import.name, import.version_hash);
  }
  if (address != 0) Set(binding.words, import.slot, address);
}

// Its program headers are mapped at its beginning.
ModuleLayout LayoutOf(const ElfModule& module) noexcept {
  TrustedMemory memory;
  ModuleLayout layout;
  ProgramHeaders headers;
  if (FindHeaders(memory, module.base(), &headers)) {
    ReadLayout(memory, headers, module.base(), &layout);
  }
  return layout;
}

}  // namespace

bool BindImports(const ElfModule& module, const ElfModule* libraries, size_t count,
                 bool (*leave)(const char* name)) noexcept {
  ModuleWords words(LayoutOf(module), kPage, ModuleWords::kLoaderIsDone, nullptr);
  Binding binding{libraries, count, leave, &words};
  module.VisitImports(Bind, &binding);
  return !words.failed();
}

bool BindWords(const ElfModule& module, const ElfModule::Import* imports, size_t import_count,
               const ElfModule* libraries, size_t count) noexcept {
  ModuleWords words(LayoutOf(module), kPage, ModuleWords::kLoaderIsDone, nullptr);
  Binding binding{libraries, count, nullptr, &words};
  for (size_t i = 0; i < import_count; ++i) {
    const uintptr_t before = *imports[i].slot;
    Bind(imports[i], &binding);
    if (*imports[i].slot == before) {
      Bind({imports[i].name, kUsualVersion, imports[i].slot}, &binding);
    }
  }
  return !words.failed();
}

bool SetImport(const ElfModule& module, uintptr_t* slot, uintptr_t address) noexcept {
  ModuleWords words(LayoutOf(module), kPage, ModuleWords::kLoaderIsDone, nullptr);
  Set(&words, slot, address);
  return !words.failed();
}

}  // namespace heapgauge
