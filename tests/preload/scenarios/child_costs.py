"""What a fork's child pays that ends soon: the pages that are faulted in for it, beside those of a bare run.

Most of what it pays are such faults: a copy of each page of ours that it writes to, a look at each page of code and tables.
"""

import glob
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import harness


# 53 were counted (x86-64, glibc 2.36, GNU ld), and 102 before a child kept what it writes and runs on few pages and had the rules
# that another child had found; with a linker that cannot lay functions out (child_pages.ld) some 65.
MOST = {"fresh": 75, "sampled": 75}


def faults(rig, mode, *how):
    run = rig.run([rig.victim("child_costs"), *how], mode, {"HEAPGAUGE_CHILDREN": "summary",
                                                               "HEAPGAUGE_REPORT_INTERVAL": "1h",
                                                               "HEAPGAUGE_CPU_BUDGET": "100%"})
    harness.check(run.status == 0, f"{mode}: {run.status} {run.stderr} {run.said}")
    if mode != "bare":
        found = glob.glob(os.path.join(run.directory, "*", "children.jsonl"))
        harness.check(len(found) == 1, f"{found}")
        lines = harness.lines_in(found[0])
        harness.check(lines >= 40, f"{lines} children of 45 have a line")
    with open(os.path.join(run.directory, "truth.faults"), encoding="ascii") as file:
        return int(file.read())


def body():
    options = harness.arguments(__doc__)
    with harness.Rig(options) as rig:
        for which, most in MOST.items():
            how = ("fresh",) if which == "fresh" else ()
            bare = faults(rig, "bare", *how)
            ours = faults(rig, "default", *how) - bare
            print(f"{which}: {bare} pages bare, {ours} more under heapgauge")
            harness.check(ours <= most, f"{which}: {ours} pages more than the {bare} of a bare child, not {most} at most")


harness.main(body)
