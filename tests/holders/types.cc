// Allocates at one line, for as long as it is let; what holds it has types that are known at run time.
//
//   types    sessions with virtual functions, in a vector of a registry
//   rings    lost: pairs that own each other by std::shared_ptr
//   reached  likewise, but a plain pointer to each pair is left in g_seen
//   parents  held: trees whose children point back by plain pointers, owned from g_owned
//   weak     held: the same by std::weak_ptr
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

std::vector<Node*> g_seen;

__attribute__((noinline)) void MakeReachedRing() {
  const auto a = std::make_shared<Node>();
  const auto b = std::make_shared<Node>();
  a->other = b;
  b->other = a;
  a->load = make_session_load();
  g_seen.push_back(a.get());
}

struct Tree {
  std::shared_ptr<Tree> child;
  Tree* parent = nullptr;
  std::weak_ptr<Tree> owner;
  void* load = nullptr;
};
std::vector<std::shared_ptr<Tree>> g_owned;

__attribute__((noinline)) void MakeTree(bool weak) {
  auto root = std::make_shared<Tree>();
  root->child = std::make_shared<Tree>();
  if (weak) {
    root->child->owner = root;
  } else {
    root->child->parent = root.get();
  }
  root->child->load = make_session_load();
  g_owned.push_back(std::move(root));
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
    } else if (how == "reached") {
      shop::MakeReachedRing();
      shop::Wipe();
    } else if (how == "parents" || how == "weak") {
      shop::MakeTree(how == "weak");
    } else {
      shop::MakeRing();
      shop::Wipe();
    }
    nanosleep(&pause, nullptr);
  }
  return 0;
}
