// The report directory where the host changes what it may see and enter: the way to it, kept for
// when the host has entered another root (kept_place.h), and its owner (hand_over.h).
#include <sys/stat.h>
#include <unistd.h>

#include "base/basename.h"
#include "base/errno_keeper.h"
#include "base/root_identity.h"
#include "process/confinement.h"
#include "report/directory_owner.h"
#include "report/hand_over.h"
#include "report/kept_place.h"
#include "report/output_directory.h"
#include "report/safe_path.h"
#include "reporter/own_work.h"
#include "reporter/private_descriptors.h"
#include "reporter/reporter.h"

namespace heapgauge {
namespace {

// Without allocation: see host_rights.cc.
bool IsThere(const char* path, const Claimant* owner) noexcept {
  PathScratch scratch;
  PathAnswer answer;
  const int directory = OpenDirectorySafely(path, false, &scratch, &answer);
  if (directory < 0) return false;
  const bool there =
      WhyUnsafe(directory) == nullptr && (owner == nullptr || MayOwn(directory, *owner));
  close(directory);
  return there;
}

}  // namespace

Reporter::Place Reporter::PlaceOfReports() {
  if (const char* const made = directory()) return {made, {}, true};
  if (family_.IsChild()) {
    // relaxed: without a report thread nobody else asks.
    const bool alone = thread_->status.load(std::memory_order_relaxed) == kNoThread;
    const char* const path = family_.RootPath(alone);
    if (*path != '\0') return {path, {}, IsThere(path, nullptr)};
  }
  Claimant owner;
  owner.pid = getpid();
  owner.instance = InstanceOf(owner.pid);
  owner.began = began_;
  owner.name_has_pid = output_pattern_.empty() || output_pattern_.find("%p") != std::string::npos;
  Place place{own_path_.c_str(), {}};
  if (forked_) {
    const std::string program = std::string(Basename(program_path_));
    place.expanded = ExpandOutputPattern(output_pattern_, program, owner.pid, HostName());
  }
  place.whole = IsThere(place.path(), &owner);
  return place;
}

void Reporter::BeforeRootChange() noexcept {
  const ErrnoKeeper errno_keeper;
  // relaxed: set in the constructor, or in a child that has one thread.
  if (this_thread_()->exempt || InForeignClone() || muted_.load(std::memory_order_relaxed) ||
      (EndedHere(*this_thread_()) & kEndsReports) != 0 || RootHasChanged()) {
    return;
  }
  const OwnWork work(this_thread_());
  try {
    const Place place = PlaceOfReports();
    // A filter that was there before us may kill for the calls that make a mount.
    KeepPlace(place.path(), place.whole, !BeganConfined());
  } catch (...) {
    // No memory: a line says later that reports end.
  }
}

bool Reporter::GiveReports(uid_t user) noexcept {
  const ErrnoKeeper errno_keeper;
  // relaxed: set in the constructor, or in a child that has one thread.
  if (this_thread_()->exempt || (EndedHere(*this_thread_()) & kEndsReports) != 0 ||
      geteuid() != 0 || InForeignClone() || muted_.load(std::memory_order_relaxed)) {
    return false;
  }
  return HandOver(0, user);
}

void Reporter::TakeReportsBack(uid_t user) noexcept {
  const ErrnoKeeper errno_keeper;
  HandOver(user, 0);
}

// What others write to, too, stays whose it is: a child's line goes to its root's directory.
bool Reporter::HandOver(uid_t from, uid_t to) noexcept {
  const OwnWork work(this_thread_());
  try {
    if (directory() == nullptr && family_.IsChild()) return false;
    const Place place = PlaceOfReports();
    // Made now where there will be a report: the new user may not be able to make it.
    // relaxed: another thread's first sample may come too late.
    const bool make = from == 0 && !place.whole && thread_->sampled.load(std::memory_order_relaxed);
    if (from == 0 && !place.whole && !make) return false;
    PathScratch scratch;
    PathAnswer answer;
    const int directory = OpenDirectorySafely(place.path(), make, &scratch, &answer);
    if (directory < 0) return false;
    bool given = !make || answer.made;
    if (answer.made) {
      fchmod(directory, 0700);
      NameOwner(directory, InstanceOf(getpid()));
    }
    given = given && HandOverDirectory(directory, from, to);
    close(directory);
    return given;
  } catch (...) {
    return false;  // no memory
  }
}

void Reporter::KeepPlaceOnThread() noexcept {
  if (!DescriptorsArePrivate()) return;
  try {
    const Place place = PlaceOfReports();
    KeepPlaceOfThread(place.path(), place.whole);
  } catch (...) {
    // The same.
  }
}

}  // namespace heapgauge
