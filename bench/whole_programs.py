#!/usr/bin/env python3
"""What whole programs pay: our workloads bare, under a shim that only forwards, and under heapgauge.

  whole_programs.py BUILD_DIR [--configurations default,exact,...] [--programs NAME,...] [--rounds 7] [--scale 1]
                    [--no-time] [--no-instructions] [--json FILE]

Prints ratios to no preload: user-mode instructions of the whole tree of processes (perf where the machine has the
counter, callgrind otherwise), CPU (user + system), wall, and peak RSS in MiB.  Times are run interleaved, the ratio is
taken round by round, and the median stands with the range of its middle half.  Everything a run costs is in it: loading,
sampling, the report at the end, and the helper that finds its source lines; the last one is also shown on its own,
because it is paid once a process and not once a second.
"""
import argparse
import json
import os
import statistics
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "measure"))
import measuring  # noqa: E402
import programs  # noqa: E402


def middle_half(values):
    if len(values) < 4:
        return min(values), max(values)
    low, _, high = statistics.quantiles(values, n=4)
    return low, high


def count_all(build, arguments, configurations):
    """{program: {configuration: Instructions}}, printed as they come."""
    with_perf = measuring.perf_counts_instructions()
    print(f"\nUser-mode instructions, counted by {'perf' if with_perf else 'callgrind'}: ratio to bare (the part of the helper)")
    print(f"{'':18}{'bare':>10}" + "".join(f"{c.name:>17}" for c in configurations[1:]))
    results = {}
    for name, command in programs.commands(build, arguments):
        row = {c.name: measuring.count_instructions(c, command, with_perf) for c in configurations}
        bare = row["bare"].total
        print(f"{name:18}{bare / 1e6:8.0f} M" + "".join(
            f"{row[c.name].total / bare:9.4f} ({row[c.name].helper / bare:.3f})" for c in configurations[1:]), flush=True)
        results[name] = row
    return results


def time_all(build, arguments, configurations):
    """{program: {configuration: [Cost]}}"""
    print(f"\nTimes of {arguments.rounds} interleaved rounds: CPU as ratio to bare [middle half], wall, peak RSS in MiB")
    print(f"{'':18}{'bare':>14}" + "".join(f"{c.name:>34}" for c in configurations[1:]))
    results = {}
    for name, command in programs.commands(build, arguments):
        costs = measuring.interleaved(build, configurations, command, arguments.rounds)
        bare = costs["bare"]
        cells = []
        for configuration in configurations[1:]:
            cpu = measuring.ratios(costs[configuration.name], bare, lambda cost: cost.cpu)
            wall = measuring.ratios(costs[configuration.name], bare, lambda cost: cost.wall)
            low, high = middle_half(cpu)
            peak = statistics.median(cost.peak_kib for cost in costs[configuration.name]) / 1024
            cells.append(f"{statistics.median(cpu):6.3f} [{low:.2f}-{high:.2f}]{statistics.median(wall):6.2f} {peak:6.1f}M")
        print(f"{name:18}{statistics.median(c.cpu for c in bare):6.2f}s "
              f"{statistics.median(c.peak_kib for c in bare) / 1024:5.1f}M" + "".join(f"{cell:>34}" for cell in cells),
              flush=True)
        results[name] = costs
    return results


def summary(configurations, counts, times):
    print(f"\n{'all programs':18}{'instructions: mean':>20}{'worst':>24}{'CPU: mean':>12}{'worst':>24}")
    for configuration in configurations[1:]:
        line = f"{configuration.name:18}"
        if counts:
            by_program = {name: row[configuration.name].total / row["bare"].total for name, row in counts.items()}
            worst = max(by_program, key=by_program.get)
            line += f"{measuring.geometric_mean(by_program.values()):20.4f}{worst:>16} {by_program[worst]:7.3f}"
        else:
            line += f"{'':44}"
        if times:
            by_program = {name: statistics.median(measuring.ratios(row[configuration.name], row["bare"], lambda c: c.cpu))
                          for name, row in times.items()}
            worst = max(by_program, key=by_program.get)
            line += f"{measuring.geometric_mean(by_program.values()):12.3f}{worst:>16} {by_program[worst]:7.3f}"
        print(line)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", help="build directory")
    parser.add_argument("--configurations", default="forward,default,dwarf,fp,exact")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--no-time", action="store_true")
    parser.add_argument("--no-instructions", action="store_true")
    parser.add_argument("--json", help="write every single figure to this file")
    programs.add_arguments(parser)
    arguments = parser.parse_args()
    build = os.path.abspath(arguments.build)
    configurations = measuring.heapgauge_configurations(build, ["bare", *arguments.configurations.split(",")])
    print(measuring.machine())
    counts = {} if arguments.no_instructions else count_all(build, arguments, configurations)
    times = {} if arguments.no_time else time_all(build, arguments, configurations)
    summary(configurations, counts, times)
    if arguments.json:
        with open(arguments.json, "w", encoding="utf-8") as out:
            json.dump({"machine": measuring.machine(), "scale": arguments.scale,
                       "instructions": {n: {c: vars(i) for c, i in row.items()} for n, row in counts.items()},
                       "times": {n: {c: [vars(x) for x in costs] for c, costs in row.items()} for n, row in times.items()}},
                      out, indent=1)


if __name__ == "__main__":
    main()
