// Old reports in batches: what comes back, how much room they take, and what damage does.
#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cmath>
#include <random>
#include <string>
#include <vector>

#include "report/history_batch.h"
#include "report/history_file.h"
#include "report/json_writer.h"
#include "report/report_file.h"
#include "unit/report/sample_report.h"
#include "unit/report/sequences_in.h"

namespace heapgauge {
namespace {

std::vector<Report> Unpacked(std::string_view batch, std::string* error) {
  std::vector<Report> reports;
  UnpackHistory(
      batch,
      [&](Report&& report) {
        reports.push_back(std::move(report));
        return true;
      },
      error);
  return reports;
}

// A service with many active sites, each with figures of its own, minute after minute.
class Service final {
 public:
  explicit Service(size_t sites) : random_(42), sites_(sites) {
    for (Traffic& site : sites_) {
      site.rate = std::exp(Uniform(8, 17));
      site.live = site.rate * std::exp(Uniform(0, 5));
      site.object = std::exp(Uniform(3, 9));
    }
  }

  Report Next() {
    Report report = LeakingCheckout();
    ++minutes_;
    report.sequence = minutes_;
    report.time = fmt::format("2026-11-{:02}T{:02}:{:02}:07.{:03}Z", 1 + minutes_ / 1440 % 28,
                              minutes_ / 60 % 24, minutes_ % 60, random_() % 1000);
    report.uptime_s = 60.0 * static_cast<double>(minutes_) + Uniform(0, 0.01);
    report.sampling.samples += minutes_ * 900 + random_() % 100;
    report.process.rss_bytes += random_() % 100000;
    report.sites.clear();
    report.callsites.clear();
    for (size_t i = 0; i < sites_.size(); ++i) {
      Site site = SiteOf(i);
      site.rank = static_cast<uint32_t>(i + 1);
      Callsite callsite;
      callsite.sum = site;
      callsite.sum.id = fmt::format("{:016x}", 0xabcdef0123456789 * (i + 1));
      callsite.sites = {site.id};
      report.totals.live_bytes += site.live_bytes;
      report.sites.push_back(std::move(site));
      report.callsites.push_back(std::move(callsite));
    }
    return report;
  }

 private:
  struct Traffic {
    double rate = 0;
    double live = 0;
    double object = 0;
    double allocated = 0;
  };
  double Uniform(double low, double high) {
    return std::uniform_real_distribution<double>(low, high)(random_);
  }

  Site SiteOf(size_t i) {
    Traffic& traffic = sites_[i];
    Site site = LeakingCheckout().sites[i % 2];
    site.id = fmt::format("{:016x}", 0x9e3779b97f4a7c15 * (i + 1));
    for (size_t k = 0; k < site.frames.size(); ++k) {
      site.frames.Edit()[k].function += fmt::format("_{}", i * 7 + k);
      site.frames.Edit()[k].module_offset += i * 64 + k;
    }
    traffic.live *= Uniform(0.97, 1.03);
    traffic.allocated += 60 * traffic.rate * Uniform(0.9, 1.1);
    site.verdict = "steady";
    site.evidence = "no growth beyond chance in the last 40 min";
    site.confidence = Uniform(0.5, 0.99);
    site.live_bytes = traffic.live;
    site.live_bytes_stderr = std::sqrt(traffic.live * 524288);
    site.live_objects = traffic.live / traffic.object * Uniform(0.99, 1.01);
    site.allocated_bytes = traffic.allocated + traffic.live;
    site.freed_bytes = traffic.allocated;
    site.allocated_objects = site.allocated_bytes / traffic.object;
    site.freed_objects = site.allocated_objects - site.live_objects;
    site.growth_bytes = traffic.live * Uniform(-0.03, 0.03);
    site.growth_bytes_per_s = traffic.rate * Uniform(-0.01, 0.01);
    site.growth_low = site.growth_bytes_per_s - traffic.rate * Uniform(0.01, 0.02);
    site.growth_high = site.growth_bytes_per_s + traffic.rate * Uniform(0.01, 0.02);
    site.age_p50_s = Uniform(1, 40);
    site.age_max_s = 60.0 * static_cast<double>(minutes_);
    site.lifetime_p50_s = std::exp2(std::floor(Uniform(0, 3)));
    site.lifetime_p99_s = std::exp2(std::floor(Uniform(4, 6)));
    return site;
  }

  std::mt19937_64 random_;
  std::vector<Traffic> sites_;
  uint64_t minutes_ = 0;
};

bool Near(double a, double b, double share = 0.002) {
  return std::abs(a - b) <= share * std::abs(b) + 1e-9;
}

void CheckSite(const Site& read, const Site& written) {
  CHECK(read.id == written.id);
  CHECK(read.rank == written.rank);
  CHECK(read.verdict == written.verdict);
  CHECK(read.frames == written.frames);
  CHECK(read.callsite == written.callsite);
  CHECK(read.labels == written.labels);
  CHECK(Near(read.live_bytes, written.live_bytes));
  CHECK(Near(read.live_bytes_stderr, written.live_bytes_stderr, 0.01));
  CHECK(Near(read.live_objects, written.live_objects));
  CHECK(Near(read.allocated_bytes, written.allocated_bytes));
  CHECK(Near(read.freed_bytes, written.freed_bytes));
  CHECK(Near(read.growth_low, written.growth_low, 0.01));
  CHECK(Near(read.growth_high, written.growth_high, 0.01));
  CHECK(read.lifetime_p50_s.has_value() == written.lifetime_p50_s.has_value());
  CHECK(Near(read.lifetime_p99_s.value_or(-1), written.lifetime_p99_s.value_or(-1), 0.01));
}

TEST_CASE("what is packed comes back, texts and counts to the letter", "[report][history]") {
  Service service(20);
  std::vector<Report> written = {QuietProcess(), LeakingCheckout()};
  for (int i = 0; i < 30; ++i) written.push_back(service.Next());
  written.push_back(LeakingCheckout());
  written.back().forecast.reset();
  written.back().sites.pop_back();
  HistoryPacker packer;
  for (const Report& report : written) packer.Add(report, 100);
  CHECK(packer.reports() == written.size());
  CHECK(packer.memory_bytes() > packer.bytes());
  std::string error;
  const std::vector<Report> read = Unpacked(packer.Take(), &error);
  CHECK(error.empty());
  CHECK(packer.reports() == 0);
  REQUIRE(read.size() == written.size());
  for (size_t i = 0; i < read.size(); ++i) {
    CHECK(read[i].sequence == written[i].sequence);
    CHECK(read[i].time == written[i].time);
    CHECK(read[i].pid == written[i].pid);
    CHECK(read[i].instance == written[i].instance);
    CHECK(read[i].final == written[i].final);
    CHECK(read[i].verdict == written[i].verdict);
    CHECK(read[i].evidence == written[i].evidence);
    CHECK(read[i].modules == written[i].modules);
    CHECK(read[i].process == written[i].process);
    CHECK(read[i].sampling.samples == written[i].sampling.samples);
    CHECK(Near(read[i].totals.live_bytes, written[i].totals.live_bytes));
    CHECK(read[i].forecast.has_value() == written[i].forecast.has_value());
    if (read[i].forecast && written[i].forecast) {
      CHECK(read[i].forecast->limit_bytes == written[i].forecast->limit_bytes);
      CHECK(Near(read[i].forecast->seconds_low, written[i].forecast->seconds_low));
    }
    REQUIRE(read[i].sites.size() == written[i].sites.size());
    for (size_t k = 0; k < read[i].sites.size(); ++k)
      CheckSite(read[i].sites[k], written[i].sites[k]);
    REQUIRE(read[i].callsites.size() == written[i].callsites.size());
    for (size_t k = 0; k < read[i].callsites.size(); ++k) {
      CheckSite(read[i].callsites[k].sum, written[i].callsites[k].sum);
      CHECK(read[i].callsites[k].sites == written[i].callsites[k].sites);
      CHECK(read[i].callsites[k].stacks == written[i].callsites[k].stacks);
    }
  }
  CHECK(read[1].sites[0].evidence == written[1].sites[0].evidence);  // it leaks
}

TEST_CASE("a figure that stands still is read to the last bit", "[report][history]") {
  HistoryPacker packer;
  for (int i = 0; i < 8; ++i) packer.Add(LeakingCheckout(), 100);
  std::string error;
  const Report last = Unpacked(packer.Take(), &error).back();
  CHECK(last.totals == LeakingCheckout().totals);
  CHECK(last.forecast == LeakingCheckout().forecast);
}

TEST_CASE("a week of minutes of 200 active sites fits into its room", "[report][history]") {
  Service service(200);
  size_t bytes = 0;
  constexpr size_t kBatches = 3;
  constexpr size_t kReports = 64;
  for (size_t batch = 0; batch < kBatches; ++batch) {
    HistoryPacker packer;
    for (size_t i = 0; i < kReports; ++i) packer.Add(service.Next(), 100);
    bytes += packer.Take().size();
  }
  const double week = static_cast<double>(bytes) / (kBatches * kReports) * 7 * 1440;
  INFO(fmt::format("{:.0f} bytes a report, {:.1f} MiB a week",
                   static_cast<double>(bytes) / (kBatches * kReports), week / 1048576));
  CHECK(week < 48 * 1048576.0);
}

TEST_CASE("a damaged batch is said to be, wherever the damage is", "[report][history]") {
  HistoryPacker packer;
  for (int i = 0; i < 3; ++i) packer.Add(LeakingCheckout(), 100);
  const std::string sound = packer.Take();
  std::string error;
  for (size_t size = 0; size < sound.size(); size += 7) {
    error.clear();
    CHECK(Unpacked(std::string_view(sound).substr(0, size), &error).empty());
    CHECK_FALSE(error.empty());
  }
  std::mt19937_64 random(3);
  for (int i = 0; i < 2000; ++i) {
    std::string damaged = sound;
    damaged[random() % damaged.size()] ^= static_cast<char>(1 << random() % 8);
    for (const Report& report : Unpacked(damaged, &error)) CHECK(report.sites.size() < 5000);
  }
}

class Directory final {
 public:
  Directory() {
    char name[] = "/tmp/heapgauge-history-XXXXXX";
    path_ = mkdtemp(name);
    fd_ = open(path_.c_str(), O_RDONLY | O_DIRECTORY);
  }
  ~Directory() {
    for (const char* file : {"reports.history", "reports.jsonl", "reports.jsonl.1"}) {
      unlinkat(fd_, file, 0);
    }
    close(fd_);
    rmdir(path_.c_str());
  }
  int fd() const { return fd_; }
  const std::string& path() const { return path_; }
  std::string History() const { return path_ + "/" + kHistoryFile; }

  void Write(const char* name, const std::string& text) const {
    const int fd = openat(fd_, name, O_WRONLY | O_CREAT | O_APPEND, 0600);
    REQUIRE(write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()));
    close(fd);
  }

 private:
  std::string path_;
  int fd_ = -1;
};

Report Numbered(uint64_t number) {
  Report report = QuietProcess();
  report.sequence = number;
  report.time = fmt::format("2026-11-23T{:02}:{:02}:07Z", number / 60, number % 60);
  return report;
}

std::string Batch(uint64_t from, uint64_t to) {
  HistoryPacker packer;
  for (uint64_t i = from; i < to; ++i) packer.Add(Numbered(i), 100);
  return packer.Take();
}

TEST_CASE("history and whole lines are read as one, each report once", "[report][history]") {
  const Directory directory;
  std::vector<std::string> notes;
  REQUIRE(AppendHistory(directory.fd(), Batch(1, 21), 1 << 20));
  REQUIRE(AppendHistory(directory.fd(), Batch(21, 41), 1 << 20));
  for (uint64_t i = 31; i < 46; ++i) {
    directory.Write(i < 38 ? "reports.jsonl.1" : "reports.jsonl", ToJson(Numbered(i)) + "\n");
  }
  std::vector<uint64_t> all;
  for (uint64_t i = 1; i < 46; ++i) all.push_back(i);
  CHECK(SequencesIn(directory.path(), &notes) == all);
  CHECK(notes.empty());
  // Killed while it appended: what was whole is there, and what comes next is, too.
  directory.Write(kHistoryFile, Batch(41, 61).substr(0, 100));
  CHECK(SequencesIn(directory.path(), &notes) == all);
  REQUIRE(AppendHistory(directory.fd(), Batch(41, 44), 1 << 20));
  CHECK(SequencesIn(directory.path(), &notes) == all);
  size_t batches = 0;
  ForEachHistoryBatch(directory.History(), [&](std::string&&) { return ++batches > 0; });
  CHECK(batches == 3);
}

// Of one run of a program that runs again and again in one directory, always as process 1.
Report OfRun(uint64_t run, uint64_t number) {
  Report report = Numbered(number);
  report.pid = 1;
  report.time = fmt::format("2026-11-{:02}T{:02}:{:02}:07Z", run, number / 60, number % 60);
  return report;
}

std::string BatchOfRun(uint64_t run, uint64_t from, uint64_t to) {
  HistoryPacker packer;
  for (uint64_t i = from; i < to; ++i) packer.Add(OfRun(run, i), 100);
  return packer.Take();
}

TEST_CASE("a run in the directory of one that was killed shows no report twice",
          "[report][history]") {
  // The first run's last reports are in no batch; of the lines the oldest are gone, or not.
  for (const uint64_t oldest : {15, 21, 25}) {
    const Directory directory;
    REQUIRE(AppendHistory(directory.fd(), BatchOfRun(3, 1, 21), 1 << 20));
    REQUIRE(AppendHistory(directory.fd(), BatchOfRun(4, 1, 11), 1 << 20));
    std::vector<uint64_t> expected;
    for (uint64_t i = 1; i < std::min<uint64_t>(oldest, 21); ++i) expected.push_back(i);
    for (uint64_t i = oldest; i < 31; ++i) {
      directory.Write("reports.jsonl", ToJson(OfRun(3, i)) + "\n");
      expected.push_back(i);
    }
    for (uint64_t i = 1; i < 21; ++i) {
      directory.Write("reports.jsonl", ToJson(OfRun(4, i)) + "\n");
      expected.push_back(i);
    }
    std::vector<std::string> notes;
    CHECK(SequencesIn(directory.path(), &notes) == expected);
    CHECK(notes.empty());
  }
  // The first run's lines are gone: the second one's oldest is a report of its middle.
  const Directory directory;
  REQUIRE(AppendHistory(directory.fd(), BatchOfRun(3, 1, 4), 1 << 20));
  REQUIRE(AppendHistory(directory.fd(), BatchOfRun(4, 1, 6), 1 << 20));
  for (uint64_t i = 2; i < 8; ++i) directory.Write("reports.jsonl", ToJson(OfRun(4, i)) + "\n");
  std::vector<std::string> notes;
  CHECK(SequencesIn(directory.path(), &notes) ==
        std::vector<uint64_t>{1, 2, 3, 1, 2, 3, 4, 5, 6, 7});
}

TEST_CASE("a full history loses its oldest batches", "[report][history]") {
  const Directory directory;
  const off_t most = static_cast<off_t>(10 * Batch(1, 11).size());
  for (uint64_t i = 0; i < 40; ++i) {
    REQUIRE(AppendHistory(directory.fd(), Batch(10 * i + 1, 10 * i + 11), most));
    CHECK(HistorySize(directory.fd()) <= most);
  }
  directory.Write("reports.jsonl", ToJson(Numbered(401)) + "\n");
  std::vector<std::string> notes;
  const std::vector<uint64_t> kept = SequencesIn(directory.path(), &notes);
  REQUIRE(kept.size() > 60);
  for (size_t i = 1; i < kept.size(); ++i) REQUIRE(kept[i] == kept[i - 1] + 1);
  CHECK(kept.back() == 401);
}

}  // namespace
}  // namespace heapgauge
