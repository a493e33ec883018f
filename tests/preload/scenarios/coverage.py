"""What share of the program's references to the allocator leads to the hooks is found out, and said in both reports:
all of them in an ordinary program, also one that takes the addresses of malloc and free; not those of an allocator that
the program has linked in and exports to nobody.  What came into the process with heapgauge counts for nothing."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import harness


def report_of(rig, victim):
    bare = rig.run([victim], "bare")
    run = rig.run([victim], "exact")
    harness.same_behaviour(bare, run)
    directory, = harness.report_directories(run.directory)
    with open(os.path.join(directory, "report.txt"), encoding="utf-8") as file:
        return harness.read_reports(directory)[-1]["sampling"], " ".join(file.read().split())


def body():
    options = harness.arguments(__doc__)
    harness.skip_without_library(options.behind)
    with harness.Rig(options, settings=harness.NAMES_ONLY) as rig:
        for name in ("realloc_chain", "fixed_address", "static_objects"):
            sampling, text = report_of(rig, rig.victim(name))
            harness.check(sampling["coverage"] == 1 and sampling["coverage_note"] == "", f"{name}: {sampling}")
            harness.check("of this program's allocations are seen" not in text, f"{name}: {text}")
        if options.behind:
            return
        sampling, text = report_of(rig, rig.victim("hidden_allocator"))
        harness.check(0 < sampling["coverage"] < 0.95, f"an allocator of its own: {sampling}")
        for place in (sampling["coverage_note"], text):
            harness.check("the program itself (it has an allocator of its own linked in)" in place, place)


harness.main(body)
