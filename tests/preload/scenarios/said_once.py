"""Why tracking is off is said once for a tree of processes, and once for each start of one."""

import os
import shutil
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import harness

LINE = "with a malloc of its own; tracking is off"


def body():
    options = harness.arguments(__doc__)
    with harness.Rig(options) as rig:
        victim = rig.victim("own_allocator_tree")
        package, elsewhere = rig.directory(), rig.directory()
        program, handler, stranger = (os.path.join(package, "program"), os.path.join(package, "handler"),
                                      os.path.join(elsewhere, "stranger"))
        for copy in (program, handler, stranger):
            shutil.copy(victim, copy)
        for argv, lines in (([victim, "0"], 1), ([victim, "5"], 1),
                            (["/bin/sh", "-c", f"{victim} 2; {victim} 2"], 1),
                            (["/bin/sh", "-c", f"{victim} 1 & {victim} 1 & {victim} 0 & wait"], 1),
                            (["/bin/sh", "-c", f"for i in 1 2 3; do sh -c '{victim} 0; true'; done"], 1),
                            (["/bin/sh", "-c", f"env -i {victim} 0; {victim} 0; exec {victim} 0"], 1),
                            # By an orphan in a session of its own: the same program, one of its package, another.
                            ([program, "0", program], 1), ([program, "0", handler], 1), ([program, "0", stranger], 2),
                            ([victim, "0"], 1)):
            bare = rig.run(argv, "bare")
            harness.check(bare.status == 0, f"bare: {bare.status}")
            run = rig.run(argv, "default")
            said = [line for line in run.said if LINE in line]
            print(argv, said)
            harness.check(len(said) == lines and len(run.said) == lines, f"{argv}: {lines} wanted: {run.said}")
            harness.check(run.status == 0, f"{argv}: {run.status}")


harness.main(body)
