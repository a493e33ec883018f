"""Two million stacks in exact mode: all that the process holds because of us, reports included, stays within
HEAPGAUGE_MEMORY_LIMIT, is told in sampling.memory_bytes, and the totals count what no site has room for."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import harness

MI = 1 << 20
STACKS = 2_000_000
# Data of the libraries, the report thread's stack and the C library's: not the tracker's, and there without a sample.
LIBRARIES = 3 * MI


def body():
    options = harness.arguments(__doc__)
    with harness.Rig(options, timeout=200, settings=harness.NAMES_ONLY) as rig:
        victim = os.path.realpath(rig.victim("many_stacks"))
        for what in ("freed", "kept"):
            bare = int(rig.run([victim, what], "bare").stdout) << 10
            for limit in (64 * MI, 24 * MI):
                run = rig.run([victim, what], "exact", {"HEAPGAUGE_MEMORY_LIMIT": str(limit)})
                harness.check(run.status == 0 and run.stderr == b"", f"{run.status} {run.said} {run.stderr!r}")
                ours = (int(run.stdout) << 10) - bare
                (reports,) = harness.last_reports(run.directory).values(),
                (report,) = reports
                told = report["sampling"]["memory_bytes"]
                print(f"{what}, limit {limit // MI} MiB: holds {ours / MI:.1f} MiB, says {told / MI:.1f} MiB, "
                      f"{report['sites_total']} sites")
                harness.check(told <= limit, f"{what}: says that it holds {told} of {limit}")
                harness.check(ours <= limit + LIBRARIES, f"{what}: holds {ours} of {limit}")
                harness.check(ours <= told + LIBRARIES + 8 * MI, f"{what}: holds {ours} and tells of {told}")
                harness.check(report["sites_total"] > 5000, "hardly a site found room")
                if what == "freed":
                    harness.check(report["totals"]["allocated_objects"] >= STACKS, "a block is not counted")


harness.main(body)
