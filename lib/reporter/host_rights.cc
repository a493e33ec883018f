#include "reporter/host_rights.h"

#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <iterator>
#include <string>

#include "base/descriptor.h"
#include "helper/rights_lines.h"
#include "helper/running_helpers.h"
#include "process/confinement.h"
#include "track/filters.h"

namespace heapgauge {
namespace {

// No allocation where nothing has changed: this thread's would come in between those of a host that
// is watched by its allocator (mtrace).
struct StatusText {
  char text[size_t{16} * 1024];

  // "" where there is no /proc.  With more groups than fit nothing is complete.
  std::string_view Read(const char* path) noexcept {
    const Descriptor file = Descriptor::OpenToRead(path);
    size_t size = 0;
    for (ssize_t got = 1; got > 0 && file.valid(); size += static_cast<size_t>(got)) {
      got = std::max<ssize_t>(read(file.get(), text + size, sizeof(text) - size), 0);
    }
    return {text, size};
  }
};

// What stands behind "\n" + `name` + ":" on that line.
bool Find(std::string_view status, std::string_view name, std::string_view* value) {
  const std::string field = "\n" + std::string(name) + ":";
  const size_t at = status.find(field);
  if (at == std::string_view::npos) return false;
  *value = status.substr(at + field.size());
  *value = value->substr(0, value->find('\n'));
  return true;
}

template <typename Number>
bool Next(std::string_view* text, Number* number, int base = 10) {
  while (!text->empty() && (text->front() == '\t' || text->front() == ' ')) text->remove_prefix(1);
  const char* const end = text->data() + text->size();
  const auto [rest, failure] = std::from_chars(text->data(), end, *number, base);
  if (failure != std::errc()) return false;
  text->remove_prefix(static_cast<size_t>(rest - text->data()));
  return true;
}

bool FindFour(std::string_view status, std::string_view name, std::array<uid_t, 4>* ids) {
  std::string_view value;
  return Find(status, name, &value) &&
         std::all_of(ids->begin(), ids->end(), [&](uid_t& id) { return Next(&value, &id); });
}

bool FindSet(std::string_view status, std::string_view name, uint64_t* set) {
  std::string_view value;
  return Find(status, name, &value) && Next(&value, set, 16);
}

// Real, effective and saved: by each of them the others can be had.
bool IsRoot(const Rights& host) {
  return std::find(host.users.begin(), host.users.begin() + 3, 0U) != host.users.begin() + 3;
}
bool HasAnother(const std::array<uid_t, 4>& mine, const std::array<uid_t, 4>& host) {
  const auto known = host.begin() + 3;
  return std::any_of(mine.begin(), mine.begin() + 3,
                     [&](uid_t id) { return std::find(host.begin(), known, id) == known; });
}

// By the system calls themselves: libc's would change every thread.
void Take(const Rights& mine, const Rights& host) {
  const int dumpable = prctl(PR_GET_DUMPABLE);
  if (host.no_new_privileges) prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  for (unsigned bit = 0; bit < 64; ++bit) {
    if ((mine.bounding & ~host.bounding) >> bit & 1) prctl(PR_CAPBSET_DROP, bit);
  }
  if (mine.more_groups != host.more_groups) {
    syscall(SYS_setgroups, host.more_groups.size(), host.more_groups.data());
  }
  if (HasAnother(mine.groups, host.groups)) {
    syscall(SYS_setresgid, host.groups[0], host.groups[1], host.groups[2]);
  }
  if (!IsRoot(host) && HasAnother(mine.users, host.users)) {
    // The host may have kept some of root's capabilities.
    if (host.permitted != 0) prctl(PR_SET_KEEPCAPS, 1);
    syscall(SYS_setresuid, host.users[0], host.users[1], host.users[2]);
    if (host.permitted != 0) prctl(PR_SET_KEEPCAPS, 0);
    // The change has taken core dumps and debuggers from the whole process.
    if (dumpable == 1 && prctl(PR_GET_DUMPABLE) != 1) prctl(PR_SET_DUMPABLE, 1);
  }
  __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3];
  for (int i = 0; i < _LINUX_CAPABILITY_U32S_3; ++i) {
    const auto half = [i](uint64_t set) { return static_cast<uint32_t>(set >> (32 * i)); };
    sets[i].permitted = half(host.permitted & mine.permitted);
    sets[i].effective = half(host.effective & host.permitted & mine.permitted);
    sets[i].inheritable = half(host.inheritable & mine.inheritable);
  }
  syscall(SYS_capset, &header, sets);
}

}  // namespace

bool Rights::Parse(std::string_view status) {
  std::string_view list;
  if (!FindFour(status, "Uid", &users) || !FindFour(status, "Gid", &groups) ||
      !Find(status, "Groups", &list) || !FindSet(status, "CapInh", &inheritable) ||
      !FindSet(status, "CapPrm", &permitted) || !FindSet(status, "CapEff", &effective) ||
      !FindSet(status, "CapBnd", &bounding)) {
    return false;
  }
  std::string_view value;
  no_new_privileges = Find(status, "NoNewPrivs", &value) && value == "\t1";
  ended = Find(status, "State", &value) && (value.starts_with("\tZ") || value.starts_with("\tX"));
  more_groups.clear();
  for (gid_t group; Next(&list, &group);) more_groups.push_back(group);
  return true;
}

bool HasMoreThan(const Rights& mine, const Rights& host) {
  if (host.ended) return false;
  return (!IsRoot(host) && HasAnother(mine.users, host.users)) ||
         HasAnother(mine.groups, host.groups) || (mine.permitted & ~host.permitted) != 0 ||
         (mine.bounding & ~host.bounding) != 0 ||
         (host.no_new_privileges && !mine.no_new_privileges) ||
         !std::includes(host.more_groups.begin(), host.more_groups.end(), mine.more_groups.begin(),
                        mine.more_groups.end());
}

namespace {

bool IsSame(std::string_view one, std::string_view other) {
  return std::all_of(std::begin(kRightsLines), std::end(kRightsLines), [&](const RightsLine& line) {
    std::string_view mine;
    std::string_view its;
    return Find(one, line.name, &mine) == Find(other, line.name, &its) && mine == its;
  });
}

// False when the calling thread still has more than the first one.
bool Follow() {
  static StatusText first;  // the report thread's own
  static StatusText own;
  constexpr char kOwn[] = "/proc/thread-self/status";
  const std::string_view host_text = first.Read("/proc/self/status");  // of the first thread
  const std::string_view own_text = own.Read(kOwn);
  if (ShowsUnknownFilter(host_text) && !ShowsUnknownFilter(own_text)) {
    Filters::Get().FoundUnknown();
  }
  if (IsSame(host_text, own_text)) return true;
  Rights host;
  Rights mine;
  if (!host.Parse(host_text) || !mine.Parse(own_text) || !HasMoreThan(mine, host)) return true;
  Take(mine, host);
  return mine.Parse(own.Read(kOwn)) && !HasMoreThan(mine, host);
}

}  // namespace

void FollowHostRights() noexcept {
  static bool behind = false;  // the report thread's own
  try {
    const bool follows = Follow();
    if (follows != behind) return;
    behind = !follows;
    if (behind) {
      EndHelpers(0);
    } else {
      AllowHelpers();
    }
  } catch (...) {
    // No memory: the next look will do.
  }
}

}  // namespace heapgauge
