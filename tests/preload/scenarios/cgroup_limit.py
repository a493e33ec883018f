"""A container's memory limit: the kernel kills the host as it does without us, what was reported stands, and the report
knew the limit.  Where the group and its files vanish while the host runs, reports go on, with the limit that is left."""

import contextlib
import os
import subprocess
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


def limit_is(path):
    """False where the group has no memory controller."""
    for _, limit, swap, value in PLACES:
        if os.path.exists(f"{path}/{limit}"):
            put(f"{path}/{limit}", str(LIMIT))
            with contextlib.suppress(OSError):
                put(f"{path}/{swap}", value)
            return True
    return False


@contextlib.contextmanager
def group():
    for parent, _, _, _ in PLACES:
        path = f"{parent}/heapgauge-test-{os.getpid()}"
        try:
            os.mkdir(path)
        except OSError:
            continue
        try:
            if limit_is(path):
                yield path
                return
        finally:
            with contextlib.suppress(OSError):
                os.rmdir(path)
    harness.skip("no memory cgroup may be made here")


def vanishes(rig, path, how):
    def move_out(process):
        ask(process)
        put(f"{os.path.dirname(path)}/cgroup.procs", str(process.pid))
        os.rmdir(path)
        for _ in range(3):
            ask(process)
        process.stdin.write(b"0")
        process.stdin.close()

    def ask(process):
        process.stdin.write(b"1")
        process.stdin.flush()
        answers.append(process.stdout.readline())

    for mode in harness.INTERVALS:
        answers = []
        os.makedirs(path, exist_ok=True)
        limit_is(path)
        run = rig.run([rig.victim("reporting"), "asked"], mode, harness.NAMES_ONLY, during=move_out,
                      stdin=subprocess.PIPE, stdout=subprocess.PIPE, **how)
        harness.check(run.status == 0 and not run.said, f"{mode}: status {run.status}, it said {run.said}")
        harness.check(answers == [b"0\n"] * 4, f"{mode}: {answers}")
        reports = harness.read_reports(harness.report_directories(run.directory)[0])
        limits = [report["process"]["limit_bytes"] for report in reports]
        # The final one is not made where by chance nothing was sampled.
        harness.check(limits[:2] == [LIMIT] * 2 and LIMIT not in limits[2:] and len(limits) >= 5,
                      f"{mode}: limits {limits}")
        harness.check(all(report["sampling"]["reports_failed"] == 0 for report in reports), f"{mode}: reports failed")
        harness.check(all(report["verdict"] in ("warming", "ok") for report in reports),
                      f"{mode}: {[report['verdict'] for report in reports]}")


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
        vanishes(rig, path, how)


if __name__ == "__main__":
    harness.main(body)
