#include "unit/shim/fake_shim.h"

#include <cstring>

#include "shim/other_names.h"

namespace heapgauge {

constinit SampleFilter g_filter;
HotState g_hot = {{.filter = &g_filter}, nullptr, nullptr, nullptr, nullptr};
NextAllocator g_next = {};
std::atomic<bool> g_sizes_are_told{false};
std::atomic<bool> g_deeply_bound{false};
constexpr const char* kTracked[] = {"shim_take"};
constinit NameStarts g_name_starts(kTracked);

namespace shim_test {

EntryPoint g_entry = {"shim_take", 0, false, 0, 0};
size_t g_usable = 0;

void Reset() {
  g_entry = {"shim_take", 0, false, 0, 0};
  g_usable = 64;
  g_hot.malloc = nullptr;
  g_next = {};
  g_next.bypassed = true;
  g_next.can_redirect = true;
  g_next.usable_size = [](void*) { return g_usable; };
  g_deeply_bound.store(false);
  g_sizes_are_told.store(false);
}

}  // namespace shim_test

bool CanRedirect() noexcept { return true; }

const EntryPoint* FindAnyEntryPoint(const char* name) noexcept {
  return std::strcmp(name, shim_test::g_entry.name) == 0 ? &shim_test::g_entry : nullptr;
}

}  // namespace heapgauge
