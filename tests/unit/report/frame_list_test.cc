#include "report/frame_list.h"

#include <catch2/catch.hpp>

#include "report/history_batch.h"
#include "report/json_writer.h"
#include "unit/report/sample_report.h"

namespace heapgauge {
namespace {

Frame FrameNamed(const char* function) {
  Frame frame;
  frame.function = function;
  return frame;
}

TEST_CASE("copies of a list of frames share it until one is edited", "[report]") {
  FrameList list = {FrameNamed("inner"), FrameNamed("outer")};
  const FrameList copy = list;
  CHECK(copy.identity() == list.identity());
  CHECK(copy == list);
  list.Edit()[0].function = "another";
  CHECK(copy[0].function == "inner");
  CHECK(list[0].function == "another");
  CHECK_FALSE(copy == list);
  list.Edit()[0].function = "inner";
  CHECK(copy == list);  // by what they hold

  FrameList none;
  CHECK(none.empty());
  CHECK(none == FrameList(std::vector<Frame>()));
  none.Edit().push_back(list[1]);
  CHECK(none.size() == 1);
}

TEST_CASE("stacks that are kept are written as others are, also once they are edited",
          "[report][json]") {
  Report report = LeakingCheckout();
  const std::string plain = ToJson(report);
  for (Site& site : report.sites) site.frames.Keep();
  CHECK(ToJson(report) == plain);
  REQUIRE(report.sites[0].frames.kept_json() != nullptr);
  CHECK_FALSE(report.sites[0].frames.kept_json()->empty());
  CHECK(ToJson(report) == plain);

  report.sites[0].frames.Edit()[0].function = "renamed";
  Report fresh = LeakingCheckout();
  fresh.sites[0].frames.Edit()[0].function = "renamed";
  CHECK(ToJson(report) == ToJson(fresh));

  // Each report of a batch, though only the first of them makes a text of the stacks.
  HistoryPacker kept;
  HistoryPacker others;
  for (int n = 0; n < 3; ++n) {
    kept.Add(report, 100);
    others.Add(fresh, 100);
  }
  CHECK(kept.Take() == others.Take());
}

}  // namespace
}  // namespace heapgauge
