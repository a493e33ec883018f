// Ways in which a library asks for memory through functions of its own.  Each WAY is built into a shared
// object, of which most allocation passes through what it has of its own: the line that loses something is
// to be found behind it.  verdict_ways runs them all.
#include <cstdarg>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory_resource>
#include <string>
#include <vector>

#include "ways.h"

#define KEPT_CALL __attribute__((noinline, noclone)) static

namespace {

#if defined(WAY_POOL)
// Three layers, of which the inner ones have one caller each.
struct Pool {
  size_t used = 0;
};
Pool g_pool;
KEPT_CALL void* PoolSystem(Pool& pool, size_t bytes) {
  pool.used += bytes;
  return WayTouched(malloc(bytes + 16), bytes);
}
KEPT_CALL void* PoolPage(Pool& pool, size_t bytes) {
  return WayTouched(PoolSystem(pool, (bytes + 63) / 64 * 64), bytes);
}
KEPT_CALL void* PoolArea(Pool& pool, size_t bytes) {
  return WayTouched(PoolPage(pool, bytes + 8), bytes);
}
KEPT_CALL void LoseStream() { WayTouched(PoolArea(g_pool, 500), 500); }
KEPT_CALL void Accept() { free(PoolArea(g_pool, 100 + WayRandom() % 900)); }
KEPT_CALL void Read() { free(PoolArea(g_pool, 2000 + WayRandom() % 900)); }
KEPT_CALL void Note() { free(PoolArea(g_pool, 30 + WayRandom() % 60)); }
void Run(bool loses) {
  Accept(), Read(), Note();
  if (loses) LoseStream();
}

#elif defined(WAY_TEMPLATE)
// An allocator of containers; two calls of one function lose something, and without lines read alike.
template <typename T>
struct Arena {
  using value_type = T;
  Arena() = default;
  template <typename U>
  Arena(const Arena<U>&) {}
  __attribute__((noinline)) T* allocate(size_t n) {
    return static_cast<T*>(WayTouched(malloc(n * sizeof(T)), n * sizeof(T)));
  }
  __attribute__((noinline)) void deallocate(T* block, size_t) { free(block); }
  bool operator==(const Arena&) const { return true; }
};
struct Order {
  char lines[300];
};
using Orders = std::vector<Order, Arena<Order> >;
KEPT_CALL void LoseOrders() {
  void* const place = WayTouched(malloc(sizeof(Orders)), sizeof(Orders));
  (new (place) Orders)->resize(3);
}
KEPT_CALL void UseOrders() { Orders().resize(1 + WayRandom() % 5); }
KEPT_CALL void UseNames() {
  std::basic_string<char, std::char_traits<char>, Arena<char> > name(100 + WayRandom() % 3000, 'n');
  WayTouched(name.data(), 1);
}
KEPT_CALL void UseMap() {
  std::map<int, int, std::less<>, Arena<std::pair<const int, int> > > map;
  for (int i = 0; i < 20; ++i) map[i] = i;
}
void Run(bool loses) {
  UseOrders(), UseNames(), UseMap();
  if (loses) LoseOrders();
}

#elif defined(WAY_CLASS)
// operator new of a base class.
struct Base {
  __attribute__((noinline)) static void* operator new(size_t bytes) {
    return WayTouched(malloc(bytes), bytes);
  }
  __attribute__((noinline)) static void operator delete(void* block) { free(block); }
  virtual ~Base() = default;
};
template <size_t kBytes>
struct Sized : Base {
  char bytes[kBytes];
};
template <typename T>
Base* Make() {
  Base* volatile made = new T;
  return made;
}
KEPT_CALL void LoseMessage() { Make<Sized<400> >(); }
KEPT_CALL void DoJob() { delete Make<Sized<700> >(); }
KEPT_CALL void DoTick() { delete Make<Sized<90> >(); }
KEPT_CALL void DoBatch() { delete Make<Sized<2000> >(); }
void Run(bool loses) {
  DoJob(), DoTick(), DoBatch();
  if (loses) LoseMessage();
}

#elif defined(WAY_RUST)
// Names of Rust's, legacy and v0.
extern "C" __attribute__((noinline)) void* RustNew(size_t) asm(
    "_ZN5alloc5alloc15exchange_malloc17h0123456789abcdefE");
extern "C" __attribute__((noinline)) void* RustNew(size_t bytes) {
  return WayTouched(malloc(bytes), bytes);
}
extern "C" void RustOpen() asm("_ZN6server7session7Session4open17hfedcba9876543210E");
extern "C" __attribute__((noinline)) void RustOpen() { WayTouched(RustNew(500), 500); }
extern "C" void RustFeed() asm("_RNvMNtCsabc_6server6parserNtB2_6Parser4feed");
extern "C" __attribute__((noinline)) void RustFeed() { free(RustNew(100 + WayRandom() % 1900)); }
extern "C" void RustRoute() asm("_RNvNtCsabc_6server6router5route");
extern "C" __attribute__((noinline)) void RustRoute() { free(RustNew(50 + WayRandom() % 90)); }
void Run(bool loses) {
  RustFeed(), RustRoute();
  if (loses) RustOpen();
}

#elif defined(WAY_MIXIN)
// A base that makes whatever derives from it.
template <typename Derived>
struct Pooled {
  __attribute__((noinline)) Derived* Make() {
    return static_cast<Derived*>(WayTouched(malloc(sizeof(Derived)), sizeof(Derived)));
  }
};
struct Connection : Pooled<Connection> {
  char buffer[500];
};
struct Packet : Pooled<Packet> {
  char bytes[1200];
};
struct Frame : Pooled<Frame> {
  char bytes[80];
};
KEPT_CALL void LoseConnection() { WayTouched(Pooled<Connection>().Make(), 1); }
KEPT_CALL void UsePacket() { free(Pooled<Packet>().Make()); }
KEPT_CALL void UseFrame() { free(Pooled<Frame>().Make()); }
void Run(bool loses) {
  UsePacket(), UseFrame(), UseFrame();
  if (loses) LoseConnection();
}

#elif defined(WAY_FORMAT)
// A text is formatted by the C library, below a function with any number of arguments.
KEPT_CALL char* FormatList(const char* format, va_list values) {
  char* text = nullptr;
  return vasprintf(&text, format, values) < 0 ? nullptr : text;
}
__attribute__((noinline, format(printf, 1, 2))) char* FormatText(const char* format, ...) {
  va_list values;
  va_start(values, format);
  char* const text = FormatList(format, values);
  va_end(values);
  return text;
}
KEPT_CALL void LoseLine() { WayTouched(FormatText("%400d", 7), 1); }
KEPT_CALL void Log() { free(FormatText("%*d", 100 + static_cast<int>(WayRandom() % 1000), 7)); }
KEPT_CALL void Warn() { free(FormatText("%s %900d", "careful:", 7)); }
KEPT_CALL void Trace() { free(FormatText("%60d", 7)); }
void Run(bool loses) {
  Log(), Warn(), Trace();
  if (loses) LoseLine();
}
#endif

}  // namespace

#define JOINED(a, b) a##b
#define RUN_OF(name) JOINED(Run, name)
#define DEFINE_RUN(name) \
  extern "C" void RUN_OF(name)(bool loses) { Run(loses); }
DEFINE_RUN(WAY_NAME)
