// Allocates at one line, for as long as it is let; what holds it has types that are known at run time.
//
//   types    sessions with virtual functions, in a vector of a registry
//   rings    lost: pairs that own each other by std::shared_ptr
#include <time.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

namespace shop {

extern "C" __attribute__((noinline)) void* make_session_load() {
  constexpr size_t kBytes = 4000;
  void* const load = malloc(kBytes);
  memset(load, 7, kBytes);
  return load;
}

struct Session {
  explicit Session(void* with) : load(with) {}
  virtual ~Session() { free(load); }
  void* load;
};

struct Registry {
  int count = 0;
  std::vector<std::unique_ptr<Session>> sessions;
};
Registry g_registry;

struct Node {
  std::shared_ptr<Node> other;
  void* load = nullptr;
};

__attribute__((noinline)) void Wipe() {
  volatile char room[8192];
  for (size_t i = 0; i < sizeof(room); ++i) room[i] = 0;
}

__attribute__((noinline)) void MakeRing() {
  const auto a = std::make_shared<Node>();
  const auto b = std::make_shared<Node>();
  a->other = b;
  b->other = a;
  a->load = make_session_load();
}

}  // namespace shop

int main(int count, char** arguments) {
  if (count != 2) return 2;
  const std::string how = arguments[1];
  const timespec pause = {0, 5000000};
  while (getppid() != 1) {
    if (how == "types") {
      shop::g_registry.sessions.push_back(
          std::make_unique<shop::Session>(shop::make_session_load()));
    } else {
      shop::MakeRing();
      shop::Wipe();
    }
    nanosleep(&pause, nullptr);
  }
  return 0;
}
