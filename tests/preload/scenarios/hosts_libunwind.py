"""A host's own libunwind tests addresses by a pipe whose numbers mean our files in the report thread, which has a table
of descriptors of its own: an allocator that walks stacks there wrote into them and closed them.  So it has no pipe
beside heapgauge, and its walks come out as ever."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import harness


def body():
    with harness.Rig(harness.arguments(__doc__)) as rig:
        bare = rig.run([rig.victim("walks_with_libunwind")], "bare")
        harness.check(bare.stdout == b"2 more, came through\n", f"bare: {bare.status} {bare.stdout!r}")
        for mode in harness.INTERVALS:
            for unwind in ("auto", "dwarf", "fp"):
                run = rig.run([rig.victim("walks_with_libunwind")], mode, {"HEAPGAUGE_UNWIND": unwind})
                harness.check(run.status == 0 and run.stdout == b"0 more, came through\n" and not run.said,
                              f"{mode}, {unwind}: {run.status} {run.stdout!r} {run.said}")


harness.main(body)
