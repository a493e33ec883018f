// Loses and holds memory in the shapes that leak checkers are tested with, one for each argument; what
// is lost of each is known (shapes_test.py).
#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

extern "C" {
__attribute__((weak)) void __lsan_ignore_object(const void*);
__attribute__((weak)) void __lsan_disable();
__attribute__((weak)) void __lsan_enable();
__attribute__((weak)) void __lsan_register_root_region(const void*, size_t);
__attribute__((weak)) void __lsan_unregister_root_region(const void*, size_t);
__attribute__((weak)) void __lsan_do_leak_check();
__attribute__((weak)) int __lsan_do_recoverable_leak_check();
__attribute__((used)) const char* __lsan_default_suppressions() {
  return "# the program's own\nleak:SuppressedByItself\n";
}
}

uintptr_t g_hidden;  // all bits of an address turned

namespace {

struct Node {
  Node* left = nullptr;
  Node* right = nullptr;
  char load[48] = {};
};

void* g_held[8];

// So that no register and no dead part of the stack keeps what was lost.
__attribute__((noinline)) void Wipe() {
  volatile char room[16384];
  for (size_t i = 0; i < sizeof(room); ++i) room[i] = 0;
}
__attribute__((noinline)) void* Fill(void* block, size_t bytes) { return memset(block, 1, bytes); }
__attribute__((noinline)) void Lose(size_t bytes) { Fill(malloc(bytes), bytes); }

// LeakSanitizer's API
__attribute__((noinline)) void Ignore() {
  Node* const node = new Node;
  node->left = new Node;
  node->left->left = new Node;
  __lsan_ignore_object(node);
}
__attribute__((noinline)) void Disable() {
  __lsan_disable();
  __lsan_disable();
  __lsan_enable();
  Node* const node = new Node;
  __lsan_enable();
  node->left = new Node;  // hangs on it
}
void DisableAndLose() {
  Disable();
  Lose(100);
}
void DisableElsewhere() {
  __lsan_disable();
  std::thread([] { Lose(120); }).join();
  __lsan_enable();
}
__attribute__((noinline)) void RootRegion() {
  void** const region = static_cast<void**>(
      mmap(nullptr, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  region[100] = Fill(malloc(90), 90);
  __lsan_register_root_region(region, 8192);
}
void Recoverable() {
  const int before = __lsan_do_recoverable_leak_check();
  Wipe();
  Lose(64);
  Wipe();
  exit(40 + 10 * before + __lsan_do_recoverable_leak_check());
}
void CheckEarly() {
  __lsan_do_leak_check();
  Lose(64);  // later: nobody asks any more
  Wipe();
  exit(6);
}
void CheckAndEnd() {
  Lose(64);
  Wipe();
  __lsan_do_leak_check();
  exit(6);
}
__attribute__((noinline)) void SuppressedByItself() { Lose(70); }

// Shapes that are held
__attribute__((noinline)) void OnCoroutineStack() {
  static ucontext_t caller;
  static ucontext_t coroutine;
  char* const stack = static_cast<char*>(
      mmap(nullptr, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  getcontext(&coroutine);
  coroutine.uc_stack.ss_sp = stack;
  coroutine.uc_stack.ss_size = 65536;
  coroutine.uc_link = &caller;
  makecontext(
      &coroutine,
      [] {
        void* volatile mine = Fill(malloc(80), 80);
        swapcontext(&coroutine, &caller);
        free(mine);
      },
      0);
  swapcontext(&caller, &coroutine);
}
// In a register of a thread that runs, and nowhere else.
void InRegister() {
  static std::atomic<bool> there{false};
  std::thread([] {
    uintptr_t mine = reinterpret_cast<uintptr_t>(Fill(malloc(96), 96));
    Wipe();
    there = true;
#if defined(__x86_64__)
    __asm__ volatile("1: pause\n jmp 1b" : "+r"(mine));
#else
    for (;;) g_held[7] = reinterpret_cast<void*>(mine);
#endif
  }).detach();
  while (!there) usleep(1000);
  usleep(20000);
}
struct WithDestructor {
  int64_t value = 0;
  ~WithDestructor() { value = 1; }
};
struct First {
  virtual ~First() = default;
  int64_t value = 1;
};
struct Second {
  virtual ~Second() = default;
  int64_t value = 2;
};
struct Both : First, Second {};
__attribute__((noinline)) void Interior() {
  g_held[0] = new WithDestructor[3];           // behind the count
  g_held[1] = static_cast<Second*>(new Both);  // the second base
  g_held[2] = new WithDestructor[0];           // one past
  g_held[3] = static_cast<char*>(Fill(malloc(100), 100)) + 99;
}
// What the kernel alone has: it gives it back when the descriptor is ready, when the timer is over.
__attribute__((noinline)) void InKernel() {
  epoll_event event = {};
  event.events = EPOLLIN;
  event.data.ptr = Fill(malloc(80), 80);
  epoll_ctl(epoll_create1(0), EPOLL_CTL_ADD, eventfd(0, 0), &event);
  event = {};
  sigevent told = {};
  told.sigev_signo = SIGUSR1;
  told.sigev_value.sival_ptr = Fill(malloc(90), 90);
  static int timer;
  syscall(SYS_timer_create, CLOCK_MONOTONIC, &told, &timer);
  told = {};
  __asm__ volatile("" : : "r"(&event), "r"(&told) : "memory");
}
// And its signals' stack.
__attribute__((noinline)) void SignalStack() {
  constexpr size_t kBytes = 65536;
  stack_t stack = {};
  stack.ss_sp = Fill(malloc(kBytes), kBytes);
  stack.ss_size = kBytes;
  sigaltstack(&stack, nullptr);
  stack.ss_sp = nullptr;
}
// Threads that are over, and what they returned
std::atomic<pid_t> g_number;
void* ReturnOne(void*) {
  g_number = gettid();
  return Fill(malloc(90), 90);
}
void* ReturnNothing(void*) {
  g_number = gettid();
  return nullptr;
}
// Starts it, and comes back when it is gone.
__attribute__((noinline)) pthread_t Over(void* (*run)(void*), void* argument, bool detached) {
  g_number = 0;
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setdetachstate(&attributes,
                              detached ? PTHREAD_CREATE_DETACHED : PTHREAD_CREATE_JOINABLE);
  pthread_t thread;
  pthread_create(&thread, &attributes, run, argument);
  pthread_attr_destroy(&attributes);
  while (g_number == 0) usleep(1000);
  const std::string task = "/proc/self/task/" + std::to_string(g_number);
  while (access(task.c_str(), F_OK) == 0) usleep(1000);
  return thread;
}
void NotJoined() { Over(ReturnOne, nullptr, false); }
void Joined() { pthread_join(Over(ReturnOne, nullptr, false), nullptr); }
void Detached() { Over(ReturnOne, nullptr, true); }
void Argument() { Over(ReturnNothing, Fill(malloc(70), 70), false); }
// The process ends with its last thread; what main() had is over.
__attribute__((noinline)) void FirstLeaves() {
  void* volatile room[64];
  for (auto& word : room) word = Fill(malloc(44), 44);
  g_held[6] = Fill(malloc(45), 45);
  pthread_exit(nullptr);
}
__attribute__((noinline)) void FirstLeavesOthers() {
  static std::atomic<bool> there{false};
  std::thread([] {
    there = true;
    usleep(50000);
    Lose(46);
    Wipe();
  }).detach();
  while (!there) usleep(1000);
  FirstLeaves();
}
// Shapes that are lost
__attribute__((noinline)) void ToItself() {
  Node* const node = new Node;
  node->left = node;
}
__attribute__((noinline)) void Unaligned() {
  static char room[64];
  void* const lost = Fill(malloc(88), 88);
  memcpy(room + 3, &lost, sizeof(lost));
}
__attribute__((noinline)) void Hidden() {
  g_hidden = reinterpret_cast<uintptr_t>(Fill(malloc(88), 88)) ^ ~uintptr_t{0};
}
__attribute__((noinline)) void OnDeadStack() {
  void* volatile room[64];
  for (auto& word : room) word = nullptr;
  room[10] = Fill(malloc(56), 56);
}
__attribute__((noinline)) Node* Tree(int depth) {
  Node* const node = new Node;
  if (depth > 1) node->left = Tree(depth - 1);
  if (depth > 1) node->right = Tree(depth - 1);
  return node;
}
__attribute__((noinline)) void LoseTree() { Tree(5); }
__attribute__((noinline)) void HoldInnerTree() {
  Node* const tree = Tree(4);
  g_held[4] = tree->left;  // half of it is held
}
__attribute__((noinline)) void RingOf(size_t count) {
  std::vector<Node*> nodes;
  for (size_t i = 0; i < count; ++i) nodes.push_back(new Node);
  for (size_t i = 0; i < count; ++i) nodes[i]->left = nodes[(i + 1) % count];
  for (Node*& node : nodes) node = nullptr;
}
__attribute__((noinline)) void RingWithTail() {
  Node* const a = new Node;
  Node* const b = new Node;
  a->left = b;
  b->left = a;
  b->right = new Node;
  b->right->left = new Node;
}
__attribute__((noinline)) void HeldRing() {
  Node* const a = new Node;
  a->left = new Node;
  a->left->left = a;
  g_held[5] = a;
}
__attribute__((noinline)) void Large() { Fill(malloc(size_t{32} << 20), 100); }
struct Shared : std::enable_shared_from_this<Shared> {
  std::map<int, std::shared_ptr<Shared>> others;
  std::vector<std::function<void()>> callbacks;
  std::weak_ptr<Shared> back;
};
__attribute__((noinline)) void RingByMap() {
  const auto a = std::make_shared<Shared>();
  const auto b = std::make_shared<Shared>();
  a->others[1] = b;
  b->others[1] = a;
}
__attribute__((noinline)) void RingByFunction() {
  const auto a = std::make_shared<Shared>();
  a->callbacks.emplace_back([self = a->shared_from_this()] { self->others.clear(); });
}
__attribute__((noinline)) void WeakBack() {
  const auto a = std::make_shared<Shared>();
  const auto b = std::make_shared<Shared>();
  a->others[1] = b;
  b->back = a;
}
// As in the suites of bad and good code for CWE 401: each way to get memory, lost and freed.
__attribute__((noinline)) void Bad() {
  Fill(malloc(11), 11);
  Fill(calloc(2, 11), 22);
  Fill(realloc(malloc(3), 33), 33);
  Fill(strdup("four and forty, of which nobody knows any more"), 4);
  Fill(new char[55], 55);
  Fill(new Node, sizeof(Node));
  Fill(aligned_alloc(64, 128), 128);
}
__attribute__((noinline)) void Good() {
  free(Fill(malloc(11), 11));
  free(Fill(calloc(2, 11), 22));
  free(Fill(realloc(malloc(3), 33), 33));
  free(strdup("four and forty"));
  delete[] static_cast<char*>(Fill(new char[55], 55));
  delete new Node;
  free(Fill(aligned_alloc(64, 128), 128));
  const std::unique_ptr<Node> node = std::make_unique<Node>();
  const std::string text(1000, 'x');
}

const std::map<std::string, std::function<void()>>& Ways() {
  static const auto& ways = *new std::map<std::string, std::function<void()>>{
      {"ignore", Ignore},
      {"disable", Disable},
      {"disable_and_lose", DisableAndLose},
      {"disable_elsewhere", DisableElsewhere},
      {"root_region", RootRegion},
      {"recoverable", Recoverable},
      {"check_early", CheckEarly},
      {"check_and_end", CheckAndEnd},
      {"suppressed", SuppressedByItself},
      {"coroutine", OnCoroutineStack},
      {"register", InRegister},
      {"interior", Interior},
      {"kernel", InKernel},
      {"signal_stack", SignalStack},
      {"not_joined", NotJoined},
      {"joined", Joined},
      {"detached", Detached},
      {"argument", Argument},
      {"first_leaves", FirstLeaves},
      {"first_leaves_others", FirstLeavesOthers},
      {"to_itself", ToItself},
      {"unaligned", Unaligned},
      {"hidden", Hidden},
      {"dead_stack", OnDeadStack},
      {"tree", LoseTree},
      {"inner_tree", HoldInnerTree},
      {"ring_2", [] { RingOf(2); }},
      {"ring_5", [] { RingOf(5); }},
      {"ring_100", [] { RingOf(100); }},
      {"ring_with_tail", RingWithTail},
      {"held_ring", HeldRing},
      {"large", Large},
      {"ring_by_map", RingByMap},
      {"ring_by_function", RingByFunction},
      {"weak_back", WeakBack},
      {"bad", Bad},
      {"good", Good},
      // Whether it is there is no secret that a preloaded library may give away.
      {"absent", [] { exit(__lsan_ignore_object == nullptr ? 0 : 9); }},
  };
  return ways;
}

}  // namespace

int main(int count, char** arguments) {
  for (int i = 1; i < count; ++i) {
    const auto way = Ways().find(arguments[i]);
    if (way == Ways().end()) return 99;
    way->second();
    Wipe();
  }
  return 0;
}
