// Memory that is got in each usual way and goes each usual way, and then is lost or freed: as in the
// suites of bad and good code for CWE 401.  Nothing wipes the stack: what main() called has left its
// pointers there when the program ends.
//
//   cwe401              the names of the flows, and how many blocks each loses
//   cwe401 FLOW bad     each kind of memory goes that way and is lost
//   cwe401 FLOW good    ... and is freed
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <cwchar>
#include <list>
#include <map>
#include <string>
#include <vector>

namespace {

volatile bool g_true = true;
volatile int g_six = 6;

struct Pair {
  int one;
  int two;
};
struct Virtual {
  virtual ~Virtual() = default;
  int value = 0;
  char load[40] = {};
};

// The kinds: how it is got, used and freed.
template <typename Type, int kWay>
struct Kind {
  using T = Type;
  static T* Get() {
    if constexpr (kWay == 0) return static_cast<T*>(malloc(100 * sizeof(T)));
    if constexpr (kWay == 1) return static_cast<T*>(calloc(100, sizeof(T)));
    if constexpr (kWay == 2) return static_cast<T*>(realloc(nullptr, 100 * sizeof(T)));
    if constexpr (kWay == 3) return strdup("A String");
    if constexpr (kWay == 4) return wcsdup(L"A String");
    if constexpr (kWay == 5) return new T;
    if constexpr (kWay == 6) return new T[100];
  }
  static void Put(T* data) {
    if constexpr (kWay == 5) {
      delete data;
    } else if constexpr (kWay == 6) {
      delete[] data;
    } else {
      free(data);
    }
  }
};

template <typename K>
typename K::T* Source(typename K::T* data) {
  data = K::Get();
  return data;
}
template <typename K>
void Sink(typename K::T* data, bool good) {
  if (good) K::Put(data);
}
template <typename K>
void SinkByPointer(void* pointer, bool good) {
  typename K::T* data = *static_cast<typename K::T**>(pointer);
  if (good) K::Put(data);
}
template <typename K>
void Deep(typename K::T* data, int depth, bool good) {
  if (depth > 0) return Deep<K>(data, depth - 1, good);
  Sink<K>(data, good);
}

template <typename K>
void Plain(bool good) {
  typename K::T* data = nullptr;
  data = K::Get();
  if (good) K::Put(data);
}
template <typename K>
void Branches(bool good) {
  typename K::T* data = nullptr;
  if (g_true) data = K::Get();
  switch (g_six) {
    case 6:
      if (good) K::Put(data);
      break;
    default:
      break;
  }
}
template <typename K>
void Loops(bool good) {
  typename K::T* data = nullptr;
  for (int i = 0; i < 1; ++i) data = K::Get();
  while (g_true) {
    if (good) K::Put(data);
    break;
  }
}
template <typename K>
void Aliases(bool good) {
  typename K::T* data = nullptr;
  typename K::T** const one = &data;
  typename K::T*& other = data;
  *one = K::Get();
  if (good) K::Put(other);
}
template <typename K>
void Unions(bool good) {
  union {
    typename K::T* first;
    void* second;
  } both;
  both.first = K::Get();
  if (good) K::Put(static_cast<typename K::T*>(both.second));
}
template <typename K>
void Returned(bool good) {
  typename K::T* data = nullptr;
  data = Source<K>(data);
  if (good) K::Put(data);
}
template <typename K>
void Handed(bool good) {
  typename K::T* data = K::Get();
  void (*sink)(typename K::T*, bool) = Sink<K>;
  sink(data, good);
}
template <typename K>
void HandedByPointer(bool good) {
  typename K::T* data = K::Get();
  SinkByPointer<K>(&data, good);
}
template <typename K>
void HandedOn(bool good) {
  Deep<K>(K::Get(), 4, good);
}
template <typename K>
void Arrays(bool good) {
  typename K::T* data[5] = {};
  data[2] = K::Get();
  Sink<K>(data[2], good);
}
template <typename K>
void Vectors(bool good) {
  std::vector<typename K::T*> data;
  data.insert(data.end(), 3, K::Get());
  Sink<K>(data[2], good);
}
template <typename K>
void Lists(bool good) {
  std::list<typename K::T*> data;
  data.push_back(K::Get());
  Sink<K>(data.back(), good);
}
template <typename K>
void Maps(bool good) {
  std::map<int, typename K::T*> data;
  data[2] = K::Get();
  Sink<K>(data[2], good);
}
template <typename K>
struct Owner {
  explicit Owner(bool frees) : data(K::Get()), good(frees) {}
  ~Owner() {
    if (good) K::Put(data);
  }
  typename K::T* data;
  bool good;
};
template <typename K>
void Classes(bool good) {
  const Owner<K> owner(good);
}

template <typename... Kinds>
struct All {
  template <template <typename> typename Flow>
  static void Run(bool good) {
    (Flow<Kinds>()(good), ...);
  }
  static constexpr int kCount = sizeof...(Kinds);
};
using Memory = All<Kind<char, 0>, Kind<int, 0>, Kind<int64_t, 1>, Kind<Pair, 0>, Kind<wchar_t, 0>,
                   Kind<char, 2>, Kind<char, 3>, Kind<wchar_t, 4>, Kind<Pair, 5>, Kind<char, 5>,
                   Kind<int, 6>, Kind<Virtual, 5>, Kind<Virtual, 6>>;

#define FLOW(name)                                      \
  template <typename K>                                 \
  struct name##Flow {                                   \
    void operator()(bool good) const { name<K>(good); } \
  };
FLOW(Plain)
FLOW(Branches)
FLOW(Loops)
FLOW(Aliases)
FLOW(Unions)
FLOW(Returned)
FLOW(Handed)
FLOW(HandedByPointer)
FLOW(HandedOn)
FLOW(Arrays)
FLOW(Vectors)
FLOW(Lists)
FLOW(Maps)
FLOW(Classes)

struct Way {
  const char* name;
  void (*run)(bool good);
};
#define WAY(name) \
  { #name, Memory::Run < name##Flow> }
const Way kWays[] = {WAY(Plain),    WAY(Branches), WAY(Loops),   WAY(Aliases),
                     WAY(Unions),   WAY(Returned), WAY(Handed),  WAY(HandedByPointer),
                     WAY(HandedOn), WAY(Arrays),   WAY(Vectors), WAY(Lists),
                     WAY(Maps),     WAY(Classes)};

}  // namespace

int main(int count, char** arguments) {
  for (const Way& way : kWays) {
    if (count == 1) printf("%s %d\n", way.name, Memory::kCount);
    if (count == 3 && strcmp(way.name, arguments[1]) == 0)
      way.run(strcmp(arguments[2], "good") == 0);
  }
  return 0;
}
