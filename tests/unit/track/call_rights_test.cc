#include "track/call_rights.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/syscall.h>

#include <cstddef>
#include <string>
#include <vector>

#include "catch2/catch.hpp"
#include "track/filter_program.h"

namespace heapgauge {
namespace {

using Program = std::vector<sock_filter>;

const sock_filter kLoadNumber = BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr));

sock_filter Return(uint32_t answer) { return BPF_STMT(BPF_RET | BPF_K, answer); }

// `rest` for all but `calls`.
Program ListOf(const std::vector<int>& calls, uint32_t answer, uint32_t rest) {
  Program program = {kLoadNumber};
  for (const int call : calls) {
    program.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<uint32_t>(call), 0, 1));
    program.push_back(Return(answer));
  }
  program.push_back(Return(rest));
  return program;
}

uint16_t EndedBy(const Program& program) {
  return JudgeFilter(program.data(), program.size()).ended;
}

CallVerdict Run(const Program& program, const seccomp_data& call) {
  return RunFilter(program.data(), program.size(), call);
}

// RET 1 if the accumulator is `value`, so that a sum can be seen.
CallVerdict Leaves(Program program, uint32_t value) {
  program.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, 1));
  program.push_back(Return(SECCOMP_RET_ALLOW));
  program.push_back(Return(SECCOMP_RET_KILL_PROCESS));
  return Run(program, seccomp_data{});
}

}  // namespace

TEST_CASE("a filter's answers are deadly unless they allow, log or refuse", "[track][filters]") {
  CHECK(Run({Return(SECCOMP_RET_ALLOW)}, {}) == CallVerdict::kAllowed);
  CHECK(Run({Return(SECCOMP_RET_LOG)}, {}) == CallVerdict::kAllowed);
  CHECK(Run({Return(SECCOMP_RET_ERRNO | EPERM)}, {}) == CallVerdict::kRefused);
  for (const uint32_t deadly : {SECCOMP_RET_KILL_PROCESS, SECCOMP_RET_KILL_THREAD, SECCOMP_RET_TRAP,
                                SECCOMP_RET_USER_NOTIF, SECCOMP_RET_TRACE, 0x12340000U}) {
    CHECK(Run({Return(deadly | 7)}, {}) == CallVerdict::kDeadly);
  }
}

TEST_CASE("a filter computes as the kernel does", "[track][filters]") {
  const auto load = [](uint32_t k) -> sock_filter { return BPF_STMT(BPF_LD | BPF_IMM, k); };
  const auto alu = [](int op, uint32_t k) -> sock_filter {
    return BPF_STMT(static_cast<uint16_t>(BPF_ALU | op | BPF_K), k);
  };
  CHECK(Leaves({load(6), alu(BPF_ADD, 0xFFFFFFFF)}, 5) == CallVerdict::kAllowed);
  CHECK(Leaves({load(6), alu(BPF_SUB, 7)}, 0xFFFFFFFF) == CallVerdict::kAllowed);
  CHECK(Leaves({load(6), alu(BPF_MUL, 7)}, 42) == CallVerdict::kAllowed);
  CHECK(Leaves({load(43), alu(BPF_DIV, 7)}, 6) == CallVerdict::kAllowed);
  CHECK(Leaves({load(43), alu(BPF_AND, 9)}, 9) == CallVerdict::kAllowed);
  CHECK(Leaves({load(34), alu(BPF_OR, 9)}, 43) == CallVerdict::kAllowed);
  CHECK(Leaves({load(34), alu(BPF_XOR, 3)}, 33) == CallVerdict::kAllowed);
  CHECK(Leaves({load(1), alu(BPF_LSH, 33)}, 2) == CallVerdict::kAllowed);
  CHECK(Leaves({load(8), alu(BPF_RSH, 2)}, 2) == CallVerdict::kAllowed);
  CHECK(Leaves({load(1), BPF_STMT(BPF_ALU | BPF_NEG, 0)}, 0xFFFFFFFF) == CallVerdict::kAllowed);
  CHECK(Leaves({load(5), BPF_STMT(BPF_ST, 3), load(9), BPF_STMT(BPF_LDX | BPF_MEM, 3),
                BPF_STMT(BPF_ALU | BPF_ADD | BPF_X, 0)},
               14) == CallVerdict::kAllowed);
  CHECK(Leaves({load(5), BPF_STMT(BPF_MISC | BPF_TAX, 0), load(1), BPF_STMT(BPF_MISC | BPF_TXA, 0)},
               5) == CallVerdict::kAllowed);
  CHECK(Leaves({load(5), BPF_STMT(BPF_JMP | BPF_JA, 1), load(6), load(7)}, 7) ==
        CallVerdict::kAllowed);
  CHECK(Leaves({load(5), BPF_STMT(BPF_LD | BPF_W | BPF_LEN, 0)}, sizeof(seccomp_data)) ==
        CallVerdict::kAllowed);
}

TEST_CASE("a program that the kernel would not take kills, and is never left or overrun",
          "[track][filters]") {
  const uint32_t allow = SECCOMP_RET_ALLOW;
  for (const sock_filter& wrong :
       Program{BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 64), BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 2),
               BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0xFFFFFFFC), BPF_STMT(BPF_LD | BPF_MEM, 16),
               BPF_STMT(BPF_ST, 0x80000000), BPF_STMT(BPF_STX, 16),
               BPF_STMT(BPF_LD | BPF_H | BPF_IND, 0), BPF_STMT(BPF_JMP | BPF_JA, 0xFFFFFFFF),
               BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 200, 200),
               BPF_STMT(BPF_ALU | BPF_DIV | BPF_X, 0), BPF_STMT(BPF_ALU | 0xF0, 1)}) {
    CHECK(Run({wrong, Return(allow)}, {}) == CallVerdict::kDeadly);
  }
  CHECK(Run({}, {}) == CallVerdict::kDeadly);
  CHECK(Run(Program(4096, BPF_STMT(BPF_LD | BPF_IMM, 1)), {}) == CallVerdict::kDeadly);
  CHECK(Run(Program(5000, Return(allow)), {}) == CallVerdict::kDeadly);
}

TEST_CASE("what a filter ends is what meets the calls that it kills for", "[track][filters]") {
  const uint32_t kill = SECCOMP_RET_KILL_PROCESS;
  const uint32_t allow = SECCOMP_RET_ALLOW;
  CHECK(EndedBy({Return(allow)}) == 0);
  CHECK(EndedBy(ListOf({SYS_ptrace, SYS_bpf, SYS_mount}, kill, allow)) == 0);
  CHECK(EndedBy(ListOf({SYS_socket, SYS_connect}, kill, allow)) == kEndsControl);
  constexpr uint16_t kFiles = kEndsReports | kEndsHelpers | kEndsControl;
  CHECK(EndedBy(ListOf({SYS_openat}, kill, allow)) == kFiles);
  CHECK(EndedBy(ListOf({SYS_openat}, SECCOMP_RET_TRAP, allow)) == kFiles);
  CHECK(EndedBy(ListOf({SYS_execve}, kill, allow)) == kEndsHelpers);
  CHECK(EndedBy(ListOf({SYS_clone3, SYS_clone}, kill, allow)) ==
        (kEndsThreads | kEndsHelpers | kEndsSpreading | kEndsCopies));
  CHECK((EndedBy(ListOf({SYS_mmap}, kill, allow)) & kEndsSamples) != 0);
  CHECK((EndedBy(ListOf({SYS_rt_sigprocmask}, kill, allow)) & (kEndsWalks | kEndsPlainWords)) ==
        (kEndsWalks | kEndsPlainWords));
  CHECK((EndedBy(ListOf({SYS_ppoll}, kill, allow)) & (kEndsWords | kEndsPlainWords)) == kEndsWords);
  CHECK(EndedBy({Return(kill)}) == kEverythingEnds);
  CHECK(EndedBy({}) == kEverythingEnds);
  CHECK(EndedBy(ListOf({SYS_process_vm_readv}, kill, allow)) == kEndsHolders);
  CHECK(StrictEffect().ended == kEverythingEnds);
}

TEST_CASE("a refusal ends what cannot be done without the call", "[track][filters]") {
  const uint32_t refuse = SECCOMP_RET_ERRNO | EPERM;
  const uint32_t allow = SECCOMP_RET_ALLOW;
  CHECK(EndedBy(ListOf({SYS_execve, SYS_mkdirat, SYS_prctl, SYS_clone3, SYS_mmap}, refuse,
                       allow)) == 0);
  CHECK((EndedBy(ListOf({SYS_openat}, refuse, allow)) & kEndsReports) != 0);
  CHECK((EndedBy(ListOf({SYS_futex}, refuse, allow)) & kEndsReports) != 0);
  CHECK((EndedBy(ListOf({SYS_rt_sigprocmask}, refuse, allow)) & kEndsWalks) != 0);
  CHECK((EndedBy(ListOf({SYS_clone3, SYS_clone}, refuse, allow)) & kEndsSpreading) != 0);
}

TEST_CASE("a filter that looks at arguments is asked with ours", "[track][filters]") {
  // clone() for threads alone: the low word of its flags.
  const Program threads_alone = {
      kLoadNumber,
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone, 0, 3),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, args)),
      BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, CLONE_THREAD, 1, 0),
      Return(SECCOMP_RET_KILL_PROCESS),
      Return(SECCOMP_RET_ALLOW),
  };
  CHECK(EndedBy(threads_alone) == (kEndsHelpers | kEndsCopies));
}

TEST_CASE("the call for which reports end is named", "[track][filters]") {
  const Program program = ListOf({SYS_renameat}, SECCOMP_RET_KILL_THREAD, SECCOMP_RET_ALLOW);
  CHECK(std::string(JudgeFilter(program.data(), program.size()).reports) == "renameat");
  CHECK(JudgeFilter(program.data(), program.size()).threads == nullptr);
}

}  // namespace heapgauge
