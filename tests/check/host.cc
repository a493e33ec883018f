// Allocates as its argument says, and ends; what is lost then, and what is held, is known.
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace {

struct Node {
  Node* next = nullptr;
  std::shared_ptr<Node> owner;
  char load[40] = {};
};

void* g_held[8];
// Never destroyed: what a container holds whose destructor has run is lost.
auto& g_strings = *new std::vector<std::string*>;
auto& g_nodes = *new std::map<int, Node*>;
thread_local void* t_held;

// So that no register and no dead part of the stack keeps what was lost.
__attribute__((noinline)) void Wipe() {
  volatile char room[16384];
  for (size_t i = 0; i < sizeof(room); ++i) room[i] = 0;
}

__attribute__((noinline)) void LoseOne() {
  char* volatile block = static_cast<char*>(malloc(100));
  memset(block, 1, 100);
  block = nullptr;
}
__attribute__((noinline)) void LoseCopies() {
  char* volatile text = strdup("a text that nobody frees");
  wchar_t* volatile wide = static_cast<wchar_t*>(calloc(20, sizeof(wchar_t)));
  int64_t* volatile numbers = new int64_t[10];
  numbers[0] = text != nullptr && wide != nullptr;
  void* volatile grown = realloc(malloc(10), 3000);
  memset(grown, 0, 3000);
}
__attribute__((noinline)) void LoseChain() {
  Node* first = nullptr;
  for (int i = 0; i < 5; ++i) {
    Node* const node = new Node;
    node->next = first;
    first = node;
  }
}
__attribute__((noinline)) void LoseRing() {
  auto a = std::make_shared<Node>();
  auto b = std::make_shared<Node>();
  a->owner = b;
  b->owner = a;
}
__attribute__((noinline)) void LosePlainRing() {
  Node* const a = new Node;
  Node* const b = new Node;
  Node* const c = new Node;
  a->next = b;
  b->next = c;
  c->next = a;
}
__attribute__((noinline)) void LoseBehindFreed() {
  void** const holder = static_cast<void**>(malloc(64));
  holder[4] = malloc(77);
  memset(holder[4], 0, 77);
  g_held[0] = holder;  // a dangling pointer, to a block that still holds the other's address
  free(holder);
}
void* InThread(void*) {
  LoseOne();
  char* volatile kept_on_dead_stack = static_cast<char*>(malloc(60));
  kept_on_dead_stack[0] = 1;
  return nullptr;
}
void LoseInThread() {
  pthread_t thread;
  pthread_create(&thread, nullptr, InThread, nullptr);
  pthread_join(thread, nullptr);
}
__attribute__((noinline)) void LoseMany() {
  for (int i = 0; i < 20000; ++i) {
    char* volatile block = static_cast<char*>(malloc(24));
    block[0] = 1;
  }
}
__attribute__((noinline)) void LoseByFunctor() {
  auto* const tasks = new std::vector<std::function<int()>>;
  std::string text(100, 'x');
  tasks->push_back([text] { return static_cast<int>(text.size()); });
}
__attribute__((noinline)) void LoseWithContainer() {
  static std::vector<char*> destroyed_at_exit;
  for (int i = 0; i < 10; ++i) {
    destroyed_at_exit.push_back(new char[48]);
    memset(destroyed_at_exit.back(), 1, 48);  // an allocator may have left a pointer in it
  }
}
void LoseInChild() {
  // The child has this too, and no thread that knows it.
  std::atomic<bool> known{false};
  std::atomic<bool> over{false};
  std::thread other([&] {
    char* volatile of_the_parent = static_cast<char*>(malloc(70));
    known = true;
    while (!over) usleep(1000);
    free(of_the_parent);
  });
  while (!known) usleep(1000);
  const pid_t child = fork();
  if (child == 0) {
    LoseOne();
    Wipe();
    exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  over = true;
  other.join();
}

void HoldByGlobal() {
  g_held[1] = malloc(50);
  static void* held_too = malloc(51);
  g_held[2] = &held_too;
}
void HoldByContainers() {
  for (int i = 0; i < 100; ++i) {
    g_strings.push_back(new std::string(200, 'y'));
    g_nodes[i] = new Node;
  }
}
void HoldInside() {
  g_held[3] = static_cast<char*>(malloc(500)) + 250;
  g_held[4] = static_cast<char*>(malloc(64)) + 64;  // past its end
}
void HoldByThread() { t_held = malloc(70); }
void HoldByKey() {
  static pthread_key_t keys[40];
  for (pthread_key_t& key : keys) {
    pthread_key_create(&key, nullptr);
    pthread_setspecific(key, malloc(30));
  }
}
void HoldByPool() {
  void** const pool = static_cast<void**>(
      mmap(nullptr, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  pool[1000] = malloc(90);
  g_held[5] = pool;
}
void HoldByWaitingThread() {
  std::thread([] {
    void* volatile mine = malloc(80);
    for (;;) pause();
    free(mine);
  }).detach();
  usleep(100000);
}
struct FreesAtEnd {
  void* block = malloc(40);
  ~FreesAtEnd() { free(block); }
};
void HoldUntilEnd() {
  static FreesAtEnd frees;
  atexit([] { free(g_held[6]); });
  g_held[6] = malloc(41);
}
void HoldOnOwnStack() {
  void* volatile mine = malloc(33);
  static_cast<void>(mine);
  exit(0);  // from where it is still a variable
}
void Free() {
  for (int i = 0; i < 1000; ++i) free(malloc(static_cast<size_t>(i)));
  std::list<std::string> texts(100, std::string(99, 'z'));
}

const std::map<std::string, std::function<void()>> kWays = {
    {"one", LoseOne},
    {"copies", LoseCopies},
    {"chain", LoseChain},
    {"ring", LoseRing},
    {"plain_ring", LosePlainRing},
    {"behind_freed", LoseBehindFreed},
    {"thread", LoseInThread},
    {"many", LoseMany},
    {"functor", LoseByFunctor},
    {"container", LoseWithContainer},
    {"child", LoseInChild},
    {"global", HoldByGlobal},
    {"containers", HoldByContainers},
    {"inside", HoldInside},
    {"thread_local", HoldByThread},
    {"key", HoldByKey},
    {"pool", HoldByPool},
    {"waiting", HoldByWaitingThread},
    {"until_end", HoldUntilEnd},
    {"own_stack", HoldOnOwnStack},
    {"free", Free},
    {"seven", [] { exit(7); }},
    {"lost_seven", [] { LoseOne(), Wipe(), exit(7); }},
    {"killed", [] { raise(SIGTERM); }},
};

}  // namespace

int main(int count, char** arguments) {
  for (int i = 1; i < count; ++i) {
    const auto way = kWays.find(arguments[i]);
    if (way == kWays.end()) return 99;
    way->second();
    Wipe();
  }
  return 0;
}
