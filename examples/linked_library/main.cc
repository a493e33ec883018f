// A program that asks heapgauge about itself: it allocates at two places whose sizes it knows,
// takes a snapshot, prints what heapgauge estimates beside what is true, frees one of the two,
// looks again and writes a report.
//
// Exit status 0 when both places were seen and the estimates are within five standard errors of the
// truth.
#include <cxxabi.h>
#include <dlfcn.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <heapgauge/heapgauge.hpp>
#include <list>
#include <memory>
#include <string>
#include <vector>

// Not in an unnamed namespace: dladdr names only what the program exports.
namespace linked_library {

using Thumbnail = std::unique_ptr<unsigned char[]>;
struct Word {
  char text[48];
};

constexpr size_t kThumbnails = 2000;
constexpr size_t kThumbnailBytes = 12 * 1024;
constexpr size_t kWords = 100'000;
constexpr size_t kWordBytes = sizeof(Word) + 2 * sizeof(void*);  // a list node

// Kept out of line so that each is a frame of its own in the stacks.
[[gnu::noinline]] std::vector<Thumbnail> LoadThumbnails() {
  std::vector<Thumbnail> thumbnails(kThumbnails);
  for (Thumbnail& thumbnail : thumbnails) thumbnail.reset(new unsigned char[kThumbnailBytes]());
  return thumbnails;
}

[[gnu::noinline]] std::list<Word> BuildIndex() { return std::list<Word>(kWords); }

struct Estimate {
  double bytes = 0;
  double variance = 0;
  double objects = 0;
};

std::string FunctionName(void* address) {
  Dl_info info;
  if (dladdr(address, &info) == 0 || info.dli_sname == nullptr) return "?";
  int status = 0;
  char* const plain = abi::__cxa_demangle(info.dli_sname, nullptr, nullptr, &status);
  std::string name = status == 0 ? plain : info.dli_sname;
  std::free(plain);
  return name;
}

// One back: a return address may already belong to what follows the call.
void* CallOf(void* return_address) { return static_cast<char*>(return_address) - 1; }

bool CalledFrom(const heapgauge::Site& site, const char* function) {
  for (void* frame : heapgauge::Frames(site)) {
    if (FunctionName(CallOf(frame)).find(function) != std::string::npos) return true;
  }
  return false;
}

// All sites below `function` together.
Estimate EstimateFor(const heapgauge::Snapshot& snapshot, const char* function) {
  Estimate sum;
  for (const heapgauge::Site& site : snapshot.sites()) {
    if (!CalledFrom(site, function)) continue;
    sum.bytes += site.live_bytes;
    sum.variance += site.live_bytes_stderr * site.live_bytes_stderr;
    sum.objects += site.live_objects;
  }
  return sum;
}

// Prints one line; false when the estimate can't be explained by chance.
bool Compare(const heapgauge::Snapshot& snapshot, const char* function, double true_bytes) {
  const Estimate estimate = EstimateFor(snapshot, function);
  const double error = std::sqrt(estimate.variance);
  std::printf("  %-16s %8.2f MiB +- %.2f  (true: %.2f MiB), %.0f objects\n", function,
              estimate.bytes / 1048576, error / 1048576, true_bytes / 1048576, estimate.objects);
  return std::abs(estimate.bytes - true_bytes) <= 5 * error;
}

bool Take(heapgauge::Snapshot& snapshot) {
  const heapgauge::Status status = heapgauge::TakeSnapshot(snapshot, 1000);
  if (status == heapgauge::Status::kOk) return true;
  std::fprintf(stderr, "linked_library: no snapshot: %s\n", heapgauge::StatusText(status));
  return false;
}

}  // namespace linked_library

int main() {
  using namespace linked_library;
  const std::string version(heapgauge::Version());
  std::printf("heapgauge %s\n", version.c_str());
  const heapgauge::ScopedTracking tracking;
  heapgauge::Status status = tracking.status();
  if (status == heapgauge::Status::kOk) status = heapgauge::SetSampleInterval(16 * 1024);
  if (status != heapgauge::Status::kOk) {
    std::fprintf(stderr, "linked_library: can't track: %s\n", heapgauge::StatusText(status));
    return 1;
  }

  const std::vector<Thumbnail> thumbnails = LoadThumbnails();
  std::list<Word> index = BuildIndex();

  heapgauge::Snapshot snapshot;
  if (!Take(snapshot)) return 1;
  std::printf("%llu samples, one every %llu bytes; the largest sites:\n",
              static_cast<unsigned long long>(snapshot.samples()),
              static_cast<unsigned long long>(snapshot.interval_bytes()));
  for (size_t i = 0; i < snapshot.sites().size() && i < 5; ++i) {
    const heapgauge::Site& site = snapshot.sites()[i];
    const heapgauge::FrameView frames = heapgauge::Frames(site);
    std::printf("  %016llx  %8.2f MiB  %s\n", static_cast<unsigned long long>(site.id),
                site.live_bytes / 1048576,
                frames.empty() ? "?" : FunctionName(CallOf(frames[0])).c_str());
  }
  std::printf("both alive:\n");
  bool good =
      Compare(snapshot, "LoadThumbnails", kThumbnails * (kThumbnailBytes + sizeof(Thumbnail)));
  good &= Compare(snapshot, "BuildIndex", kWords * kWordBytes);

  index.clear();
  if (!Take(snapshot)) return 1;
  std::printf("the index freed:\n");
  good &= Compare(snapshot, "BuildIndex", 0);

  status = heapgauge::WriteReport();
  if (status != heapgauge::Status::kOk) {
    std::fprintf(stderr, "linked_library: no report: %s\n", heapgauge::StatusText(status));
    return 1;
  }
  const std::string directory(heapgauge::ReportDirectory());
  std::printf("report in %s\n", directory.c_str());
  if (!good)
    std::fprintf(stderr, "linked_library: an estimate is off by more than chance explains\n");
  return good && thumbnails.size() == kThumbnails ? 0 : 1;
}
