// Which words of which modules are led to the hooks (redirect.h, G1 to G4).
#include "shim/redirect.h"

#include <dlfcn.h>

#include <catch2/catch.hpp>
#include <cstring>
#include <string>

#include "elf/imports.h"
#include "elf/maps.h"
#include "shim/other_names.h"
#include "unit/shim/fake_shim.h"

namespace heapgauge {
namespace {

using shim_test::g_entry;

int Hook() { return 10; }
int SomebodyElses() { return 100; }

class Library final {
 public:
  explicit Library(const std::string& name)
      : handle_(dlopen((SHIM_MODULES "/lib" + name + ".so").c_str(), RTLD_LAZY | RTLD_LOCAL)) {
    INFO(dlerror());
    REQUIRE(handle_ != nullptr);
  }
  ~Library() { dlclose(handle_); }
  Library(const Library&) = delete;
  Library& operator=(const Library&) = delete;

  template <typename Type = int()>
  Type* Get(const char* name) const {
    return reinterpret_cast<Type*>(dlsym(handle_, name));
  }
  int Call(const char* name) const { return Get(name)(); }
  const link_map& map() const { return *static_cast<const link_map*>(handle_); }

 private:
  void* const handle_;
};

// The process with an allocator that comes before ours.
struct Process {
  Process() : allocator("shim_allocator") {
    shim_test::Reset();
    g_entry.hook = reinterpret_cast<uintptr_t>(&Hook);
    g_entry.original = reinterpret_cast<uintptr_t>(allocator.Get("shim_take"));
    g_hot.malloc = allocator.Get<void*(size_t)>("shim_take");
  }
  Library allocator;
};

uintptr_t SlotOf(const Library& library) {
  uintptr_t slot = 0;
  ElfModule(library.map())
      .VisitImports(
          [](const ElfModule::Import& import, void* data) {
            uintptr_t& found = *static_cast<uintptr_t*>(data);
            if (std::strcmp(import.name, "shim_take") == 0 && found == 0) {
              found = reinterpret_cast<uintptr_t>(import.slot);
            }
          },
          &slot);
  return slot;
}

bool IsWritable(uintptr_t at) {
  char room[MapsReader::kRoomForAll];
  MapsReader maps(MapsReader::kSelf, room);
  for (MapsLine line; maps.Next(&line);) {
    if (line.range.Holds(at)) return line.writable;
  }
  return false;
}

}  // namespace

TEST_CASE("a module's calls are led to the hooks and its pages closed again", "[shim][redirect]") {
  const Process process;
  const Library user("shim_user_now");
  const uintptr_t slot = SlotOf(user);
  REQUIRE(slot != 0);
  REQUIRE_FALSE(IsWritable(slot));
  CHECK(user.Call("shim_call") == 1);
  RedirectModules();
  CHECK(user.Call("shim_call") == 10);
  CHECK(user.Call("shim_call_variable") == 10);
  CHECK_FALSE(IsWritable(slot));
}

TEST_CASE("a call that is not bound yet is led to the hooks", "[shim][redirect]") {
  const Process process;
  const Library user("shim_user_lazy");
  RedirectModules();
  CHECK(user.Call("shim_call") == 10);
}

TEST_CASE("an unbound call of a module that brought its own allocator stays", "[shim][redirect]") {
  const Process process;
  const Library user("shim_user_lazy");
  g_next.bypassed = false;
  g_deeply_bound.store(true);
  RedirectModules();
  CHECK(user.Call("shim_call") == 1);
  RedirectModules();  // bound by now, to what is known to be the allocator's
  CHECK(user.Call("shim_call") == 10);
}

TEST_CASE("a word that leads elsewhere than to the allocator stays", "[shim][redirect][G1]") {
  const Process process;
  const Library user("shim_user_now");
  *user.Get<int (*)()>("shim_variable") = &SomebodyElses;
  RedirectModules();
  CHECK(user.Call("shim_call_variable") == 100);
  CHECK(user.Call("shim_call") == 10);
}

TEST_CASE("what the allocator does not have is not redirected", "[shim][redirect][G1]") {
  const Process process;
  const Library user("shim_user_now");
  g_entry.original = 0;
  RedirectModules();
  CHECK(user.Call("shim_call") == 1);
  CHECK(user.Call("shim_call_variable") == 1);
}

TEST_CASE("the allocator's calls of itself are no requests, the C library's are",
          "[shim][redirect][G2]") {
  const Process process;
  RedirectModules();
  CHECK(process.allocator.Call("shim_take_twice") == 2);
  g_next.is_c_library = true;
  RedirectModules();
  CHECK(process.allocator.Call("shim_take_twice") == 20);
}

TEST_CASE("modules that come later are redirected when they are looked for", "[shim][redirect]") {
  const Process process;
  RedirectModules();
  const Library user("shim_user_now");
  CHECK(user.Call("shim_call") == 1);
  g_next.can_redirect = false;
  RedirectNewModules(true);
  CHECK(user.Call("shim_call") == 1);
  g_next.can_redirect = true;
  RedirectNewModules(false);
  CHECK(user.Call("shim_call") == 10);
}

TEST_CASE("coverage counts the words that lead to the hooks, and names modules with others",
          "[shim][redirect]") {
  const Process process;
  const Library user("shim_user_now");
  Coverage before{};
  MeasureCoverage(&before);
  CHECK(before.references == 2);  // its table, and the variable that holds the same function
  CHECK(before.covered == 0);
  CHECK(std::string(before.uncovered).find("libshim_user_now.so") != std::string::npos);
  CHECK(user.Call("shim_call") == 1);  // it looks, and changes nothing
  RedirectModules();
  Coverage after{};
  MeasureCoverage(&after);
  CHECK(after.references == after.covered);
  CHECK(after.covered >= 1);
  CHECK(std::string(after.uncovered).empty());
}

}  // namespace heapgauge
