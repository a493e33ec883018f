"""One victim, bare and in the three sampling modes: same behaviour, and the account is the victim's own.

A victim that knows what it holds says so through victim.h: in-process checks make it exit with status 3, and what it
holds at its end is compared here with its final report.
"""

import os
import sys

import harness


def options():
    def extra(parser):
        parser.add_argument("victim")
        parser.add_argument("argument", nargs="*")
        parser.add_argument("--status", type=int, default=0, help="exit status of the bare run; negative: a signal")
        parser.add_argument("--truths", type=int, default=0, help="processes that tell their truth, at least")
        parser.add_argument("--env", action="append", default=[], metavar="NAME=VALUE")
        parser.add_argument("--line", action="append", default=[], help="what heapgauge is to say, once")
        parser.add_argument("--may-say", action="append", default=[], help="what it may say, any number of times")
        parser.add_argument("--mode", action="append", default=[])
        parser.add_argument("--under", default="", help="command in front of the victim")
        parser.add_argument("--root", action="store_true", help="needs root, skipped without")
        parser.add_argument("--closed-stdio", action="store_true")
        parser.add_argument("--timeout", type=int, default=60)

    return harness.arguments(__doc__, extra)


def close_stdio():
    for fd in range(3):
        os.close(fd)


def body():
    wanted = options()
    env = dict(pair.split("=", 1) for pair in wanted.env)
    harness.skip_without_library(wanted.behind)
    if wanted.root and os.geteuid() != 0:
        harness.skip("needs root")
    how = {"preexec_fn": close_stdio} if wanted.closed_stdio else {}
    with harness.Rig(wanted, wanted.timeout) as rig:
        executable = os.path.realpath(rig.victim(wanted.victim))
        argv = [*wanted.under.split(), executable, *wanted.argument]
        bare = rig.run(argv, "bare", env, **how)
        harness.check(bare.status == wanted.status,
                      f"the victim itself ends with {bare.status}, not {wanted.status}: "
                      + bare.stderr.decode(errors="replace"))
        for mode in wanted.mode or harness.INTERVALS:
            run = rig.run(argv, mode, env, **how)
            # For people: that there was no memory, not the name of a type.
            harness.check(not any("bad_alloc" in line for line in run.said), f"{mode}: it said {run.said}")
            run.said = [line for line in run.said if not any(text in line for text in wanted.may_say)]
            harness.same_behaviour(bare, run, wanted.line)
            told = harness.final_account_is_true(run, executable)
            harness.check(told >= wanted.truths, f"{mode}: {told} processes told their truth, not {wanted.truths}")


if __name__ == "__main__":
    sys.dont_write_bytecode = True
    harness.main(body)
