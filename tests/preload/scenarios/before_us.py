"""Somebody's malloc comes before ours: a library preloaded first, a linked one does not, and one in the program itself.
Blocks of one allocator never reach another.  The library's are tracked to the byte all the same; the program's own
can't be, which is said in one line; a wrapper that hands on to us is no such case."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import harness


LIBRARIES = ("libjemalloc.so.2", "libtcmalloc_minimal.so.4", "libtcmalloc.so.4", "libmimalloc.so.2")


def tracked(rig, before, victim):
    bare = rig.run([victim], "bare", {"LD_PRELOAD": before})
    for mode in ("4KiB", "exact"):
        run = rig.run([victim], mode, {"LD_PRELOAD": f"{before}:{rig.preload(mode)}"})
        harness.same_behaviour(bare, run)
        told = harness.final_account_is_true(run, victim)
        harness.check(told == 1, f"{before} before us, {mode}: {told} processes told their truth")
        for report in harness.last_reports(run.directory).values():
            harness.check(report["sampling"]["coverage"] == 1, f"{before} before us: {report['sampling']}")


def body():
    options = harness.arguments(__doc__)
    with harness.Rig(options, settings=harness.NAMES_ONLY) as rig:
        line = "with a malloc of its own; tracking is off"
        own = [rig.victim("own_allocator"), rig.victim("libthrowing_plugin.so")]
        bare = rig.run(own, "bare")
        harness.check(bare.stdout == b"0 strangers\n", f"bare: {bare.stdout!r} {bare.stderr!r}")
        for mode in harness.INTERVALS:
            run = rig.run(own, mode)
            harness.same_behaviour(bare, run, [line])
            harness.check("this program" in run.said[0], f"whose malloc? {run.said}")
            harness.check(not harness.report_directories(run.directory), "it reported all the same")

        # Of a family in a library the modules' references are redirected: as good as being first.
        for library in LIBRARIES:
            path = os.path.join("/usr/lib/x86_64-linux-gnu", library)
            if not os.path.exists(path):
                continue
            for name in ("entry_points", "operator_forms", "realloc_chain", "thread_storm"):
                tracked(rig, path, os.path.realpath(rig.victim(name)))

        wrapper = rig.victim("libwrapped_malloc.so")
        victim = os.path.realpath(rig.victim("unaligned_samples"))
        bare = rig.run([victim], "bare", {"LD_PRELOAD": wrapper})
        for mode in harness.INTERVALS:
            run = rig.run([victim], mode, {"LD_PRELOAD": f"{wrapper}:{rig.preload(mode)}"})
            harness.same_behaviour(bare, run)
            harness.check(mode != "exact" or harness.last_reports(run.directory), "nothing was tracked")


harness.main(body)
