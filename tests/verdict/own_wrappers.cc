// Programs with allocation functions of their own, under names that nobody has heard of.
//
//   own_wrappers MODE SECONDS
//     layers     one above the other, four deep; each caller has its own size, not far from the
//     others' siblings   three of them, none of which passes half of what the program allocates
//     everybody  a hundred and fifty callers, each of which leaks a little of its own size
//     callbacks  the program's function under a library without names: the line that called the
//     library leaks library    the same without: the library asks malloc three      three callers
//     leak through one wrapper, a third each named      one wrapper that passes a small part alone,
//     told by HEAPGAUGE_WRAPPERS clones     two instances of one function read alike: who called
//     them tells which one leaks
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>
#include <utility>

#include "nameless.h"

#define NOINLINE __attribute__((noinline, noclone))

static uint32_t g_random = 11;
static uint32_t Random() { return (g_random = g_random * 1664525 + 1013904223) >> 8; }
NOINLINE static void* Touched(void* block, size_t bytes) {
  memset(block, 1, bytes);
  return block;
}

// Four layers, as a pool has them.
NOINLINE static void* AreaOf(size_t bytes) { return Touched(malloc(bytes), bytes); }
NOINLINE static void* FillShelf(size_t bytes) { return Touched(AreaOf(bytes + 8), bytes); }
NOINLINE static void* TakeDown(size_t bytes) { return Touched(FillShelf(bytes), bytes); }
NOINLINE static void* ShelfGet(size_t bytes) { return Touched(TakeDown(bytes + 8), bytes); }
NOINLINE static void OpenTicket() { ShelfGet(1040); }
NOINLINE static void ReadRequest() { free(ShelfGet(900)); }
NOINLINE static void WriteAnswer() { free(ShelfGet(1230)); }
NOINLINE static void Layers() {
  ReadRequest();
  WriteAnswer();
  if (Random() % 4 == 0) OpenTicket();
}

// Three beside each other.
NOINLINE static void* BrokerGet(size_t bytes) { return Touched(malloc(bytes), bytes); }
NOINLINE static void* BrokerZero(size_t count, size_t bytes) {
  return Touched(calloc(count, bytes), count * bytes);
}
NOINLINE static char* BrokerCopy(const char* text) {
  const size_t bytes = strlen(text) + 1;
  return static_cast<char*>(memcpy(malloc(bytes), text, bytes));
}
static char g_long[1201], g_short[401], g_middle[801];
NOINLINE static void ReadPacket() { free(BrokerGet(1500)); }
NOINLINE static void QueueMessage() { free(BrokerGet(300)); }
NOINLINE static void WritePacket() { free(BrokerGet(700)); }
NOINLINE static void NewSession() { free(BrokerZero(2, 600)); }
NOINLINE static void NewTimer() { free(BrokerZero(1, 200)); }
NOINLINE static void NewBridge() { free(BrokerZero(3, 200)); }
NOINLINE static void ParseTopic() { free(BrokerCopy(g_long)); }
NOINLINE static void KeepName() { free(BrokerCopy(g_short)); }
NOINLINE static void LoseSubscription() { BrokerCopy(g_middle); }
NOINLINE static void Siblings() {
  ReadPacket(), QueueMessage(), WritePacket();
  NewSession(), NewTimer(), NewBridge();
  ParseTopic(), KeepName();
  if (Random() % 2 == 0) LoseSubscription();
}

NOINLINE static void* StoreGet(size_t bytes) { return Touched(malloc(bytes), bytes); }
// No template functions: those would be one call site.
#define HANDLER(n)                                \
  NOINLINE static void Handle##n() {              \
    free(StoreGet(900 + 2 * n));                  \
    if (Random() % 4 == 0) StoreGet(100 + 7 * n); \
  }
// clang-format off
#define TEN(n)                                                                  \
  HANDLER(n##0) HANDLER(n##1) HANDLER(n##2) HANDLER(n##3) HANDLER(n##4)         \
  HANDLER(n##5) HANDLER(n##6) HANDLER(n##7) HANDLER(n##8) HANDLER(n##9)
TEN(1) TEN(2) TEN(3) TEN(4) TEN(5) TEN(6) TEN(7) TEN(8) TEN(9) TEN(10) TEN(11) TEN(12) TEN(13) TEN(14) TEN(15)
// clang-format on
#define NAMES(n)                                                                      \
  Handle##n##0, Handle##n##1, Handle##n##2, Handle##n##3, Handle##n##4, Handle##n##5, \
      Handle##n##6, Handle##n##7, Handle##n##8, Handle##n##9
        static void (*const kHandlers[])() = {
            NAMES(1), NAMES(2),  NAMES(3),  NAMES(4),  NAMES(5),  NAMES(6),  NAMES(7), NAMES(8),
            NAMES(9), NAMES(10), NAMES(11), NAMES(12), NAMES(13), NAMES(14), NAMES(15)};
NOINLINE static void Handlers() { kHandlers[Random() % (sizeof kHandlers / sizeof *kHandlers)](); }

// The library asks through a function that the program gave it.
NOINLINE static void* OurMemory(size_t bytes) { return Touched(malloc(bytes), bytes); }
NOINLINE static void OpenDocument() { nameless_build(Random() % 1000, OurMemory); }
NOINLINE static void Preview() { nameless_release(nameless_build(Random() % 1000, OurMemory)); }
NOINLINE static void Thumbnail() { free(Touched(OurMemory(2500), 2500)); }
NOINLINE static void Callbacks() {
  Preview();
  Thumbnail();
  if (Random() % 2 == 0) OpenDocument();
}

// The leak is a row of blocks that forty functions of the library ask for.
NOINLINE static void ParseMessage() { nameless_build(Random() % 1000, malloc); }
NOINLINE static void CheckMessage() { nameless_release(nameless_build(Random() % 1000, malloc)); }
NOINLINE static void Library() {
  CheckMessage();
  if (Random() % 4 == 0) ParseMessage();
}

NOINLINE static void* DepotGet(size_t bytes) { return Touched(malloc(bytes), bytes); }
NOINLINE static void LoseFirst() { DepotGet(300); }
NOINLINE static void LoseSecond() { DepotGet(600); }
NOINLINE static void LoseThird() { DepotGet(900); }
NOINLINE static void UseDepot() { free(DepotGet(2500)); }
NOINLINE static void Three() {
  UseDepot();
  if (Random() % 2 == 0) LoseFirst();
  if (Random() % 4 == 0) LoseSecond();
  if (Random() % 6 == 0) LoseThird();
}

// A small part of what the program asks for.
NOINLINE static void* VaultGet(size_t bytes) { return Touched(malloc(bytes), bytes); }
NOINLINE static void UseVault() { free(VaultGet(500)); }
NOINLINE static void LoseKey() { VaultGet(500); }
NOINLINE static void Named() {
  free(Touched(malloc(9000), 9000));
  UseVault();
  if (Random() % 2 == 0) LoseKey();
}

// Without lines, both calls of one function read the same.
__attribute__((noipa)) static void Build(bool lost) {
  if (lost) {
    Touched(malloc(700), 700);
  } else {
    static void* ring[400];
    static unsigned next = 0;
    free(ring[++next % 400]);
    ring[next % 400] = Touched(malloc(700), 700);
  }
}
NOINLINE static void LoseIt() { Build(true); }
NOINLINE static void UseIt() { Build(false); }
NOINLINE static void Clones() {
  UseIt();
  if (Random() % 3 == 0) LoseIt();
}

int main(int count, char** arguments) {
  if (count != 3) return 2;
  const std::string mode = arguments[1];
  memset(g_long, 'l', sizeof g_long - 1);
  memset(g_short, 's', sizeof g_short - 1);
  memset(g_middle, 'm', sizeof g_middle - 1);
  const auto begin = std::chrono::steady_clock::now();
  const double end = atof(arguments[2]);
  for (double now = 0; now < end;) {
    now = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    for (int i = 0; i < 20; ++i) {
      if (mode == "layers") Layers();
      if (mode == "siblings") Siblings();
      if (mode == "everybody") Handlers();
      if (mode == "callbacks") Callbacks();
      if (mode == "library") Library();
      if (mode == "three") Three();
      if (mode == "named") Named();
      if (mode == "clones") Clones();
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return 0;
}
