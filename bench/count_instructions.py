#!/usr/bin/env python3
"""Instructions that a malloc + free pair costs, counted with callgrind: exact, whatever else the machine does.

Runs malloc_pairs with N and 2 N pairs; the difference is N pairs, start-up and end cancel out.  Prints the count a
pair without a preload, under a shim that only forwards, and under heapgauge; the last column is heapgauge's price over
the forwarding shim.

  count_instructions.py BUILD_DIR [--expect N] [--pairs N]

--expect fails (exit status 1) unless heapgauge's price over the floor is exactly N.
"""
import argparse
import os
import re
import subprocess
import sys
import tempfile


def instructions(command, preload, pairs, directory):
    environment = {k: v for k, v in os.environ.items() if not k.startswith("HEAPGAUGE_")}
    # No sample may fall into the counted loop: an interval of 1 TiB, and no reports.
    environment.update(LD_PRELOAD=preload, HEAPGAUGE_SAMPLE_INTERVAL="1TiB", HEAPGAUGE_OUTPUT=directory + "/out.%p",
                       LC_ALL="C")
    if not preload:
        del environment["LD_PRELOAD"]
    done = subprocess.run(
        ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", command, str(pairs)],
        env=environment, capture_output=True, text=True, check=False)
    found = re.search(r"Collected\s*:\s*(\d+)", done.stderr)
    if done.returncode != 0 or not found or "cannot be preloaded" in done.stderr:
        sys.exit(f"count_instructions: callgrind failed on {command}:\n{done.stderr}")
    return int(found.group(1))


def per_pair(command, preload, pairs, directory):
    more = instructions(command, preload, 2 * pairs, directory)
    less = instructions(command, preload, pairs, directory)
    return (more - less) / pairs


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", help="build directory")
    parser.add_argument("--pairs", type=int, default=100_000)
    parser.add_argument("--expect", type=float)
    arguments = parser.parse_args()
    build = os.path.abspath(arguments.build)
    command = build + "/bin/malloc_pairs"
    shims = {"no preload": "", "forwarding shim": build + "/lib/libforward_shim.so",
             "heapgauge": build + "/lib/libheapgauge.so"}
    counts = {}
    with tempfile.TemporaryDirectory() as directory:
        for name, path in shims.items():
            counts[name] = per_pair(command, path, arguments.pairs, directory)
            print(f"{name:16} {counts[name]:8.2f} instructions a malloc + free pair")
    price = counts["heapgauge"] - counts["forwarding shim"]
    print(f"heapgauge over the forwarding shim: {price:.2f}")
    if arguments.expect is not None and abs(price - arguments.expect) > 0.01:
        sys.exit(f"count_instructions: expected {arguments.expect}, counted {price:.2f}: the hot path has changed")


if __name__ == "__main__":
    main()
