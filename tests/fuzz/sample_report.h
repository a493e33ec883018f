// A report with something in each part, as a seed for what reads and writes reports.
#ifndef HEAPGAUGE_TESTS_FUZZ_SAMPLE_REPORT_H_
#define HEAPGAUGE_TESTS_FUZZ_SAMPLE_REPORT_H_

#include <string>

#include "report/report.h"

namespace heapgauge::fuzz {

inline Report SampleReport(uint64_t sequence, bool odd) {
  Report report;
  report.sequence = sequence;
  report.time = "2026-11-22T02:14:07.123Z";
  report.uptime_s = 60 * static_cast<double>(sequence);
  report.pid = 4242;
  report.exe = odd ? "/srv/\xff\x1b[31m</script><b>\"\n" : "/srv/checkout";
  report.service = odd ? "caf\xc3\xa9 \"no. 1\"" : "checkout";
  report.sampling.interval_bytes = 524288;
  report.calls = {{odd ? "a\tb\x01;" : "session", 4e7, 1e6, 40, 31, 1.2e6}};
  report.circles = {{{"auth", odd ? "<script>" : "session"}, 7, 3e6, "2026-11-22T02:14:07Z"}};
  for (int i = 0; i < 3; ++i) {
    Site& site = report.sites.emplace_back();
    site.rank = static_cast<uint32_t>(i) + 1;
    site.id = "0123456789abcde" + std::to_string(i);
    site.live_bytes = 1000.0 * (i + 1);
    site.live_objects = 10;
    site.allocated_bytes = 5000.0 * (i + 1);
    site.growth_bytes = i - 1.0;
    site.labels = {{"route", odd ? "/<b>&\"'\n" : "/cart"}};
    for (int k = 0; k < 3; ++k) {
      Frame& frame = site.frames.Edit().emplace_back();
      frame.function = odd ? "f<\"'&>;,\x02\xfe </script>" : "shop::Cart::Checkout(int)";
      frame.file = odd ? "/src/\"a\n.cc" : "/src/cart.cc";
      frame.line = 40 + k;
      frame.module = odd ? "lib <x>.so" : "/usr/lib/libshop.so";
      frame.module_offset = 0x1000U + static_cast<uint64_t>(k);
    }
  }
  return report;
}

}  // namespace heapgauge::fuzz

#endif  // HEAPGAUGE_TESTS_FUZZ_SAMPLE_REPORT_H_
