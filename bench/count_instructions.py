#!/usr/bin/env python3
"""Instructions that a malloc + free pair costs, counted with callgrind: exact, whatever else the machine does.

Runs a program with N and 2 N pairs; the difference is N pairs, start-up and end cancel out.  Prints the count a
pair without a preload, under a shim that only forwards, and under heapgauge; the last column is heapgauge's price over
the forwarding shim.

  count_instructions.py BUILD_DIR [--expect N] [--pairs N] [--branches] [--program NAME]

--expect fails (exit status 1) unless heapgauge's price over the floor is exactly N.
--branches adds what callgrind's model of a branch predictor says of a pair: conditional branches and indirect jumps, and
how many of each it gets wrong.  A model, because a virtual machine seldom has the counter of the real one.
--program takes another workload whose argument is its number of pairs, e.g. random_objects, which meets addresses of
all kinds; the default meets none that needs a second look.  Words before the number are given with it, and --unit says
what is counted: --program "reallocs slack" --unit realloc.
"""
import argparse
import os
import re
import subprocess
import sys
import tempfile

EVENTS = ("Ir", "Bc", "Bcm", "Bi", "Bim")  # instructions; conditional, of these mispredicted; indirect, of these mispredicted


def events(command, preload, pairs, directory, flags):
    """The counts of one run, in the order of EVENTS; the last four only where the flags ask for them."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("HEAPGAUGE_")}
    # No sample may fall into the counted loop: an interval of 1 TiB, and no reports.
    environment.update(LD_PRELOAD=preload, HEAPGAUGE_SAMPLE_INTERVAL="1TiB", HEAPGAUGE_OUTPUT=directory + "/out.%p",
                       LC_ALL="C")
    if not preload:
        del environment["LD_PRELOAD"]
    done = subprocess.run(
        ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", *flags, *command, str(pairs)],
        env=environment, capture_output=True, text=True, check=False)
    found = re.search(r"Collected\s*:([\d ]+)", done.stderr)
    if done.returncode != 0 or not found or "cannot be preloaded" in done.stderr:
        sys.exit(f"count_instructions: callgrind failed on {' '.join(command)}:\n{done.stderr}")
    return [int(count) for count in found.group(1).split()]


def per_pair(command, preload, pairs, directory, flags):
    more = events(command, preload, 2 * pairs, directory, flags)
    less = events(command, preload, pairs, directory, flags)
    return dict(zip(EVENTS, ((after - before) / pairs for after, before in zip(more, less))))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", help="build directory")
    parser.add_argument("--pairs", type=int, default=100_000)
    parser.add_argument("--expect", type=float)
    parser.add_argument("--branches", action="store_true")
    parser.add_argument("--program", default="malloc_pairs")
    parser.add_argument("--unit", default="malloc + free pair")
    arguments = parser.parse_args()
    build = os.path.abspath(arguments.build)
    program, *words = arguments.program.split()
    command = [f"{build}/bin/{program}", *words]
    unit = arguments.unit
    shims = {"no preload": "", "forwarding shim": build + "/lib/libforward_shim.so",
             "heapgauge": build + "/lib/libheapgauge.so"}
    counts = {}
    with tempfile.TemporaryDirectory() as directory:
        for name, path in shims.items():
            counts[name] = per_pair(command, path, arguments.pairs, directory, ["--branch-sim=yes"] * arguments.branches)
            print(f"{name:16} {counts[name]['Ir']:8.2f} instructions a {unit}")
            if arguments.branches:
                print("{:16} {Bc:8.2f} conditional branches, {Bcm:.4f} mispredicted; {Bi:.2f} indirect jumps, {Bim:.4f} "
                      "mispredicted".format("", **counts[name]))
    price = counts["heapgauge"]["Ir"] - counts["forwarding shim"]["Ir"]
    print(f"heapgauge over the forwarding shim: {price:.2f}")
    if arguments.expect is not None and abs(price - arguments.expect) > 0.01:
        sys.exit(f"count_instructions: expected {arguments.expect}, counted {price:.2f}: the hot path has changed")


if __name__ == "__main__":
    main()
