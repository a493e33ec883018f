// Memory ends in the midst of a report: an exception, and never the end of the process.
//
// Every allocation from the n-th on fails, for every n until all succeed.  What the writers have
// built by then is destroyed without memory, and a destructor that asks for some would call
// std::terminate().
#include <catch2/catch.hpp>
#include <cstdlib>
#include <new>
#include <string>
#include <vector>

#include "alert/alert.h"
#include "alert/alert_request.h"
#include "report/json_text.h"
#include "report/json_writer.h"
#include "report/pprof_writer.h"
#include "report/text_writer.h"
#include "unit/report/sample_report.h"

namespace {

thread_local bool t_armed = false;
thread_local size_t t_left = 0;

void* AllocateOrFail(size_t bytes) noexcept {
  if (t_armed && t_left-- == 0) {
    t_left = 0;  // and so will all that follow
    return nullptr;
  }
  return std::malloc(bytes == 0 ? 1 : bytes);
}

void* AllocateOrThrow(size_t bytes) {
  void* const block = AllocateOrFail(bytes);
  if (block == nullptr) throw std::bad_alloc();
  return block;
}

}  // namespace

void* operator new(size_t bytes) { return AllocateOrThrow(bytes); }
void* operator new[](size_t bytes) { return AllocateOrThrow(bytes); }
void* operator new(size_t bytes, const std::nothrow_t&) noexcept { return AllocateOrFail(bytes); }
void* operator new[](size_t bytes, const std::nothrow_t&) noexcept { return AllocateOrFail(bytes); }
void operator delete(void* block) noexcept { std::free(block); }
void operator delete[](void* block) noexcept { std::free(block); }
void operator delete(void* block, size_t) noexcept { std::free(block); }
void operator delete[](void* block, size_t) noexcept { std::free(block); }

namespace heapgauge {
namespace {

// How many allocations `work` makes, after each of them has been the first to fail.
template <typename Work>
size_t FailEach(Work work) {
  for (size_t n = 0;; ++n) {
    bool failed = false;
    t_left = n;
    t_armed = true;
    try {
      work();
    } catch (const std::bad_alloc&) {
      failed = true;
    }
    t_armed = false;
    if (!failed) return n;
  }
}

TEST_CASE("memory that ends while a report is written ends the report alone", "[report]") {
  Report report = LeakingCheckout();
  // One of a kind is enough, and the number of ways to fail is the square of its size.
  report.sites.resize(2);
  CHECK(FailEach([&] { ToJson(report); }) > 5);
  CHECK(FailEach([&] { ToText(report); }) > 50);
  CHECK(FailEach([&] { ToPprof(report); }) > 20);
}

TEST_CASE("memory that ends while an alert is written ends the alert alone", "[report]") {
  const Report report = LeakingCheckout();
  const Alert alert = MakeAlert(report, &report.sites.front());
  const std::vector<Alert> alerts{alert, MakeAlert(report, nullptr)};
  CHECK(FailEach([&] { MakeAlert(report, &report.sites.front()); }) > 5);
  CHECK(FailEach([&] { ToJson(alert); }) > 5);
  CHECK(FailEach([&] { ToAlertmanager(alerts, 60'000); }) > 20);
  const AlertRequest request{.host_pid = 1,
                             .exec = std::string(50, 'x'),
                             .events = {std::string(50, 'a'), std::string(50, 'b')},
                             .url = std::string(50, 'u'),
                             .body = std::string(50, 'y')};
  CHECK(FailEach([&] { EncodeAlertRequest(request); }) > 2);
}

TEST_CASE("JSON text nests, separates and escapes", "[report]") {
  JsonText json;
  json.BeginObject().Add("a", 1).Add("b", "x\"\n\x80").Add("c", nullptr).Add("d", true);
  json.BeginArray("e").Element(0.5).Element(-3).BeginObject().End().BeginArray().End().End();
  json.BeginObject("f").Add("g", std::optional<double>()).Add("h", std::optional<int>(7)).End();
  json.Add("i", std::string("z")).Add("j", 1e300).Add("k", 2.0).End();
  CHECK(json.Take() ==
        "{\"a\":1,\"b\":\"x\\\"\\n\xEF\xBF\xBD\",\"c\":null,\"d\":true,"
        "\"e\":[0.5,-3,{},[]],\"f\":{\"g\":null,\"h\":7},\"i\":\"z\",\"j\":1e+300,\"k\":2}");
}

}  // namespace
}  // namespace heapgauge
