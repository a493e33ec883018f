"""Somebody's malloc comes before ours: a library preloaded first, a linked one does not, and one in the program itself.
Blocks of one allocator never reach another, and what can't be tracked is said in one line; a wrapper that hands on to
us is no such case."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import harness


def body():
    options = harness.arguments(__doc__)
    with harness.Rig(options) as rig:
        line = "with a malloc of its own; tracking is off"
        own = [rig.victim("own_allocator"), rig.victim("libthrowing_plugin.so")]
        bare = rig.run(own, "bare")
        harness.check(bare.stdout == b"0 strangers\n", f"bare: {bare.stdout!r} {bare.stderr!r}")
        for mode in harness.INTERVALS:
            run = rig.run(own, mode)
            harness.same_behaviour(bare, run, [line])
            harness.check("this program" in run.said[0], f"whose malloc? {run.said}")
            harness.check(not harness.report_directories(run.directory), "it reported all the same")

        entry_points = os.path.realpath(rig.victim("entry_points"))
        for library in ("libjemalloc.so.2", "libtcmalloc_minimal.so.4", "libmimalloc.so.2"):
            path = os.path.join("/usr/lib/x86_64-linux-gnu", library)
            if not os.path.exists(path):
                continue
            bare = rig.run([entry_points], "bare", {"LD_PRELOAD": path})
            run = rig.run([entry_points], "exact", {"LD_PRELOAD": f"{path}:{rig.preload('exact')}"})
            harness.same_behaviour(bare, run, [line])
            harness.check(library.split(".so")[0] in run.said[0], f"whose malloc? {run.said}")

        wrapper = rig.victim("libwrapped_malloc.so")
        victim = os.path.realpath(rig.victim("unaligned_samples"))
        bare = rig.run([victim], "bare", {"LD_PRELOAD": wrapper})
        for mode in harness.INTERVALS:
            run = rig.run([victim], mode, {"LD_PRELOAD": f"{wrapper}:{rig.preload(mode)}"})
            harness.same_behaviour(bare, run)
            harness.check(mode != "exact" or harness.last_reports(run.directory), "nothing was tracked")


harness.main(body)
