// The law of the sampler, asserted in standard deviations (support/statistics.h).
#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

#include "sampling.h"
#include "support/statistics.h"

namespace heapgauge {
namespace {

using test::BinomialDeviations;
using test::ChiSquareDeviations;
using test::kSurely;
using test::Probability;
using test::Request;
using test::Tally;

TEST_CASE("a block of s bytes is sampled with probability 1 - exp(-s/T)", "[sample]") {
  const auto [bytes, interval, requests] =
      GENERATE(table<size_t, uint64_t, uint64_t>({{1, 1000, 20'000'000},
                                                  {10, 1000, 5'000'000},
                                                  {100, 1000, 1'000'000},
                                                  {1000, 1000, 200'000},
                                                  {3000, 1000, 200'000},
                                                  {7000, 1000, 500'000},
                                                  {1, 2, 200'000},
                                                  {64, 512 * 1024, 50'000'000},
                                                  {512 * 1024, 512 * 1024, 200'000},
                                                  {2 * 1024 * 1024, 512 * 1024, 200'000}}));
  Sampler sampler;
  uint64_t hits = 0;
  for (uint64_t i = 0; i < requests; ++i) {
    if (Request(sampler, bytes, interval) != 0) ++hits;
  }
  INFO(bytes << " bytes at " << interval << ": " << hits << " of " << requests);
  // Independent trials, for the process has no memory: binomial.
  CHECK(BinomialDeviations(hits, requests, Probability(bytes, interval)) < kSurely);
}

TEST_CASE("gaps between samples are geometric", "[sample]") {
  constexpr uint64_t kInterval = 50;
  constexpr uint64_t kSamples = 400'000;
  const double per_byte = Probability(1, kInterval);
  // 30 classes of about equal probability, the last one open.
  std::vector<uint64_t> bounds;
  for (int i = 1; i < 30; ++i) {
    bounds.push_back(
        static_cast<uint64_t>(std::ceil(std::log1p(-i / 30.0) / std::log1p(-per_byte))));
  }
  bounds.erase(std::unique(bounds.begin(), bounds.end()), bounds.end());
  std::vector<uint64_t> seen(bounds.size() + 1);
  Sampler sampler;
  Tally gaps;
  uint64_t gap = 0;
  while (gaps.count() < kSamples) {
    ++gap;
    if (Request(sampler, 1, kInterval) == 0) continue;
    const auto place = std::lower_bound(bounds.begin(), bounds.end(), gap);
    ++seen[static_cast<size_t>(place - bounds.begin())];
    gaps.Add(static_cast<double>(gap));
    gap = 0;
  }
  CHECK(gaps.Deviations(1 / per_byte) < kSurely);
  double chi_square = 0;
  double below = 0;  // P(gap <= bound)
  for (size_t i = 0; i < seen.size(); ++i) {
    const double up_to =
        i < bounds.size() ? 1 - std::pow(1 - per_byte, static_cast<double>(bounds[i])) : 1;
    const double expected = kSamples * (up_to - below);
    chi_square += std::pow(static_cast<double>(seen[i]) - expected, 2) / expected;
    below = up_to;
  }
  CHECK(ChiSquareDeviations(chi_square, static_cast<double>(seen.size() - 1)) < kSurely);
}

TEST_CASE("neighbouring requests are sampled independently of each other", "[sample]") {
  constexpr uint64_t kInterval = 1000;
  constexpr size_t kBytes = 700;
  constexpr uint64_t kPairs = 500'000;
  const double p = Probability(kBytes, kInterval);
  Sampler sampler;
  uint64_t both = 0;
  for (uint64_t i = 0; i < kPairs; ++i) {
    const bool first = Request(sampler, kBytes, kInterval) != 0;
    const bool second = Request(sampler, kBytes, kInterval) != 0;
    if (first && second) ++both;
  }
  CHECK(BinomialDeviations(both, kPairs, p * p) < kSurely);
}

// One run of a program that allocates blocks of very different sizes: truth and estimates.
struct Run {
  double bytes = 0;
  double objects = 0;
  double estimated_bytes = 0;
  double estimated_objects = 0;
  double estimated_variance = 0;
};

Run RunOnce(const std::vector<size_t>& sizes, uint64_t interval) {
  Run run;
  Sampler sampler;
  for (const size_t size : sizes) {
    const double bytes = static_cast<double>(size);
    run.bytes += bytes;
    ++run.objects;
    const uint64_t sampled_by = Request(sampler, size, interval);
    if (sampled_by == 0) continue;
    const double p = Probability(size, sampled_by);
    run.estimated_bytes += bytes / p;
    run.estimated_objects += 1 / p;
    run.estimated_variance += bytes * bytes * (1 - p) / (p * p);
  }
  return run;
}

TEST_CASE("weighted sums are unbiased for bytes and objects, and so is their variance",
          "[sample]") {
  constexpr uint64_t kInterval = 4096;
  std::mt19937_64 random(11);
  std::lognormal_distribution<double> size(4.5, 1.8);  // median 90 bytes, tail to megabytes
  std::vector<size_t> sizes;
  for (int i = 0; i < 3000; ++i) sizes.push_back(static_cast<size_t>(size(random)) + 1);
  double true_variance = 0;
  for (const size_t bytes : sizes) {
    const double p = Probability(bytes, kInterval);
    true_variance += static_cast<double>(bytes) * static_cast<double>(bytes) * (1 - p) / p;
  }
  Tally bytes;
  Tally objects;
  Tally variance;
  Tally squared_error;
  Run run;
  for (int i = 0; i < 20'000; ++i) {
    run = RunOnce(sizes, kInterval);
    bytes.Add(run.estimated_bytes);
    objects.Add(run.estimated_objects);
    variance.Add(run.estimated_variance);
    squared_error.Add(std::pow(run.estimated_bytes - run.bytes, 2));
  }
  CHECK(bytes.Deviations(run.bytes) < kSurely);
  CHECK(objects.Deviations(run.objects) < kSurely);
  // The error is as large as theory says, and each run's own estimate of it is right on average.
  CHECK(squared_error.Deviations(true_variance) < kSurely);
  CHECK(variance.Deviations(true_variance) < kSurely);
}

}  // namespace
}  // namespace heapgauge
