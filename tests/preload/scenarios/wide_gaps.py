"""Names and whole stacks in a program that the kernel has mapped with gaps between its segments."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import harness


def body():
    options = harness.arguments(__doc__)
    with harness.Rig(options) as rig:
        for unwind in ("auto", "dwarf", "fp"):
            for how in ("lines", "names"):
                run = rig.run([rig.victim("wide_gaps")], "exact", {"HEAPGAUGE_UNWIND": unwind, "HEAPGAUGE_SYMBOLIZE": how})
                harness.check(run.status == 0 and not run.said, f"{run.status} {run.stderr!r} {run.said}")
                (report,) = harness.last_reports(run.directory).values()
                site = max(report["sites"], key=lambda one: one["live_objects"])
                functions = [frame["function"] for frame in site["frames"]]
                harness.check(functions[:3] == ["KeepsBlocks", "AsksForThem", "main"], f"{unwind}, {how}: {functions}")
                harness.check(site["live_objects"] == 300, f"{unwind}, {how}: {site['live_objects']} objects")


harness.main(body)
