"""Behind a filter that was there before the program: systemd's for services, which kills; a container runtime's; and one
that lets nothing be written.  The host is as it is bare, and where it can report, it does.
"""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import harness

VICTIMS = (("exits", ["return"], 10), ("fork_single", [], 0), ("thread_storm", [], 0), ("coroutines", [], 0),
           ("signal_handler", [], 0))


def body():
    def extra(parser):
        parser.add_argument("--what", required=True)
        parser.add_argument("--confine", required=True)

    options = harness.arguments(__doc__, extra)
    reports = options.what != "read_only"
    with harness.Rig(options) as rig:
        for name, arguments, status in VICTIMS:
            victim = os.path.realpath(rig.victim(name))
            argv = [options.confine, options.what, victim, *arguments]
            # A victim's own checks ask the tracker, which works without files, too.
            bare = rig.run(argv, "bare")
            harness.check(bare.status == status, f"{name} bare: {bare.status} {bare.stderr!r}")
            for mode, unwind in (("4KiB", "auto"), ("exact", "auto"), ("exact", "dwarf")):
                # Lines once, names else: the helper goes behind the filter, too.
                symbolize = "lines" if name == "exits" else "names"
                run = rig.run(argv, mode, {"HEAPGAUGE_ONLY": name, "HEAPGAUGE_UNWIND": unwind,
                                           "HEAPGAUGE_SYMBOLIZE": symbolize})
                if reports:
                    harness.same_behaviour(bare, run)
                    told = harness.final_account_is_true(run, victim)
                    harness.check(told >= 1, f"{name}, {mode}: no report")
                else:
                    harness.check(mode != "exact" or run.said, f"{name}: it did not say that nothing can be written")
                    run.said = [line for line in run.said if "Operation not permitted" not in line]
                    harness.same_behaviour(bare, run)


harness.main(body)
