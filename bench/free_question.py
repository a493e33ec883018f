#!/usr/bin/env python3
"""How free() finds out whether a block is sampled: five ways over the same program, counted with callgrind.

  free_question.py BUILD_DIR [--requests 300000]

Instructions, first-level data cache misses and last-level misses a free() (the difference of two runs, so the trace
itself cancels out), frees that were lost, memory of the scheme, and the program's heap under it.  Two programs: a large
live set with many live samples, and a small one whose blocks are recycled all the time.
"""
import argparse
import os
import re
import subprocess
import sys

SCHEMES = {
    "lookup": "every free() looks the block up",
    "bitset": "a bit for each hashed address; can lose a free",
    "counts": "a count for each hashed address",
    "mask": "page-aligned samples, the address tells",
    "mask_filter": "the same, then a filter by page",
    "mask_filter_kept": "the same, small sampled blocks kept for the next",
}
PROGRAMS = {"20 000 blocks alive": (20_000, 64 * 1024), "50 blocks alive": (50, 64 * 1024)}


def run(build, scheme, repeats, requests, slots, interval):
    done = subprocess.run(["valgrind", "--tool=callgrind", "--cache-sim=yes", "--callgrind-out-file=/dev/null",
                           f"{build}/bin/free_question", scheme, str(repeats), str(requests), str(slots), str(interval)],
                          capture_output=True, text=True, check=False)
    found = re.search(r"Collected : ([\d ]+)", done.stderr)
    if done.returncode != 0 or found is None:
        sys.exit(f"free_question: {scheme} failed:\n{done.stderr}")
    # Ir Dr Dw I1mr D1mr D1mw ILmr DLmr DLmw
    counts = [int(word) for word in found.group(1).split()]
    return counts[0], counts[4] + counts[5], counts[7] + counts[8], done.stdout.split()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", help="build directory")
    parser.add_argument("--requests", type=int, default=300_000)
    arguments = parser.parse_args()
    build = os.path.abspath(arguments.build)
    for program, (slots, interval) in PROGRAMS.items():
        print(f"\n{program}, {arguments.requests} requests, a sample every {interval // 1024} KiB; a free():")
        print(f"{'':18}{'instr.':>8}{'D1 miss':>9}{'LL miss':>9}{'lost':>6}{'scheme KiB':>12}{'heap KiB':>10}")
        for scheme, meaning in SCHEMES.items():
            once = run(build, scheme, 1, arguments.requests, slots, interval)
            thrice = run(build, scheme, 3, arguments.requests, slots, interval)
            deaths, _, lost, own, heap, _ = (float(word) for word in once[3])
            per_free = [(b - a) / 2 / deaths for a, b in zip(once[:3], thrice[:3])]
            print(f"{scheme:18}{per_free[0]:8.2f}{per_free[1]:9.4f}{per_free[2]:9.4f}{lost:6.0f}{own / 1024:12.0f}"
                  f"{heap / 1024:10.0f}   {meaning}", flush=True)


if __name__ == "__main__":
    main()
