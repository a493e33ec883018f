#include "attach/injection.h"

#include <fmt/core.h>
#include <signal.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>

#include "attach/patience.h"
#include "attach/stack.h"
#include "attach/stub.h"
#include "attach/thread.h"
#include "base/pause.h"

namespace heapgauge::attach {

#if defined(__x86_64__)
namespace {

// How long to look for a thread that can be borrowed, and for the library to answer.
constexpr int kSearchMs = 10'000;
constexpr int kAnswerMs = 60'000;
// The same as what the watch gives, which is for what can't be ended otherwise.
constexpr unsigned kBorrowSeconds = kSearchMs / 1000 + 20;
constexpr unsigned kAnswerSeconds = kAnswerMs / 1000 + 10;
// What must be free below the stack of a borrowed thread: what the kernel needs for a signal.
constexpr uint64_t kStackRoom = 12 * 1024;

constexpr char kNoReturn[] =
    "a call in it did not return in time and was given up; it goes on as before, try again";

int64_t NowMs() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000 + now.tv_nsec / 1'000'000;
}

// A borrowed thread must be given back: not by a kernel that cleans up after us, if it can be
// avoided.
class NoSignals final {
 public:
  NoSignals() {
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before_);
  }
  ~NoSignals() { sigprocmask(SIG_SETMASK, &before_, nullptr); }
  NoSignals(const NoSignals&) = delete;
  NoSignals& operator=(const NoSignals&) = delete;

 private:
  sigset_t before_;
};

// `mov $15, %rax; syscall`: how signal handlers return.
uint64_t FindSigreturn(pid_t pid, const LoadedModule& c_library,
                       const std::vector<Mapping>& mappings) {
  static constexpr unsigned char kCode[] = {0x48, 0xC7, 0xC0, 0x0F, 0x00, 0x00, 0x00, 0x0F, 0x05};
  constexpr uint64_t kMostCode = uint64_t{32} << 20;  // glibc has 1.5 MiB
  uint64_t left = kMostCode;
  for (const Mapping& mapping : mappings) {
    if (!mapping.executable || !c_library.Holds(mapping.begin)) continue;
    std::vector<unsigned char> code(std::min(mapping.end - mapping.begin, left));
    left -= code.size();
    if (!ReadMemory(pid, mapping.begin, code.data(), code.size())) continue;
    const auto found = std::search(code.begin(), code.end(), std::begin(kCode), std::end(kCode));
    if (found != code.end()) return mapping.begin + static_cast<uint64_t>(found - code.begin());
  }
  return 0;
}

// Where nothing is: in the widest gap, well away from what may still grow into it.
uint64_t FindRoom(const std::vector<Mapping>& mappings) {
  constexpr uint64_t kLowest = uint64_t{1} << 32;
  constexpr uint64_t kHighest = uint64_t{1} << 47;
  uint64_t widest = 0;
  uint64_t place = 0;
  uint64_t end = kLowest;
  for (const Mapping& mapping : mappings) {
    if (mapping.begin > end && mapping.begin < kHighest && mapping.begin - end > widest) {
      widest = mapping.begin - end;
      place = end + widest / 2;
    }
    end = std::max(end, mapping.end);
  }
  return place & ~uint64_t{0xFFFF};
}

bool HasRoomBelow(const std::vector<Mapping>& mappings, uint64_t stack_pointer) {
  for (const Mapping& mapping : mappings) {
    if (stack_pointer < mapping.begin || stack_pointer >= mapping.end) continue;
    return mapping.writable && stack_pointer - mapping.begin >= kStackRoom;
  }
  return false;
}

struct Functions {
  uint64_t mmap, munmap, pthread_create, pthread_self, pthread_detach, dlopen, dlsym, dlerror,
      usleep;
};

class Injection final {
 public:
  explicit Injection(const AttachTarget& target)
      : target_(target),
        symbols_(target.pid, target.c_library),
        mappings_(ReadMappings(target.pid)) {}

  AttachOutcome Run(const std::string& library, const AttachRequest& request) {
    if (std::string problem = LookUp(); !problem.empty()) return Unsettled(std::move(problem));
    judge_ = std::make_unique<StackJudge>(target_.pid, target_.modules, target_.c_library,
                                          target_.loader, symbols_);
    target_.patience->Give(kBorrowSeconds);
    Prepare(library, request);
    if (std::string problem = StartThread(); !problem.empty()) {
      return changed_ ? Unsettled(std::move(problem)) : Failed(std::move(problem));
    }
    target_.patience->Give(kAnswerSeconds);
    return WaitForAnswer();
  }

 private:
  static AttachOutcome Failed(std::string text) { return {false, std::move(text), true}; }

  static AttachOutcome Unsettled(std::string text) { return {false, std::move(text), true, true}; }

  // "", or what is missing.
  std::string LookUp() {
    if (symbols_.empty()) return "the tables of its C library can't be read";
    const auto find = [this](const char* name) { return symbols_.Find(name); };
    functions_ = {find("mmap"),         find("munmap"),         find("pthread_create"),
                  find("pthread_self"), find("pthread_detach"), find("dlopen"),
                  find("dlsym"),        find("dlerror"),        find("usleep")};
    const uint64_t all[] = {
        functions_.mmap,         functions_.munmap,         functions_.pthread_create,
        functions_.pthread_self, functions_.pthread_detach, functions_.dlopen,
        functions_.dlsym,        functions_.dlerror,        functions_.usleep};
    if (std::find(std::begin(all), std::end(all), 0U) != std::end(all)) {
      // From 2.34 on all of them are in one library.
      return symbols_.Find("gnu_get_libc_version") != 0 && functions_.mmap != 0
                 ? "its C library is older than glibc 2.34"
                 : "its C library is none that is known";
    }
    sigreturn_ = FindSigreturn(target_.pid, target_.c_library, mappings_);
    return sigreturn_ != 0 ? "" : "its C library's code can't be read";
  }

  void Prepare(const std::string& library, const AttachRequest& request) {
    memory_ = FindRoom(mappings_);
    const uint64_t data_at = memory_ + kStubCodeBytes;
    data_ = std::make_unique<StubData>();
    data_->entry = target_.entry;
    data_->dlopen = functions_.dlopen;
    data_->dlsym = functions_.dlsym;
    data_->dlerror = functions_.dlerror;
    data_->munmap = functions_.munmap;
    data_->pthread_self = functions_.pthread_self;
    data_->pthread_detach = functions_.pthread_detach;
    data_->pthread_create = functions_.pthread_create;
    data_->usleep = functions_.usleep;
    data_->path = data_at + offsetof(StubData, path_text);
    data_->name = data_at + offsetof(StubData, name_text);
    data_->request = data_at + offsetof(StubData, request_data);
    data_->memory = memory_;
    data_->memory_bytes = kStubBytes;
    library.copy(data_->path_text, sizeof(data_->path_text) - 1);
    std::strcpy(data_->name_text, kAttachEntryName);
    data_->request_data = request;
  }

  // Why what was put into it is not there any more.
  std::string Gone() const {
    return HasEnded(target_.pid) ? "it ended meanwhile"
                                 : "it became another program meanwhile; try again";
  }

  // Makes our thread in the name of one of the process's.  "", or what went wrong.
  std::string StartThread() {
    const int64_t deadline = NowMs() + kSearchMs;
    do {
      bool permitted = false;
      for (const pid_t thread : ThreadsOf(target_.pid)) {
        const NoSignals no_signals;
        BorrowedThread borrowed(target_.pid, thread, sigreturn_);
        const int error = borrowed.Stop();
        if (error == EAGAIN) return "it is stopped; continue it first (kill -CONT)";
        permitted = permitted || error != EPERM;  // what a dying thread says, too
        // It stands still now: what was looked up is right for good, or not at all.
        if (error == 0 && ImageOf(target_.pid) != target_.image) {
          changed_ = true;
          return "it became another program meanwhile; try again";
        }
        if (NowMs() >= deadline) break;
        if (error != 0 || !borrowed.CanBeBorrowed() ||
            !HasRoomBelow(mappings_, borrowed.stack_pointer()) ||
            !judge_->IsSafe(thread, borrowed.in_system_call())) {
          continue;
        }
        return StartThreadFrom(&borrowed);
      }
      if (HasEnded(target_.pid)) return "it has ended";
      if (!permitted) return "tracing it is not permitted";
      mappings_ = ReadMappings(target_.pid);  // new threads, new stacks
      PauseFor(20'000'000);
    } while (NowMs() < deadline);
    return fmt::format(
        "in {} s none of its threads was seen in a place where it can be interrupted safely; try "
        "again",
        kSearchMs / 1000);
  }

  std::string StartThreadFrom(BorrowedThread* thread) {
    const auto call = [&](std::initializer_list<uint64_t> arguments) {
      return thread->Call(functions_.mmap, arguments);
    };
    constexpr auto kNone = static_cast<uint64_t>(-1);
    if (!thread->Borrow() || !call({memory_, kStubBytes, PROT_READ | PROT_WRITE,
                                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, kNone, 0})) {
      return kNoReturn;
    }
    data_->saved_context = thread->saved_context();
    const uint64_t data_at = memory_ + kStubCodeBytes;
    if (!IsOurs(memory_, false) ||
        !WriteMemory(target_.pid, data_at, data_.get(), sizeof(StubData))) {
      return "it has no memory left for a call (ulimit -v?)";
    }
    // Code in memory of its own, never writable for the process: some forbid themselves that.
    if (!call({memory_, kStubCodeBytes, PROT_READ | PROT_EXEC,
               MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, kNone, 0})) {
      return kNoReturn;
    }
    const std::string_view code = StubCode();
    if (!IsOurs(memory_, true) || !thread->Poke(memory_, code.data(), code.size())) {
      thread->Call(functions_.munmap, {memory_, kStubBytes});
      return "it may not have new code in it (a hardened kernel or service?)";
    }
    const uint64_t stack = memory_ + kStubBytes - 64;
    if (!thread->Call(memory_, {}, stack, data_at)) return kNoReturn;
    if (!Refresh()) return Gone();
    if (data_->create_result != 0) {
      thread->Call(functions_.munmap, {memory_, kStubBytes});
      return fmt::format("it can't have another thread ({})",
                         std::strerror(static_cast<int>(data_->create_result)));
    }
    return {};
  }

  bool IsOurs(uint64_t at, bool executable) const {
    for (const Mapping& mapping : ReadMappings(target_.pid)) {
      if (at >= mapping.begin && at < mapping.end) return mapping.executable == executable;
    }
    return false;
  }

  bool Refresh() {
    return ReadMemory(target_.pid, memory_ + kStubCodeBytes, data_.get(), sizeof(StubData));
  }

  AttachOutcome WaitForAnswer() {
    const int64_t deadline = NowMs() + kAnswerMs;
    while (data_->state != StubState::kDone && data_->state != StubState::kFailed) {
      if (NowMs() > deadline) {
        return Failed("the library has not answered in a minute; it may still start");
      }
      PauseFor(2'000'000);
      if (!Refresh()) return Failed(Gone());
    }
    const uint32_t yes = 1;
    WriteMemory(target_.pid, memory_ + kStubCodeBytes + offsetof(StubData, acknowledged), &yes,
                sizeof(yes));
    if (data_->state == StubState::kFailed) {
      data_->error[sizeof(data_->error) - 1] = '\0';
      return Failed(fmt::format("the library can't be loaded there: {}", data_->error));
    }
    data_->request_data.text[AttachRequest::kTextBytes - 1] = '\0';
    std::string text = data_->request_data.text;
    switch (static_cast<AttachResult>(data_->result)) {
      case AttachResult::kDone:
        return {true, std::move(text), true};
      case AttachResult::kNoReport:
        return {true, std::move(text), false};
      case AttachResult::kRefused:
        break;
    }
    if (text.empty()) text = "the library in it is of another version than this command";
    return Failed(std::move(text));
  }

  const AttachTarget& target_;
  ModuleSymbols symbols_;
  std::vector<Mapping> mappings_;
  Functions functions_{};
  uint64_t sigreturn_ = 0;
  bool changed_ = false;
  uint64_t memory_ = 0;
  std::unique_ptr<StackJudge> judge_;
  std::unique_ptr<StubData> data_;
};

}  // namespace

AttachOutcome Inject(const AttachTarget& target, const std::string& library,
                     const AttachRequest& request) {
  return Injection(target).Run(library, request);
}
#else
AttachOutcome Inject(const AttachTarget&, const std::string&, const AttachRequest&) {
  return {false, "attaching needs an x86-64 processor in this version", true};
}
#endif

}  // namespace heapgauge::attach
