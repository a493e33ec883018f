// Static objects that allocate in their constructors and free in their destructors, after main.
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "victim.h"

namespace {

class Holder {
 public:
  explicit Holder(size_t bytes) : bytes_(bytes), block_(new char[bytes]) { victim_hold(bytes); }
  ~Holder() {
    delete[] block_;
    victim_drop(bytes_);
    // As a logger would, at the very end.
    std::string last(300, 'x');
    last += "y";
    if (bytes_ == 10000) puts("first object destroyed last");
  }

 private:
  size_t bytes_;
  char* block_;
};

Holder g_first(10000);

// Before main() is reached: the account is right already.  Runs after g_first's constructor, and
// its destructor before g_first's.
struct Witness {
  Witness() { victim_check("in a static constructor"); }
  ~Witness() { victim_check("in a static destructor"); }
} g_witness;

std::map<int, std::unique_ptr<Holder>> g_map;
Holder& Lazy() {
  static Holder holder(30000);
  return holder;
}

}  // namespace

int main() {
  for (int i = 0; i < 500; ++i)
    g_map.emplace(i, std::make_unique<Holder>(static_cast<size_t>(i) * 10 + 1));
  for (int i = 0; i < 500; ++i) victim_hold(sizeof(Holder));
  // The map's nodes are allocated by code instantiated in this executable too.
  for (int i = 0; i < 500; ++i)
    victim_hold(sizeof(std::_Rb_tree_node<decltype(g_map)::value_type>));
  Lazy();
  victim_check("in main");
  g_map.clear();
  for (int i = 0; i < 500; ++i) victim_drop(sizeof(Holder));
  for (int i = 0; i < 500; ++i)
    victim_drop(sizeof(std::_Rb_tree_node<decltype(g_map)::value_type>));
  victim_check("map cleared");
  puts("main done");
  return 0;
}
