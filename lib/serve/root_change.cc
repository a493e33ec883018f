// The way to the report directory, kept for when the host has entered another root (kept_place.h).
#include <unistd.h>

#include "base/errno_keeper.h"
#include "base/root_identity.h"
#include "report/directory_owner.h"
#include "report/kept_place.h"
#include "report/output_directory.h"
#include "serve/confinement.h"
#include "serve/own_work.h"
#include "serve/private_descriptors.h"
#include "serve/reporter.h"

namespace heapgauge {
namespace {

bool IsOwn(const std::string& path, const Claimant& claimant) {
  const int directory = OpenReportDirectory(path, false, nullptr);
  if (directory < 0) return false;
  const bool own = MayOwn(directory, claimant);
  close(directory);
  return own;
}

}  // namespace

Reporter::Place Reporter::PlaceOfReports() {
  if (const char* const made = directory()) return {made, true};
  if (family_.IsChild()) {
    // relaxed: without a report thread nobody else asks.
    const bool alone = status_.load(std::memory_order_relaxed) == kNoThread;
    const std::string path = family_.RootPath(alone);
    if (!path.empty()) {
      const int directory = OpenReportDirectory(path, false, nullptr);
      if (directory >= 0) close(directory);
      return {path, directory >= 0};
    }
  }
  const std::string program = program_path_.substr(program_path_.rfind('/') + 1);
  Claimant owner;
  owner.pid = getpid();
  owner.instance = InstanceOf(owner.pid);
  owner.began = began_;
  owner.name_has_pid = output_pattern_.empty() || output_pattern_.find("%p") != std::string::npos;
  const std::string path = ExpandOutputPattern(output_pattern_, program, owner.pid, HostName());
  return {path, IsOwn(path, owner)};
}

void Reporter::BeforeRootChange() noexcept {
  const ErrnoKeeper errno_keeper;
  // relaxed: set in the constructor, or in a child that has one thread.
  if (this_thread_()->exempt || InForeignClone() || muted_.load(std::memory_order_relaxed) ||
      IsConfined() || RootHasChanged()) {
    return;
  }
  const OwnWork work(this_thread_());
  try {
    const Place place = PlaceOfReports();
    // A filter that was there before us may kill for the calls that make a mount.
    KeepPlace(place.path.c_str(), place.whole, !BeganConfined());
  } catch (...) {
    // No memory: a line says later that reports end.
  }
}

void Reporter::KeepPlaceOnThread() noexcept {
  if (!DescriptorsArePrivate()) return;
  try {
    const Place place = PlaceOfReports();
    KeepPlaceOfThread(place.path.c_str(), place.whole);
  } catch (...) {
    // The same.
  }
}

}  // namespace heapgauge
