"""A host with a real-time policy: reports are made without it, and where no thread can be started the line says why."""

import os
import shutil
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import harness

FIFO = ["chrt", "-f", "10"]
ROUND_ROBIN = ["chrt", "-r", "10"]
DEADLINE = ["chrt", "-d", "--sched-runtime", "5000000", "--sched-deadline", "10000000",
            "--sched-period", "10000000", "0"]


def policies(process):
    """Name and policy of each thread of the program."""
    found = []
    for thread in os.listdir(f"/proc/{process}/task"):
        with open(f"/proc/{process}/task/{thread}/comm", encoding="utf-8", errors="replace") as file:
            found.append((file.read().strip(), os.sched_getscheduler(int(thread))))
    return found


def gives_it_up(rig, chrt, policy):
    victim = os.path.realpath(rig.victim("reporting"))
    seen = []

    def during(process):
        process.stdin.write(b"1")  # the second report; the thread is there
        process.stdin.flush()
        harness.wait_until(lambda: "heapgauge" in [name for name, _ in policies(process.pid)], 30, "report thread")
        # It takes the name first.
        harness.wait_until(lambda: seen.append(policies(process.pid)) or ("heapgauge", os.SCHED_OTHER) in seen[-1],
                           30, "report thread without a real-time policy")
        process.stdin.write(b"0")
        process.stdin.close()

    run = rig.run([*chrt, victim, "asked"], "exact", {"HEAPGAUGE_ONLY": "reporting"}, during=during, stdin=-1)
    harness.check(run.status == 0, f"status {run.status}: {run.stderr!r}")
    harness.check(not run.said, f"it said {run.said}")
    harness.check(("reporting", policy) in seen[-1], f"the host's own policy: {seen[-1]}")


def names_it(rig):
    victim = os.path.realpath(rig.victim("reporting"))
    bare = rig.run([*DEADLINE, victim, "plain"], "bare")
    if bare.status != 0:
        return
    run = rig.run([*DEADLINE, victim, "plain"], "exact", {"HEAPGAUGE_ONLY": "reporting"})
    harness.same_behaviour(bare, run, ["under SCHED_DEADLINE"])


def body():
    options = harness.arguments(__doc__)
    if shutil.which("chrt") is None:
        harness.skip("no chrt")
    with harness.Rig(options, settings=harness.NAMES_ONLY) as rig:
        if rig.run([*FIFO, "true"], "bare").status != 0:
            harness.skip("no real-time policy is permitted")
        gives_it_up(rig, FIFO, os.SCHED_FIFO)
        gives_it_up(rig, ROUND_ROBIN, os.SCHED_RR)
        names_it(rig)


harness.main(body)
