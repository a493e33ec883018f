#!/usr/bin/env python3
"""Instructions that loading costs a process that does nothing, its end included, counted with callgrind.

Runs an empty program bare and with heapgauge in front.  The count is the same from run to run, but for what the length
of paths changes; another version of the C library changes it, too.

  count_loading.py BUILD_DIR [--at-most N]

--at-most fails (exit status 1) when heapgauge's price is above N instructions.
"""
import argparse
import os
import re
import subprocess
import sys
import tempfile


def instructions(command, preload, directory):
    environment = {k: v for k, v in os.environ.items() if not k.startswith("HEAPGAUGE_") and k != "LD_PRELOAD"}
    environment.update(HEAPGAUGE_OUTPUT=directory + "/out.%p", LC_ALL="C")
    if preload:
        environment["LD_PRELOAD"] = preload
    done = subprocess.run(["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", command],
                          env=environment, capture_output=True, text=True, check=False)
    found = re.search(r"Collected\s*:\s*(\d+)", done.stderr)
    if done.returncode != 0 or not found or "cannot be preloaded" in done.stderr or "heapgauge: " in done.stderr:
        sys.exit(f"count_loading: callgrind failed on {command}:\n{done.stderr}")
    return int(found.group(1))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", help="build directory")
    parser.add_argument("--at-most", type=int)
    arguments = parser.parse_args()
    build = os.path.abspath(arguments.build)
    with tempfile.TemporaryDirectory() as directory:
        bare = instructions(f"{build}/bin/does_nothing", "", directory)
        loaded = instructions(f"{build}/bin/does_nothing", f"{build}/lib/libheapgauge.so", directory)
    price = loaded - bare
    print(f"bare {bare}, with heapgauge {loaded}: {price} instructions to load and to end")
    if price < 10_000:
        sys.exit("count_loading: nothing was loaded")
    if arguments.at_most is not None and price > arguments.at_most:
        sys.exit(f"count_loading: at most {arguments.at_most} were expected")


if __name__ == "__main__":
    main()
