#!/usr/bin/env python3
"""Does an application thread ever wait for a report?  How long single calls of malloc and free take.

  latency.py BUILD_DIR [--seconds 3] [--threads 2] [--live 400000] [--rounds 3]

Bare, under heapgauge without a report meanwhile, and with a report every 200 ms; at 4 KiB, so that a report has tens of
thousands of samples to walk, and with every allocation recorded.  Interleaved; each figure is the median of the rounds.
"""
import argparse
import os
import statistics
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "measure"))
import measuring  # noqa: E402

SHARES = ("p50", "p99", "p99.9", "p99.99", "p99.999", "longest")


def configurations(build):
    usual = {"LD_PRELOAD": f"{build}/lib/libheapgauge.so", "HEAPGAUGE_CPU_BUDGET": "100%", "HEAPGAUGE_SYMBOLIZE": "names",
             "HEAPGAUGE_MEMORY_LIMIT": "1GiB"}
    quiet, often = {"HEAPGAUGE_REPORT_INTERVAL": "1h"}, {"HEAPGAUGE_REPORT_INTERVAL": "200ms"}
    close, exact = {"HEAPGAUGE_SAMPLE_INTERVAL": "4KiB"}, {"HEAPGAUGE_SAMPLE_INTERVAL": "1"}
    return {"bare": {}, "4 KiB": usual | close | quiet, "4 KiB, reports": usual | close | often,
            "exact": usual | exact | quiet, "exact, reports": usual | exact | often}


def run(command, settings):
    with tempfile.TemporaryDirectory() as directory:
        environment = measuring.clean_environment() | settings | {"HEAPGAUGE_OUTPUT": f"{directory}/out"}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            sys.exit(f"{' '.join(command)} failed: {done.stderr}")
        reports = 0
        if os.path.exists(f"{directory}/out/reports.jsonl"):
            with open(f"{directory}/out/reports.jsonl", encoding="utf-8") as lines:
                reports = sum(1 for _ in lines)
        return [int(word) for word in done.stdout.split()], reports


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", help="build directory")
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--live", type=int, default=400_000, help="blocks that are held")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    build = os.path.abspath(arguments.build)
    command = [f"{build}/bin/call_latency", str(arguments.seconds), str(arguments.threads), str(arguments.live)]
    known = configurations(build)
    figures = {name: [] for name in known}
    for _ in range(arguments.rounds):
        for name, settings in known.items():
            figures[name].append(run(command, settings))
    print(f"{measuring.machine()}\nnanoseconds a call, clock included")
    print(f"{'':16}{'calls':>12}{'reports':>9}" + "".join(f"{share:>10}" for share in SHARES))
    for name, rounds in figures.items():
        middle = [statistics.median(values[i] for values, _ in rounds) for i in range(len(SHARES) + 1)]
        reports = statistics.median(count for _, count in rounds)
        print(f"{name:16}{middle[0]:12.0f}{reports:9.0f}" + "".join(f"{value:10.0f}" for value in middle[1:]))


if __name__ == "__main__":
    main()
