#!/usr/bin/env python3
"""The same programs under heapgauge and under its peers, interleaved, as ratios.

  compare.py BUILD_DIR [--peers NAME,...] [--programs NAME,...] [--scale 0.2] [--rounds 5] [--no-instructions] [--json FILE]
             [--plot FILE.svg]
  compare.py BUILD_DIR --peers massif,dhat --scale 0.02 --rounds 1 --no-instructions

Needs, from the distribution (Debian 12): heaptrack valgrind libgoogle-perftools4 libjemalloc2.  A peer whose package is
missing is left out, and said so; so is jemalloc's profiler where the library was built without it.  --plot draws the means of instructions, CPU and peak RSS over all programs, which needs gnuplot.  massif and dhat
interpret the program, at twenty times its time and more: they run only where they are named, and are for small scales.
Each peer's ratio is to the same program without a preload; for a profiler that is a part of its own allocator also to
that allocator with profiling off, which is the price of profiling alone.

instructions     user-mode, of the whole tree of processes: perf where the machine has the counter, callgrind otherwise.
                 Not for massif, dhat and LeakSanitizer: they interpret or stop the program themselves.
user, CPU, wall  CPU is user and system time.  Each: the median of the rounds' ratios [lowest..highest]
peak             of the largest process, as such a ratio, and in MiB
written          what the profiler left on disk [KiB]; the bare program writes nothing, so there is no ratio
"""
import argparse
import operator
import os
import shutil
import statistics
import subprocess
import sys

import profilers  # makes the modules of ../measure known
import measuring
import programs

USUAL = "forward,heapgauge,heapgauge_fp,heapgauge_names,heapgauge_exact,heaptrack_raw,heaptrack,tcmalloc,tcmalloc_sampling," \
        "heapgauge_tcmalloc,jemalloc,jemalloc_prof,heapgauge_jemalloc"
FIGURES = ("user", "cpu", "wall", "peak_kib")  # of a Cost, shown as ratios to bare


def measure_program(build, configurations, command, rounds, with_instructions, with_perf):
    """{name: dict of figures}"""
    costs = measuring.interleaved(build, configurations, command, rounds)
    rows = {}
    for configuration in configurations:
        own = costs[configuration.name]
        row = {figure: measuring.ratio(own, costs["bare"], operator.attrgetter(figure)) for figure in FIGURES}
        row["cpu_to_base"] = measuring.ratio(own, costs[configuration.base], operator.attrgetter("cpu"))
        row["peak_mib"] = statistics.median(cost.peak_kib for cost in own) / 1024
        row["written"] = statistics.median(cost.written for cost in own)
        rows[configuration.name] = row
    if with_instructions:
        counts = {c.name: measuring.count_instructions(c, command, with_perf).total for c in configurations
                  if c.name not in profilers.UNCOUNTED}
        for configuration in configurations:
            if configuration.name in counts:
                rows[configuration.name]["instructions"] = counts[configuration.name] / counts["bare"]
                rows[configuration.name]["instructions_to_base"] = counts[configuration.name] / counts[configuration.base]
    return rows


def show(rows):
    print(f"  {'':20}{'instr.':>8}{'to own':>8}" + "".join(f"{title:>21}" for title in ("user", "CPU", "CPU to own", "wall", "peak"))
          + f"{'MiB':>8}{'written':>10}")
    for name, row in rows.items():
        instructions = f"{row['instructions']:8.3f}{row['instructions_to_base']:8.3f}" if "instructions" in row else f"{'':16}"
        spreads = "".join(f"{str(row[figure]):>21}" for figure in ("user", "cpu", "cpu_to_base", "wall", "peak_kib"))
        print(f"  {name:20}{instructions}{spreads}{row['peak_mib']:8.1f}{row['written'] / 1024:8.0f} K", flush=True)


def summarize(results):
    print("\nall programs, geometric mean (worst)")
    for name in next(iter(results.values())):
        line = f"  {name:20}"
        for figure in ("instructions", "instructions_to_base", "user", "cpu", "cpu_to_base", "wall", "peak_kib"):
            values = {program: getattr(rows[name][figure], "median", rows[name][figure])
                      for program, rows in results.items() if figure in rows[name]}
            if values:
                worst = max(values, key=values.get)
                line += f"  {figure} {measuring.geometric_mean(values.values()):.3f} ({worst} {values[worst]:.2f})"
        print(line)


def draw(results, path):
    """The means over all programs, one bar a peer, in three panels of logarithmic height."""
    names = [name for name in next(iter(results.values())) if name != "bare"]
    panels = {"instructions": "instructions", "cpu": "CPU time", "peak_kib": "peak RSS"}
    panels = {figure: title for figure, title in panels.items() if any(figure in row for rows in results.values()
                                                                       for row in rows.values())}
    script = [f'set terminal svg size 900,{len(panels) * 260} font "sans,10"', f'set output "{path}"',
              f"set multiplot layout {len(panels)},1", "set logscale y", "set style fill solid 0.6", "set boxwidth 0.7", "unset key",
              "set grid ytics", "set xtics rotate by -25 noenhanced"]
    for number, (figure, title) in enumerate(panels.items()):
        rows = []
        for at, name in enumerate(names):
            values = [getattr(row[name][figure], "median", row[name][figure]) for row in results.values() if figure in row[name]]
            if values:
                rows.append(f'{at} "{name}" {measuring.geometric_mean(values):.4f}')
        script += [f"$data{number} << EOD", *rows, "EOD", f'set title "{title}, ratio to no preload, geometric mean"',
                   f"plot [-1:{len(names)}] $data{number} using 1:3:xtic(2) with boxes, '' using 1:3:3 with labels offset 0,0.6"]
    subprocess.run(["gnuplot"], input="\n".join(script) + "\n", text=True, check=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    profilers.add_arguments(parser, USUAL)
    parser.add_argument("--no-instructions", action="store_true")
    parser.add_argument("--plot", help="write a plot of the means to this file")
    programs.add_arguments(parser)
    arguments = parser.parse_args()
    if arguments.plot and shutil.which("gnuplot") is None:
        sys.exit("--plot needs gnuplot, which is not installed (Debian: gnuplot-nox)")
    build = os.path.abspath(arguments.build)
    configurations = profilers.chosen(build, arguments.peers.split(","))
    with_perf = measuring.perf_counts_instructions()
    print(measuring.machine())
    results = {}
    for name, command in programs.commands(build, arguments):
        print(f"\n{name}: {' '.join(' '.join(command[1:]).split())[:100]}")
        results[name] = measure_program(build, configurations, command, arguments.rounds, not arguments.no_instructions,
                                        with_perf)
        show(results[name])
    summarize(results)
    if arguments.plot:
        draw(results, arguments.plot)
    measuring.write_json(arguments.json, scale=arguments.scale, programs=results)


if __name__ == "__main__":
    main()
