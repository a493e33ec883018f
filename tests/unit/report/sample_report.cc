#include "unit/report/sample_report.h"

namespace heapgauge {
namespace {

constexpr char kExe[] = "/opt/checkout/bin/checkout_service";

Frame At(const char* function, const char* file, uint32_t line, bool inlined = false) {
  Frame frame;
  frame.function = function;
  frame.file = file;
  frame.line = line;
  frame.module = kExe;
  frame.module_offset = 0x12000 + line * 16;
  frame.inlined = inlined;
  return frame;
}

Frame In(const char* function, const char* module, uint64_t offset) {
  Frame frame;
  frame.function = function;
  frame.module = module;
  frame.module_offset = offset;
  return frame;
}

Site LeakingCoupon() {
  Site site;
  site.rank = 1;
  site.id = "9f3c1a2b4d5e6f70";
  site.verdict = "leak";
  site.confidence = 0.993;
  site.evidence =
      "412 of 3,900 sampled objects born here outlived the 99.9th percentile of all that died; "
      "births steady at 80/s.";
  site.live_bytes = 812 * kMiB;
  site.live_bytes_stderr = 10.25 * kMiB;
  site.live_objects = 4103221;
  site.allocated_bytes = 3174.5 * kMiB;
  site.freed_bytes = 2362.5 * kMiB;
  site.allocated_objects = 16041000;
  site.freed_objects = 11937779;
  site.growth_bytes = 1.25 * kMiB;
  site.growth_bytes_per_s = 21495.5;
  site.growth_low = 20971.25;
  site.growth_high = 22020;
  site.age_p50_s = 3790;
  site.age_max_s = 11460;
  site.lifetime_p50_s = 0.012;
  site.lifetime_p99_s = 1.25;
  site.labels = {{"peer", "inventory"}, {"tenant", "blue"}};
  site.frames = {
      In("operator new(unsigned long)", "/usr/lib/x86_64-linux-gnu/libstdc++.so.6.0.30", 0xa1b2c),
      At("std::__new_allocator<checkout::Coupon>::allocate(unsigned long, void const*)",
         "/usr/include/c++/12/bits/new_allocator.h", 137, true),
      At("void std::vector<checkout::Coupon, std::allocator<checkout::Coupon> "
         ">::_M_realloc_insert<checkout::Coupon>(__gnu_cxx::__normal_iterator<checkout::Coupon*, "
         "std::vector<checkout::Coupon, std::allocator<checkout::Coupon> > >, checkout::Coupon&&)",
         "/usr/include/c++/12/bits/vector.tcc", 440),
      At("checkout::ApplyCoupon(checkout::Cart&, std::__cxx11::basic_string<char, "
         "std::char_traits<char>, "
         "std::allocator<char> > const&)",
         "/src/checkout/coupon.cc", 88),
      At("checkout::HandleCheckout(checkout::Request const&)", "/src/checkout/server.cc", 210,
         true),
      At("checkout::Serve(int)::{lambda()#1}::operator()() const", "/src/checkout/server.cc", 301),
      In("", "/usr/lib/x86_64-linux-gnu/libstdc++.so.6.0.30", 0xd44a3),
      In("start_thread", "/usr/lib/x86_64-linux-gnu/libc.so.6", 0x89134),
  };
  site.callsite = 3;
  return site;
}

Site CartsUnderLoad() {
  Site site;
  site.rank = 2;
  site.id = "0a1b2c3d4e5f6071";
  site.verdict = "load";
  site.confidence = 0.9;
  site.live_bytes = 96.5 * kMiB;
  site.live_bytes_stderr = 3.5 * kMiB;
  site.live_objects = 98816;
  site.allocated_bytes = 90000 * kMiB;
  site.freed_bytes = 89903.5 * kMiB;
  site.growth_bytes = -2048;
  site.growth_bytes_per_s = 4096;
  site.growth_low = 1024;
  site.growth_high = 8192;
  site.age_p50_s = 14;
  site.age_max_s = 61;
  site.lifetime_p50_s = 12.5;
  site.lifetime_p99_s = 60;
  site.frames = {At("checkout::CartStore::Open(unsigned long)", "/src/checkout/cart_store.cc", 41),
                 At("main", "/src/checkout/main.cc", 12)};
  return site;
}

Site Unnamed() {
  Site site;
  site.rank = 3;
  site.id = "00000000000000ff";
  site.verdict = "steady";
  site.live_bytes = 65536;
  site.live_objects = 1;
  site.allocated_bytes = 65536;
  site.age_p50_s = 11400;
  site.age_max_s = 11400;
  site.frames = {In("", "/usr/lib/vendor/libpayment.so.2", 0x4f10), In("", "", 0x7ffe0000)};
  return site;
}

}  // namespace

Report LeakingCheckout() {
  Report report;
  report.sequence = 192;
  report.time = "2026-11-23T02:14:07Z";
  report.uptime_s = 11520;
  report.pid = 4242;
  report.exe = kExe;
  report.host = "web-3";
  report.build_id = "5d1c0ffee4a9b0e7d2c3";
  report.sampling = {524288, 65536, 2, 48211, 1893, 0, "dwarf", 4.25, 3365888, 0, 1.0, "", 0, ""};
  report.process = {static_cast<uint64_t>(1400 * kMiB), static_cast<uint64_t>(909 * kMiB),
                    static_cast<uint64_t>(960 * kMiB),  static_cast<uint64_t>(310 * kMiB),
                    static_cast<uint64_t>(2048 * kMiB), "cgroup",
                    static_cast<uint64_t>(1450 * kMiB), static_cast<uint64_t>(20 * kMiB),
                    static_cast<uint64_t>(1 * kMiB),    24};
  report.totals = {908.5625 * kMiB, 11 * kMiB, 4202038, 93174.5 * kMiB, 92265.9375 * kMiB,
                   20000000,        15797962,  25600,   20480,          30720};
  report.verdict = "leak";
  report.evidence =
      "1 of 211 call sites leaks: +1.23 MiB/min of the +1.46 MiB/min by which the live heap grows.";
  report.forecast = Forecast{static_cast<uint64_t>(2048 * kMiB),
                             "cgroup",
                             24494,
                             22968,
                             26214.5,
                             "usage",
                             26000,
                             24000,
                             28000,
                             1800};
  report.sites_total = 211;
  report.sites = {LeakingCoupon(), CartsUnderLoad(), Unnamed()};
  report.modules = {{kExe, "5d1c0ffee4a9b0e7d2c3"},
                    {"/usr/lib/x86_64-linux-gnu/libc.so.6", "49a1"}};
  report.service = "checkout";
  report.peak = Peak{.live_bytes = 1204.5 * kMiB, .time = "2026-11-23T01:02:03Z"};
  report.peak->callsites = {
      {At("checkout::LoadPrices(std::istream&)", "/src/checkout/prices.cc", 41), "2222222222222222",
       700.25 * kMiB, 717056},
      {In("", "/usr/lib/vendor/libtax.so.2", 0x4f10), "3333333333333333", 65536, 1}};
  report.temporary = Temporary{{15000000, 90000 * kMiB, 120 * kMiB, 20000000, 93174.5 * kMiB}};
  report.temporary->callsites = {
      {{14500000, 60000 * kMiB, 100 * kMiB, 14500001, 60000 * kMiB},
       At("checkout::ParseCart(char const*)", "/src/checkout/parse.cc", 17),
       "1111111111111111"},
      {{400000, 30000.5 * kMiB, 66 * kMiB, 800000, 30100 * kMiB},
       At("checkout::CartStore::Open(unsigned long)", "/src/checkout/cart_store.cc", 41),
       "0a1b2c3d4e5f6071"}};
  report.calls = {{"inventory", 700 * kMiB, 9 * kMiB, 3500000, 1860, 21000.5},
                  {"prices", 0.5 * kMiB, 0, 12, 0.25, 0}};
  report.circles = {{{"checkout", "inventory"}, 7, 512 * kMiB, "2026-11-23T01:43:00Z"}};
  report.labels = {{"tenant", "blue", 700 * kMiB, 9 * kMiB, 3500000, 1860, 21000.5}};
  return report;
}

Report AllListed() {
  Report report = LeakingCheckout();
  report.sites_total = report.sites.size();
  return report;
}

Report QuietProcess() {
  Report report;
  report.sequence = 1;
  report.time = "2026-11-23T02:14:07Z";
  report.uptime_s = 0.004;
  report.final = true;
  report.pid = 7;
  report.exe = "/usr/bin/true";
  report.host = "web-3";
  report.sampling.interval_bytes = report.sampling.asked_interval_bytes = 1;
  report.sampling.unwind = "fp";
  report.sampling.memory_bytes = 65536;
  report.sampling.cpu_s = 0.0002;
  report.process.rss_bytes = 1048576;
  report.process.limit_source = "none";
  return report;
}

}  // namespace heapgauge
