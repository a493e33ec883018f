#!/usr/bin/env python3
"""How the cost grows with threads, live samples, depth of stack, call sites and sample interval.

  curves.py BUILD_DIR [--rounds 5] [--pairs 1000000] [--plot FILE.svg] [--json FILE]

Each point is one program (workloads/curve_point.cc) bare and under heapgauge, interleaved.  Printed is what heapgauge
adds in CPU time, by the pair of malloc and free; the median of the rounds with their range.  The governor is given all
of a core, so that the interval stays as set.  The plot needs gnuplot (Debian: gnuplot-nox).
"""
import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "measure"))
import measuring  # noqa: E402
from measuring import Configuration  # noqa: E402

# What a point has when its curve says nothing else.
USUAL = {"threads": 1, "live": 10_000, "depth": 16, "sites": 64}
# (title, what varies, its values, sample interval)
CURVES = [
    ("threads, at 512 KiB", "threads", (1, 2, 4, 8, 16, 32, 64), "512KiB"),
    ("threads, every allocation", "threads", (1, 2, 4, 8, 16, 32, 64), "1"),
    ("live samples, every allocation", "live", (100, 1_000, 10_000, 100_000, 1_000_000), "1"),
    ("frames, at 4 KiB", "depth", (1, 4, 16, 64, 256), "4KiB"),
    ("call sites, at 4 KiB", "sites", (1, 16, 256, 4_096, 16_384), "4KiB"),
    ("sample interval [bytes]", "interval", (1, 1_024, 4_096, 32_768, 262_144, 524_288, 4_194_304), None),
]


def point(varies, value):
    shape = dict(USUAL)
    interval = None
    if varies == "interval":
        interval = str(value)
    else:
        shape[varies] = value
    # A stack has a frame for each doubling of the sites.
    shape["depth"] = max(shape["depth"], shape["sites"].bit_length() + 1) if varies != "depth" else shape["depth"]
    return shape, interval


def measure(build, pairs, rounds, varies, value, usual_interval):
    shape, interval = point(varies, value)
    pairs = max(pairs, 2 * shape["live"])
    settings = {"LD_PRELOAD": f"{build}/lib/libheapgauge.so", "HEAPGAUGE_SAMPLE_INTERVAL": interval or usual_interval,
                "HEAPGAUGE_SYMBOLIZE": "off", "HEAPGAUGE_CPU_BUDGET": "100%", "HEAPGAUGE_REPORT_INTERVAL": "1h",
                "HEAPGAUGE_MEMORY_LIMIT": "4GiB"}
    command = [f"{build}/bin/curve_point", *map(str, (pairs, shape["threads"], shape["live"], shape["depth"], shape["sites"]))]
    costs = measuring.interleaved(build, [Configuration("bare"), Configuration("heapgauge", settings)], command, rounds)
    added = [(own.cpu - bare.cpu) / pairs * 1e9 for own, bare in zip(costs["heapgauge"], costs["bare"])]
    bare = statistics.median(cost.cpu for cost in costs["bare"]) / pairs * 1e9
    return {"value": value, "bare_ns": bare, "added_ns": statistics.median(added), "low_ns": min(added), "high_ns": max(added)}


def draw(curves, path):
    """One panel a curve, the cost over what varies, both with their spread."""
    columns = 3
    rows = -(-len(curves) // columns)
    script = [f'set terminal svg size {columns * 330},{rows * 260} font "sans,10"', f'set output "{path}"',
              f"set multiplot layout {rows},{columns}", "set logscale x", "unset key", 'set format x "%.0s%c"', "set grid",
              'set ylabel "ns added to a malloc + free"']
    for number, (title, points) in enumerate(curves):
        script.append(f"$data{number} << EOD")
        script += [f"{p['value']} {p['added_ns']:.2f} {p['low_ns']:.2f} {p['high_ns']:.2f}" for p in points]
        script += ["EOD", f'set xlabel "{title}"', "set yrange [0:*]",
                   f"plot $data{number} using 1:2:3:4 with yerrorlines lw 2 pt 7 ps 0.5"]
    subprocess.run(["gnuplot"], input="\n".join(script) + "\n", text=True, check=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", help="build directory")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--pairs", type=int, default=1_000_000, help="of malloc and free a run")
    parser.add_argument("--plot", help="write a plot to this file")
    parser.add_argument("--json", help="write every figure to this file")
    arguments = parser.parse_args()
    if arguments.plot and shutil.which("gnuplot") is None:
        sys.exit("--plot needs gnuplot, which is not installed (Debian: gnuplot-nox)")
    build = os.path.abspath(arguments.build)
    print(measuring.machine())
    curves = []
    for title, varies, values, interval in CURVES:
        print(f"\n{title}{'':10}bare, ns a pair    added [range]")
        points = []
        for value in values:
            points.append(measure(build, arguments.pairs, arguments.rounds, varies, value, interval))
            found = points[-1]
            print(f"  {value:>10}{found['bare_ns']:12.1f}{found['added_ns']:14.1f} [{found['low_ns']:.1f} to {found['high_ns']:.1f}]",
                  flush=True)
        curves.append((title, points))
    if arguments.plot:
        draw(curves, arguments.plot)
    if arguments.json:
        with open(arguments.json, "w", encoding="utf-8") as out:
            json.dump({"machine": measuring.machine(), "curves": curves}, out, indent=1)


if __name__ == "__main__":
    main()
