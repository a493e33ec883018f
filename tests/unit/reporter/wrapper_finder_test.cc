#include "reporter/wrapper_finder.h"

#include <catch2/catch.hpp>
#include <cstring>
#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

namespace heapgauge {
namespace {

class Program final {
 public:
  explicit Program(std::string_view globs = "") : finder_(globs) {}

  // `way`: functions from the allocator outwards.
  Program& Calls(std::initializer_list<const char*> way, double size, uint64_t samples = 100) {
    WrapperFinder::Flow& flow = flows_.emplace_back();
    for (const char* name : way) flow.functions.push_back(finder_.Intern("/bin/program", name));
    flow.objects = static_cast<double>(samples) * 10;
    flow.bytes = flow.objects * size;
    flow.samples = samples;
    return *this;
  }
  Program& CallsAt(std::initializer_list<const char*> way, std::vector<uint32_t> lines,
                   double size) {
    Calls(way, size);
    flows_.back().lines = std::move(lines);
    return *this;
  }
  bool Find() { return finder_.Find(flows_); }
  bool IsWrapper(const char* name) const { return finder_.IsWrapper("/bin/program", name); }

 private:
  WrapperFinder finder_;
  std::vector<WrapperFinder::Flow> flows_;
};

TEST_CASE("a function that serves many callers with all sizes is a wrapper",
          "[reporter][wrappers]") {
  Program program;
  program.Calls({"srv_get", "read_header", "main"}, 100)
      .Calls({"srv_get", "read_body", "main"}, 3000)
      .Calls({"srv_get", "log_line", "main"}, 400)
      .Calls({"build_index", "main"}, 500);
  CHECK(program.Find());
  CHECK(program.IsWrapper("srv_get"));
  CHECK_FALSE(program.IsWrapper("read_body"));
  CHECK_FALSE(program.IsWrapper("build_index"));
  CHECK_FALSE(program.IsWrapper("main"));
  CHECK_FALSE(program.Find());  // nothing new
}

TEST_CASE("layers of wrappers are found from the inside outwards", "[reporter][wrappers]") {
  Program program;
  program.Calls({"get_at", "get", "pool_take", "keep"}, 700)
      .Calls({"get_at", "get", "pool_take", "decode"}, 3000)
      .Calls({"get_at", "get", "write_log"}, 200);
  CHECK(program.Find());
  CHECK(program.IsWrapper("get_at"));
  CHECK(program.IsWrapper("get"));
  CHECK(program.IsWrapper("pool_take"));
  CHECK_FALSE(program.IsWrapper("keep"));
}

TEST_CASE("layers that have one caller each are found through four of them",
          "[reporter][wrappers]") {
  Program program;
  program.Calls({"area", "fill", "take", "get", "open_ticket"}, 1040)
      .Calls({"area", "fill", "take", "get", "read_request"}, 600)
      .Calls({"area", "fill", "take", "get", "write_answer"}, 1230)
      .Calls({"take", "get", "write_log"}, 90);  // from what was there already
  CHECK(program.Find());
  for (const char* name : {"area", "fill", "take", "get"}) CHECK(program.IsWrapper(name));
  CHECK_FALSE(program.IsWrapper("open_ticket"));
}

TEST_CASE("a function that asks at several lines below its callers is no layer",
          "[reporter][wrappers]") {
  Program program;
  for (const char* caller : {"on_get", "on_put", "on_list"}) {
    const double size = 100.0 * static_cast<double>(strlen(caller) * caller[3] % 97);
    program.CallsAt({"make_node", "parse", "handle", caller}, {1, 2, 10, 20}, size)
        .CallsAt({"make_node", "parse", "handle", caller}, {1, 3, 11, 20}, size);
  }
  CHECK_FALSE(program.Find());
}

TEST_CASE("sizes that differ by little tell callers apart when many samples say so",
          "[reporter][wrappers]") {
  for (const uint64_t samples : {uint64_t{30}, uint64_t{3000}}) {
    Program program;
    program.Calls({"get", "a"}, 900, samples)
        .Calls({"get", "b"}, 1000, samples)
        .Calls({"get", "c"}, 1200, samples);
    CHECK(program.Find() == (samples == 3000));
  }
}

TEST_CASE("allocation functions beside each other are wrappers together", "[reporter][wrappers]") {
  Program program;
  for (const char* name : {"get", "get_zeroed", "copy_of"}) {
    program.Calls({name, "read_packet"}, 1500)
        .Calls({name, "queue"}, 300)
        .Calls({name, "timer"}, 60);
  }
  program.Calls({"own", "other"}, 800);
  CHECK(program.Find());
  for (const char* name : {"get", "get_zeroed", "copy_of"}) CHECK(program.IsWrapper(name));
  CHECK_FALSE(program.IsWrapper("own"));
  CHECK_FALSE(program.IsWrapper("read_packet"));

  Program part;
  part.Calls({"text", "a"}, 10).Calls({"text", "b"}, 400).Calls({"text", "c"}, 90);
  part.Calls({"frame", "a"}, 100).Calls({"frame", "b"}, 100).Calls({"big", "c"}, 2000);
  CHECK_FALSE(part.Find());
}

TEST_CASE("a function that makes one kind of object is the line that asked",
          "[reporter][wrappers]") {
  Program program;
  program.Calls({"make_node", "insert"}, 48)
      .Calls({"make_node", "split"}, 48)
      .Calls({"make_node", "load"}, 48);
  CHECK_FALSE(program.Find());
}

TEST_CASE("a function with call sites below it is no wrapper", "[reporter][wrappers]") {
  Program program;
  for (const char* handler : {"on_a", "on_b", "on_c", "on_d"}) {
    program.Calls({"work", "serve", handler}, 3000).Calls({"note", "serve", handler}, 600);
  }
  CHECK_FALSE(program.Find());
}

TEST_CASE("a part of the module's allocation, or too few samples, make no wrapper",
          "[reporter][wrappers]") {
  Program part;
  part.Calls({"get", "a"}, 10)
      .Calls({"get", "b"}, 300)
      .Calls({"get", "c"}, 100)
      .Calls({"big"}, 9000);
  CHECK_FALSE(part.Find());
  Program few;
  few.Calls({"get", "a"}, 10, 5).Calls({"get", "b"}, 300, 5).Calls({"get", "c"}, 100, 5);
  CHECK_FALSE(few.Find());
}

TEST_CASE("recursion through a wrapper does not hide it", "[reporter][wrappers]") {
  Program program;
  program.Calls({"get", "parse", "get", "parse"}, 100)
      .Calls({"get", "emit"}, 900)
      .Calls({"get", "load"}, 5000);
  CHECK(program.Find());
  CHECK(program.IsWrapper("get"));
}

TEST_CASE("names that the user calls wrappers are, with their namespaces or without",
          "[reporter][wrappers]") {
  Program program("xget, pool_*,app::Arena::*");
  CHECK(program.IsWrapper("xget"));
  CHECK(program.IsWrapper("pool_take"));
  CHECK(program.IsWrapper("app::pool_take<int>(unsigned long)"));
  CHECK(program.IsWrapper("app::Arena::Get(unsigned long)"));
  CHECK_FALSE(program.IsWrapper("app::Cart::Get(unsigned long)"));
  CHECK_FALSE(program.IsWrapper(""));
}

}  // namespace
}  // namespace heapgauge
