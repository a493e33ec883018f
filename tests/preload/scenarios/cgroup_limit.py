"""A container's memory limit: the kernel kills the host as it does without us, what was reported stands, and the report
knew the limit."""

import contextlib
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import harness

LIMIT = 96 << 20
# A group's directory and its file for the limit, version 2 and 1.
PLACES = (("/sys/fs/cgroup", "memory.max", "memory.swap.max", "0"),
          ("/sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.swappiness", "0"))


def put(path, text):
    with open(path, "w", encoding="ascii") as file:
        file.write(text)


@contextlib.contextmanager
def group():
    for parent, limit, swap, value in PLACES:
        path = f"{parent}/heapgauge-test-{os.getpid()}"
        try:
            os.mkdir(path)
        except OSError:
            continue
        try:
            if os.path.exists(f"{path}/{limit}"):
                put(f"{path}/{limit}", str(LIMIT))
                with contextlib.suppress(OSError):
                    put(f"{path}/{swap}", value)
                yield path
                return
        finally:
            with contextlib.suppress(OSError):
                os.rmdir(path)
    harness.skip("no memory cgroup may be made here")


def body():
    options = harness.arguments(__doc__)
    if os.geteuid() != 0:
        harness.skip("needs root")
    with harness.Rig(options) as rig, group() as path:
        victim = rig.victim("grows")
        how = {"preexec_fn": lambda: put(f"{path}/cgroup.procs", str(os.getpid()))}
        bare = rig.run([victim], "bare", **how)
        harness.check(bare.status == -9, f"bare: {bare.status} {bare.stderr!r}")
        for mode in harness.INTERVALS:
            run = rig.run([victim], mode, **how)
            harness.same_behaviour(bare, run)
            reports = list(harness.last_reports(run.directory).values())
            harness.check(len(reports) == 1 and not reports[0]["final"], f"{mode}: {len(reports)} processes reported")
            process = reports[0]["process"]
            harness.check(process["limit_source"] == "cgroup" and process["limit_bytes"] == LIMIT,
                          f"{mode}: the limit is {process['limit_bytes']} by {process['limit_source']}")


harness.main(body)
