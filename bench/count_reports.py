#!/usr/bin/env python3
"""Instructions of a report of which nothing has changed since the last one, counted with callgrind.

Runs a program that has allocated by so many ways and then only asks for reports, twice: with a few reports and with more;
the difference, divided, is one report.  Its first report, with every name looked up, is in both.

  count_reports.py BUILD_DIR [--sites N,N...] [--at-most N,N...] [--mode names|lines]

--at-most fails (exit status 1) when a report costs more than its N instructions.
"""
import argparse
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "measure"))
import measuring  # noqa: E402

FEW, MORE = 3, 11


def numbers(text):
    return [int(word) for word in text.split(",")]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", help="build directory")
    parser.add_argument("--sites", type=numbers, default=[75, 1000, 10000])
    parser.add_argument("--at-most", type=numbers, default=[])
    # The process waits for the helper that finds lines only so long, which callgrind makes too short: names by default.
    parser.add_argument("--mode", choices=["names", "lines"], default="names")
    arguments = parser.parse_args()
    build = os.path.abspath(arguments.build)
    steady = measuring.Configuration("steady", {
        "LD_PRELOAD": f"{build}/lib/libheapgauge.so", "HEAPGAUGE_SAMPLE_INTERVAL": "64", "HEAPGAUGE_CPU_BUDGET": "100%",
        "HEAPGAUGE_MEMORY_LIMIT": "1GiB", "HEAPGAUGE_REPORT_INTERVAL": "1h", "HEAPGAUGE_HOLDERS": "off",
        "HEAPGAUGE_SYMBOLIZE": arguments.mode})
    failed = False
    for place, sites in enumerate(arguments.sites):
        few, more = (measuring.count_instructions(steady, [f"{build}/bin/steady_sites", str(sites), str(reports)], False)
                     for reports in (FEW, MORE))
        price = (more.total - few.total) // (MORE - FEW)
        print(f"{sites:6} sites: {price} instructions a report")
        if price < 10_000:
            sys.exit("count_reports: no report was made")
        if place < len(arguments.at_most) and price > arguments.at_most[place]:
            print(f"count_reports: at most {arguments.at_most[place]} were expected")
            failed = True
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
