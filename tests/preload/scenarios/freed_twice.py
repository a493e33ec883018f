"""A double free ends the program that has a sample freed twice as it ends it bare, whoever the allocator is; and what a
program writes to a block that it has freed does not confuse us."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import harness

# Small ones are kept, and each size is another list of the allocator's.
SIZES = (24, 100, 250, 700, 1000, 3000)


def body():
    options = harness.arguments(__doc__)
    harness.skip_without_library(options.behind)
    with harness.Rig(options, settings=harness.NAMES_ONLY) as rig:
        victim = rig.victim("freed_twice")
        found = 0
        for size in SIZES:
            # What is found out later than that hangs on where a large block's neighbours lie.
            for how in ("twice", "between", "realloc", "delayed") if size <= 1000 else ("twice",):
                bare = rig.run([victim, how, str(size)], "bare")
                for mode in harness.INTERVALS:
                    run = rig.run([victim, how, str(size)], mode)
                    what = f"{how} of {size} bytes, {mode}"
                    # The allocator's own words depend on where a block lies: the size of a sample's is rounded.
                    harness.check(run.status == bare.status, f"{what}: ends with {run.status}, bare with {bare.status}:"
                                  f" {run.stdout!r} {run.stderr!r}")
                    harness.check(run.stdout == bare.stdout, f"{what}: {run.stdout!r}, bare {bare.stdout!r}")
                found += bare.status != 0
        # Around and above the size from which glibc asks the kernel, which it raises.
        for size in () if options.behind else (100_000, 140_000, 200_000, 1 << 20, 4 << 20):
            for how in ("large", "large_realloc"):
                bare = rig.run([victim, how, str(size)], "bare")
                harness.check(bare.status != 0, f"glibc lets {size} bytes be freed twice")
                for mode in harness.INTERVALS if how == "large" else ("4KiB",):
                    run = rig.run([victim, how, str(size)], mode)
                    harness.check(run.status == bare.status, f"{how} of {size} bytes, {mode}: ends with {run.status}, bare"
                                  f" with {bare.status}: {run.stderr!r}")
        # What is kept is glibc's, and sampled often enough to be found.
        for size in () if options.behind else (24, 100):
            run = rig.run([victim, "written", str(size)], "4KiB")
            harness.check(run.status == 0, f"written to {size} bytes: {run.status} {run.stderr!r}")
        harness.check(found or options.behind, "glibc has found nothing")


harness.main(body)
