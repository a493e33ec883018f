"""Under Valgrind's heap tools heapgauge steps aside with one line: the tool finds what it finds without.  Under its
other tools, which leave malloc alone, it works."""

import os
import re

import programs
from programs import harness

SOURCE = """
#include <stdio.h>
#include <stdlib.h>
int main(int argc, char** argv) {
  char* volatile kept[100];
  for (int i = 0; i < 100; ++i) kept[i] = malloc(100 + i);
  for (int i = 0; i < 100; ++i) if (i % 7) free(kept[i]);
  puts(kept[1][0] == argc ? "stale" : "other"); /* use after free */
  return 12;
}
"""


def body():
    wanted = programs.options(__doc__)
    valgrind = programs.program("valgrind")
    with harness.Rig(wanted) as rig:
        source, host = os.path.join(rig.top, "host.c"), os.path.join(rig.top, "host")
        with open(source, "w", encoding="ascii") as file:
            file.write(SOURCE)
        programs.tool(programs.program("gcc"), "-g", "-O0", "-w", "-o", host, source)

        def found(run):
            lost = re.findall(rb"definitely lost: .*|Invalid read of size.*", run.stderr)
            harness.check(len(lost) == 2, f"{run.mode}: memcheck says {run.stderr.decode(errors='replace')}")
            return lost

        memcheck = [valgrind, "--leak-check=full", host]
        bare = rig.run(memcheck, "bare")
        for mode in wanted.mode:
            run = rig.run(memcheck, mode, {"HEAPGAUGE_ONLY": "host"})
            harness.check((run.status, run.stdout) == (bare.status, bare.stdout), f"{mode}: {run.status} {run.stdout}")
            harness.said_as_expected(run, ["runs under a heap tool of Valgrind"])
            harness.check(found(run) == found(bare), f"{mode}: memcheck finds {found(run)}, bare {found(bare)}")
            harness.check(not harness.report_directories(run.directory), f"{mode}: it reported all the same")
        callgrind = [valgrind, "-q", "--tool=callgrind", "--callgrind-out-file=/dev/null", host]
        run = rig.run(callgrind, "exact", {"HEAPGAUGE_ONLY": "host", "HEAPGAUGE_SYMBOLIZE": "names"})
        harness.check(run.status == 12, f"callgrind: {run.status} {run.stderr.decode(errors='replace')}")
        harness.said_as_expected(run, [])
        reports = harness.last_reports(run.directory)
        harness.check(len(reports) == 1, f"callgrind: reports of {sorted(reports)}")
        live, objects = harness.own_account(next(iter(reports.values())), os.path.realpath(host))
        kept = [100 + i for i in range(0, 100, 7)]
        harness.check((live, objects) == (sum(kept), len(kept)), f"callgrind: {live} bytes in {objects} blocks")


harness.main(body)
