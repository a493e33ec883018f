#!/usr/bin/env python3
"""Instructions that a process pays for having been sampled: its samples, its report at the end, and the helper that finds
the report's lines, counted with callgrind.

Runs a program that takes the same 24 samples each time, once so and once with no sample at all; the difference is what
is said.  What loading costs is in both (count_loading.py).

  count_ending.py BUILD_DIR [--names] [--at-most N] [--program "NAME ARGUMENTS"] [--rounds N]

--names leaves the helper out (HEAPGAUGE_SYMBOLIZE=names).  The process waits for it only so long, which on a machine that
is busy callgrind can make too short, and the waiting counts, too: this is the count that is the same in every run.

--at-most fails (exit status 1) when it is more than N instructions.
--program takes another one of the workloads, whose samples may differ from run to run: the median of the rounds counts.
"""
import argparse
import os
import statistics
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "measure"))
import measuring  # noqa: E402


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", help="build directory")
    parser.add_argument("--names", action="store_true")
    parser.add_argument("--at-most", type=int)
    parser.add_argument("--program", default="few_samples")
    parser.add_argument("--rounds", type=int, default=1)
    arguments = parser.parse_args()
    build = os.path.abspath(arguments.build)
    program, *words = arguments.program.split()
    command = [f"{build}/bin/{program}", *words]
    library = {"LD_PRELOAD": f"{build}/lib/libheapgauge.so"}
    names = {"HEAPGAUGE_SYMBOLIZE": "names"} if arguments.names else {}
    sampled = measuring.Configuration("sampled", library | names)
    idle = measuring.Configuration("idle", library | {"HEAPGAUGE_SAMPLE_INTERVAL": "1TiB"})
    runs = [measuring.count_instructions(sampled, command, False) for _ in range(arguments.rounds)]
    before = measuring.count_instructions(idle, command, False)
    process = statistics.median(run.program for run in runs) - before.program
    helper = statistics.median(run.helper for run in runs)
    print(f"in the process {process:.0f}, in the helper {helper:.0f}: {process + helper:.0f} instructions to be sampled and to end")
    if before.helper != 0 or process < 100_000 or (helper < 100_000) != arguments.names:
        sys.exit("count_ending: nothing was sampled, or nobody looked for lines")
    if arguments.at_most is not None and process + helper > arguments.at_most:
        sys.exit(f"count_ending: at most {arguments.at_most} were expected")


if __name__ == "__main__":
    main()
