#!/usr/bin/env python3
"""The same programs under heapgauge and under its peers, interleaved, as ratios.

  compare.py BUILD_DIR [--peers NAME,...] [--programs NAME,...] [--scale 0.2] [--rounds 5] [--no-instructions] [--json FILE]

Needs, from the distribution (Debian 12): heaptrack valgrind libgoogle-perftools4 libjemalloc2.  A peer whose package is
missing is left out, and said so.  Each peer's ratio is to the same program without a preload; for a profiler that is a
part of its own allocator also to that allocator with profiling off, which is the price of profiling alone.

instructions  user-mode, of the whole tree of processes: perf where the machine has the counter, callgrind otherwise.
              Not for massif and dhat: they run the program themselves.
CPU, wall     medians of rounds, ratio by ratio, with the middle half of the CPU ratios
peak          MiB of the largest process; written: what the profiler left on disk
"""
import argparse
import json
import os
import shutil
import statistics
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "measure"))
import measuring  # noqa: E402
import programs  # noqa: E402
from measuring import Configuration  # noqa: E402

LIBRARIES = "/usr/lib/x86_64-linux-gnu"
TCMALLOC = f"{LIBRARIES}/libtcmalloc.so.4"
JEMALLOC = f"{LIBRARIES}/libjemalloc.so.2"
HEAPTRACK = "/usr/lib/heaptrack/libheaptrack_preload.so"
# Every call is recorded: on the classic programs these take minutes where others take seconds.
SLOW = {"tcmalloc_heapprofile", "massif", "dhat"}


def peers(build):
    ours = f"{build}/lib/libheapgauge.so"
    exact = {"HEAPGAUGE_SAMPLE_INTERVAL": "1", "HEAPGAUGE_MEMORY_LIMIT": "4GiB"}
    return [
        (None, Configuration("bare")),
        (None, Configuration("heapgauge", {"LD_PRELOAD": ours})),
        (None, Configuration("heapgauge_fp", {"LD_PRELOAD": ours, "HEAPGAUGE_UNWIND": "fp"})),
        (None, Configuration("heapgauge_names", {"LD_PRELOAD": ours, "HEAPGAUGE_SYMBOLIZE": "names"})),
        (None, Configuration("heapgauge_exact", {"LD_PRELOAD": ours} | exact)),
        (HEAPTRACK, Configuration("heaptrack_raw", {}, ("heaptrack", "--raw", "-o", "DIRECTORY/raw"))),
        (HEAPTRACK, Configuration("heaptrack", {}, ("heaptrack", "-o", "DIRECTORY/out"))),
        (TCMALLOC, Configuration("tcmalloc", {"LD_PRELOAD": TCMALLOC})),
        (TCMALLOC, Configuration("tcmalloc_sampling", {"LD_PRELOAD": TCMALLOC, "TCMALLOC_SAMPLE_PARAMETER": "524288"},
                                 base="tcmalloc")),
        (TCMALLOC, Configuration("tcmalloc_heapprofile", {"LD_PRELOAD": TCMALLOC, "HEAPPROFILE": "DIRECTORY/heap"},
                                 base="tcmalloc")),
        (TCMALLOC, Configuration("heapgauge_tcmalloc", {"LD_PRELOAD": f"{ours}:{TCMALLOC}"}, base="tcmalloc")),
        (JEMALLOC, Configuration("jemalloc", {"LD_PRELOAD": JEMALLOC})),
        (JEMALLOC, Configuration("jemalloc_prof", {"LD_PRELOAD": JEMALLOC, "MALLOC_CONF":
                                                   "prof:true,lg_prof_sample:19,prof_final:true,prof_prefix:DIRECTORY/je"},
                                 base="jemalloc")),
        (JEMALLOC, Configuration("heapgauge_jemalloc", {"LD_PRELOAD": f"{ours}:{JEMALLOC}"}, base="jemalloc")),
        ("valgrind", Configuration("massif", {}, ("valgrind", "--tool=massif", "--massif-out-file=DIRECTORY/massif"))),
        ("valgrind", Configuration("dhat", {}, ("valgrind", "--tool=dhat", "--dhat-out-file=DIRECTORY/dhat"))),
    ]


def chosen(build, wanted):
    known = peers(build)
    names = {configuration.name for _, configuration in known}
    unknown = [name for name in wanted if name not in names]
    if unknown:
        sys.exit(f"unknown peer {unknown[0]}; there are {', '.join(sorted(names))}")
    result = []
    for needs, configuration in known:
        if configuration.name != "bare" and configuration.name not in wanted:
            continue
        if needs is not None and not (os.path.exists(needs) or shutil.which(needs)):
            print(f"left out: {configuration.name}, for {needs} is not installed")
            continue
        result.append(configuration)
    for configuration in result:
        if configuration.base not in [other.name for other in result]:
            sys.exit(f"{configuration.name} is compared with {configuration.base}: add that to --peers")
    return result


def ratio(values, bases, figure):
    return statistics.median(measuring.ratios(values, bases, figure))


def measure_program(build, configurations, command, rounds, with_instructions, with_perf):
    """{name: dict of figures}"""
    costs = measuring.interleaved(build, configurations, command, rounds)
    rows = {}
    for configuration in configurations:
        own = costs[configuration.name]
        cpu = measuring.ratios(own, costs["bare"], lambda cost: cost.cpu)
        rows[configuration.name] = {
            "cpu": statistics.median(cpu), "cpu_low": min(cpu), "cpu_high": max(cpu),
            "cpu_to_base": ratio(own, costs[configuration.base], lambda cost: cost.cpu),
            "wall": ratio(own, costs["bare"], lambda cost: cost.wall),
            "peak_mib": statistics.median(cost.peak_kib for cost in own) / 1024,
            "written": statistics.median(cost.written for cost in own),
        }
    if with_instructions:
        counts = {c.name: measuring.count_instructions(c, command, with_perf).total for c in configurations
                  if c.name not in SLOW}
        for configuration in configurations:
            if configuration.name in counts:
                rows[configuration.name]["instructions"] = counts[configuration.name] / counts["bare"]
                rows[configuration.name]["instructions_to_base"] = counts[configuration.name] / counts[configuration.base]
    return rows


def show(rows):
    print(f"  {'':22}{'instr.':>8}{'to own':>8}{'CPU':>8}{'[lowest-highest]':>18}{'to own':>8}{'wall':>8}{'peak MiB':>10}"
          f"{'written':>10}")
    for name, row in rows.items():
        instructions = f"{row['instructions']:8.3f}{row['instructions_to_base']:8.3f}" if "instructions" in row else f"{'':16}"
        spread = f"[{row['cpu_low']:.2f}-{row['cpu_high']:.2f}]"
        print(f"  {name:22}{instructions}{row['cpu']:8.2f}{spread:>18}{row['cpu_to_base']:8.2f}{row['wall']:8.2f}"
              f"{row['peak_mib']:10.1f}{row['written'] / 1024:8.0f} K", flush=True)


def summarize(results):
    print("\nall programs, geometric mean (worst)")
    names = list(next(iter(results.values())))
    for name in names:
        line = f"  {name:22}"
        for figure in ("instructions", "instructions_to_base", "cpu", "cpu_to_base", "wall"):
            values = {program: rows[name][figure] for program, rows in results.items() if figure in rows[name]}
            if values:
                worst = max(values, key=values.get)
                line += f"  {figure} {measuring.geometric_mean(values.values()):.3f} ({worst} {values[worst]:.2f})"
        print(line)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", help="build directory")
    usual = "heapgauge,heapgauge_fp,heapgauge_names,heapgauge_exact,heaptrack_raw,heaptrack,tcmalloc,tcmalloc_sampling," \
            "heapgauge_tcmalloc,jemalloc,jemalloc_prof,heapgauge_jemalloc"
    parser.add_argument("--peers", default=usual, help=f"default {usual}; also tcmalloc_heapprofile, massif, dhat")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--no-instructions", action="store_true")
    parser.add_argument("--json", help="write every figure to this file")
    programs.add_arguments(parser)
    arguments = parser.parse_args()
    build = os.path.abspath(arguments.build)
    configurations = chosen(build, arguments.peers.split(","))
    with_perf = measuring.perf_counts_instructions()
    print(measuring.machine())
    results = {}
    for name, command in programs.commands(build, arguments):
        print(f"\n{name}: {' '.join(' '.join(command[1:]).split())[:100]}")
        results[name] = measure_program(build, configurations, command, arguments.rounds, not arguments.no_instructions,
                                        with_perf)
        show(results[name])
    summarize(results)
    if arguments.json:
        with open(arguments.json, "w", encoding="utf-8") as out:
            json.dump({"machine": measuring.machine(), "scale": arguments.scale, "programs": results}, out, indent=1)


if __name__ == "__main__":
    main()
