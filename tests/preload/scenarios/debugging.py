"""glibc's libc_malloc_debug.so behind us or before us, and what it is there for: MALLOC_CHECK_, mtrace, mcheck, tunables.
Its functions have versions that a plain look-up passes by."""

import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import harness

LIBRARY = "libc_malloc_debug.so.0"
CASES = (("trace", {"MALLOC_TRACE": "trace.log"}), ("check", {}), ("over", {"MALLOC_CHECK_": "3"}),
         ("over", {"GLIBC_TUNABLES": "glibc.malloc.check=3"}), ("freed", {"MALLOC_CHECK_": "3"}),
         ("perturb", {"MALLOC_PERTURB_": "90"}), ("perturb", {"GLIBC_TUNABLES": "glibc.malloc.perturb=90"}))


def left_over(run):
    """(blocks the log says were taken, those of them never freed), of the sizes that the program takes."""
    path = os.path.join(run.directory, "trace.log")
    if not os.path.exists(path):
        return None
    live, taken = set(), 0
    with open(path, encoding="ascii") as file:
        for line in file:
            # "@ who:(function+offset)[address] + 0xblock 0xsize", "... - 0xblock"
            found = re.match(r"@ \S+ ([+-]) (0x[0-9a-f]+)(?: 0x([0-9a-f]+))?", line)
            if not found:
                continue
            if found[1] == "+" and 20001 <= int(found[3], 16) <= 20256:
                live.add(found[2])
                taken += 1
            elif found[1] == "-":
                live.discard(found[2])
    return taken, len(live)


def body():
    options = harness.arguments(__doc__)
    harness.skip_without_library(LIBRARY)
    with harness.Rig(options, settings=harness.NAMES_ONLY) as rig:
        victim = os.path.realpath(rig.victim("debugging"))
        for how, settings in CASES:
            bare = rig.run([victim, how], "bare", {"LD_PRELOAD": LIBRARY, **settings})
            logged = left_over(bare)
            harness.check(how != "trace" or logged[1] == 32, f"bare: {logged}")
            harness.check(how not in ("check", "over", "freed") or bare.status == -6, f"bare, {how}: {bare.status}")
            for mode in harness.INTERVALS:
                orders = [f"{rig.preload(mode)}:{LIBRARY}"]
                # Where it comes first, what loads us allocates before main, and mcheck() is too late.
                if how != "check":
                    orders.append(f"{LIBRARY}:{rig.preload(mode)}")
                for order in orders:
                    run = rig.run([victim, how], mode, {"LD_PRELOAD": order, **settings})
                    run.mode = f"{how} {settings}, {order}, {mode}"
                    harness.same_behaviour(bare, run)
                    harness.check(left_over(run) == logged, f"{run.mode}: {left_over(run)}, bare {logged}")
                    harness.check(mode != "exact" or bare.status != 0 or harness.last_reports(run.directory),
                                  f"{run.mode}: nothing was tracked")


harness.main(body)
