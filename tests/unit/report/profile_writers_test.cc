#include <zlib.h>

#include <catch2/catch.hpp>
#include <cmath>
#include <map>
#include <protozero/pbf_reader.hpp>
#include <string>
#include <vector>

#include "report/folded_writer.h"
#include "report/json_reader.h"
#include "report/json_writer.h"
#include "report/pprof_writer.h"
#include "unit/report/golden.h"
#include "unit/report/sample_report.h"

namespace heapgauge {
namespace {

using protozero::pbf_reader;

TEST_CASE("folded stacks run from root to leaf and weigh live bytes", "[report][folded][golden]") {
  CheckGolden("leaking_checkout.folded", ToFolded(LeakingCheckout()));
  CHECK(ToFolded(QuietProcess()).empty());
}

TEST_CASE("a name cannot add frames or lines to a folded stack", "[report][folded]") {
  Report report = QuietProcess();
  report.sites.resize(2);
  report.sites[0].live_bytes = 10;
  report.sites[0].frames.Edit().resize(1);
  report.sites[0].frames.Edit()[0].function = "a;b\nc 5";
  report.sites[1].live_bytes = 7;
  CHECK(ToFolded(report) == "a:b\\x0ac 5 10\n[no stack] 7\n");
}

// What a reader of profile.proto sees, strings resolved.
struct Profile {
  struct Sample {
    std::vector<uint64_t> locations;
    std::vector<int64_t> values;
    std::map<std::string, std::string> labels;
  };
  std::vector<std::string> strings;
  std::vector<std::pair<std::string, std::string>> sample_types;
  std::vector<Sample> samples;
  std::map<uint64_t, std::vector<std::string>>
      locations;  // lines as "function file:line", innermost first
  std::vector<std::pair<std::string, std::string>> mappings;  // path, build-id, in order
  std::string default_type;
  int64_t period = 0;
  int64_t time_nanos = 0;
};

using Fields = std::map<uint32_t, int64_t>;

Fields Numbers(pbf_reader message) {
  Fields fields;
  while (message.next()) fields[message.tag()] = message.get_int64();
  return fields;
}

Profile Decode(const std::string& bytes) {
  Profile profile;
  for (pbf_reader all(bytes); all.next();) {
    if (all.tag() == 6) {
      profile.strings.push_back(all.get_string());
    } else {
      all.skip();
    }
  }
  const auto string = [&](int64_t index) { return profile.strings.at(static_cast<size_t>(index)); };
  std::map<int64_t, std::string> functions;
  for (pbf_reader all(bytes); all.next(5);) {
    Fields f = Numbers(all.get_message());
    functions[f[1]] = string(f[2]) + " " + string(f[4]);
  }
  for (pbf_reader all(bytes); all.next();) {
    if (all.tag() == 1) {
      Fields f = Numbers(all.get_message());
      profile.sample_types.emplace_back(string(f[1]), string(f[2]));
    } else if (all.tag() == 2) {
      Profile::Sample& sample = profile.samples.emplace_back();
      for (pbf_reader message = all.get_message(); message.next();) {
        if (message.tag() == 1) {
          for (const uint64_t id : message.get_packed_uint64()) sample.locations.push_back(id);
        } else if (message.tag() == 2) {
          for (const int64_t value : message.get_packed_int64()) sample.values.push_back(value);
        } else {
          Fields f = Numbers(message.get_message());
          sample.labels[string(f[1])] = string(f[2]);
        }
      }
    } else if (all.tag() == 3) {
      Fields f = Numbers(all.get_message());
      profile.mappings.emplace_back(string(f[5]), string(f[6]));
    } else if (all.tag() == 4) {
      std::vector<std::string> lines;
      uint64_t id = 0;
      for (pbf_reader message = all.get_message(); message.next();) {
        if (message.tag() == 1) {
          id = message.get_uint64();
        } else if (message.tag() == 4) {
          Fields f = Numbers(message.get_message());
          lines.push_back(functions.at(f[1]) + ":" + std::to_string(f[2]));
        } else {
          message.skip();
        }
      }
      profile.locations[id] = lines;
    } else if (all.tag() == 9) {
      profile.time_nanos = all.get_int64();
    } else if (all.tag() == 12) {
      profile.period = all.get_int64();
    } else if (all.tag() == 14) {
      profile.default_type = string(all.get_int64());
    } else {
      all.skip();
    }
  }
  return profile;
}

TEST_CASE("a profile holds the report's figures, from the call site up", "[report][pprof]") {
  const Profile profile = Decode(ToPprofProto(AllListed()));
  CHECK(profile.strings.at(0).empty());
  CHECK(profile.sample_types ==
        std::vector<std::pair<std::string, std::string>>{{"alloc_objects", "count"},
                                                         {"alloc_space", "bytes"},
                                                         {"inuse_objects", "count"},
                                                         {"inuse_space", "bytes"},
                                                         {"growth_space", "bytes"}});
  CHECK(profile.default_type == "inuse_space");
  CHECK(profile.period == 524288);
  CHECK(profile.time_nanos == 1795400047000000000);
  CHECK(profile.mappings.at(0).first == "/opt/checkout/bin/checkout_service");
  CHECK(profile.mappings.at(0).second == "5d1c0ffee4a9b0e7d2c3");

  REQUIRE(profile.samples.size() == 3);
  const Profile::Sample& leak = profile.samples[0];
  CHECK(leak.values == std::vector<int64_t>{16041000, 3328704512, 4103221, 851443712, 1310720});
  CHECK(leak.labels ==
        std::map<std::string, std::string>{{"peer", "inventory"}, {"tenant", "blue"}});
  // The machinery is gone; an inlined function shares the location of the one it was inlined into.
  REQUIRE(leak.locations.size() == 4);
  CHECK(
      profile.locations.at(leak.locations[0]) ==
      std::vector<std::string>{
          "checkout::ApplyCoupon(checkout::Cart&, std::string const&) /src/checkout/coupon.cc:88"});
  CHECK(profile.locations.at(leak.locations[1]) ==
        std::vector<std::string>{
            "checkout::HandleCheckout(checkout::Request const&) /src/checkout/server.cc:210",
            "checkout::Serve(int)::{lambda()#1}::operator()() const /src/checkout/server.cc:301"});
  CHECK(profile.locations.at(leak.locations[2]).empty());  // no name: an address alone
}

TEST_CASE("a site's sets of labels are samples, and the rest of it is one", "[report][pprof]") {
  Report report = AllListed();
  Site& site = report.sites[0];
  site.by_labels = {{{{"peer", "a"}, {"route", "/x"}}, 1000, 10}, {{{"peer", "b"}}, 500, 5}};
  const Profile profile = Decode(ToPprofProto(report));
  using Labels = std::map<std::string, std::string>;
  REQUIRE(profile.samples.size() == 5);
  CHECK(profile.samples[0].labels == Labels{{"peer", "a"}, {"route", "/x"}});
  CHECK(profile.samples[0].values == std::vector<int64_t>{0, 0, 10, 1000, 0});
  CHECK(profile.samples[1].labels == Labels{{"peer", "b"}});
  CHECK(profile.samples[1].values == std::vector<int64_t>{0, 0, 5, 500, 0});
  const Profile::Sample& rest = profile.samples[2];
  CHECK(rest.labels.empty());
  CHECK(rest.values ==
        std::vector<int64_t>{16041000, 3328704512, 4103221 - 15, 851443712 - 1500, 1310720});
  CHECK(rest.locations == profile.samples[0].locations);
  std::string error;
  CHECK(*FromJson(ToJson(report), &error) == report);
}

TEST_CASE("a site that shrinks keeps its sample and grows by nothing", "[report][pprof]") {
  Report report = LeakingCheckout();
  report.sites[1].growth_bytes = -4096;
  const auto grown = [&](auto... how) {
    return Decode(ToPprofProto(report, how...)).samples.at(1).values;
  };
  CHECK(grown().at(3) == std::llround(report.sites[1].live_bytes));
  CHECK(grown().at(4) == 0);
  CHECK(grown(PprofKind::kDifference).at(4) == -4096);
}

TEST_CASE("a site of zeros is no sample", "[report][pprof]") {
  Report report = AllListed();
  Site& site = report.sites[0];
  site.allocated_bytes = site.allocated_objects = site.live_bytes = site.live_objects = 0;
  site.growth_bytes = -1;
  CHECK(Decode(ToPprofProto(report)).samples.size() == report.sites.size() - 1);
  CHECK(Decode(ToPprofProto(report, PprofKind::kDifference)).samples.size() == report.sites.size());
}

TEST_CASE("what a report does not list is a sample of its own", "[report][pprof]") {
  const Report report = LeakingCheckout();
  const Profile profile = Decode(ToPprofProto(report));
  REQUIRE(profile.samples.size() == report.sites.size() + 1);
  const Profile::Sample& others = profile.samples.back();
  REQUIRE(others.locations.size() == 1);
  CHECK(profile.locations.at(others.locations[0]) == std::vector<std::string>{"[other stacks] :0"});
  std::vector<double> sums(5);
  for (const Profile::Sample& sample : profile.samples) {
    for (size_t k = 0; k < sums.size(); ++k) sums[k] += static_cast<double>(sample.values[k]);
  }
  CHECK(sums[0] == Approx(report.totals.allocated_objects).margin(4));
  CHECK(sums[1] == Approx(report.totals.allocated_bytes).margin(4));
  CHECK(sums[2] == Approx(report.totals.live_objects).margin(4));
  CHECK(sums[3] == Approx(report.totals.live_bytes).margin(4));
}

TEST_CASE("call sites without a stack in the report are told by their sums", "[report][pprof]") {
  Report report = LeakingCheckout();
  const Frame& known = report.sites[0].frames[report.sites[0].callsite];
  Frame inlined = known;  // at the same address, and another function
  inlined.function = "checkout::Refuse(int)";
  inlined.inlined = true;
  report.rest = {{{.live_bytes = 1000, .live_objects = 10, .allocated_bytes = 3000}, inlined},
                 {{.allocated_bytes = 500, .allocated_objects = 5}, known}};
  const Profile profile = Decode(ToPprofProto(report));
  REQUIRE(profile.samples.size() == report.sites.size() + 3);
  const Profile::Sample& first = profile.samples[report.sites.size()];
  CHECK(first.values == std::vector<int64_t>{0, 3000, 10, 1000, 0});
  REQUIRE(first.locations.size() == 2);
  CHECK(profile.locations.at(first.locations[0]) ==
        std::vector<std::string>{"checkout::Refuse(int) /src/checkout/coupon.cc:88"});
  CHECK(profile.locations.at(first.locations[1]) == std::vector<std::string>{"[other stacks] :0"});
  const Profile::Sample& second = profile.samples[report.sites.size() + 1];
  CHECK(second.locations[0] == profile.samples[0].locations[0]);
}

TEST_CASE("the executable is the first mapping, wherever it lies", "[report][pprof]") {
  Report report = LeakingCheckout();
  report.exe = "/zz/last/by/name";
  CHECK(Decode(ToPprofProto(report)).mappings.at(0).first == report.exe);
}

TEST_CASE("a profile is gzip and decodes to the same bytes", "[report][pprof]") {
  const std::string plain = ToPprofProto(LeakingCheckout());
  std::string packed = ToPprof(LeakingCheckout());
  REQUIRE(packed.starts_with("\x1f\x8b"));
  std::string unpacked(plain.size() + 1, '\0');
  z_stream stream{};
  REQUIRE(inflateInit2(&stream, MAX_WBITS + 16) == Z_OK);
  stream.next_in = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_in = static_cast<uInt>(packed.size());
  stream.next_out = reinterpret_cast<Bytef*>(unpacked.data());
  stream.avail_out = static_cast<uInt>(unpacked.size());
  CHECK(inflate(&stream, Z_FINISH) == Z_STREAM_END);
  unpacked.resize(stream.total_out);
  inflateEnd(&stream);
  CHECK(unpacked == plain);
}

TEST_CASE("an empty report makes an empty profile, an odd one a valid one", "[report][pprof]") {
  CHECK(Decode(ToPprofProto(QuietProcess())).samples.empty());
  Report report = LeakingCheckout();
  report.sites[0].callsite = 99;
  report.sites[0].live_bytes = 1e300;
  report.sites[1].frames.Edit().back().inlined = true;  // cut inside an inlined group
  report.time = "yesterday";
  const Profile profile = Decode(ToPprofProto(report));
  CHECK(profile.samples[0].locations.empty());
  CHECK(profile.samples[0].values[3] == 9000000000000000000);
  CHECK(profile.time_nanos == 0);
}

}  // namespace
}  // namespace heapgauge
