#!/usr/bin/env python3
"""Is who holds what named rightly?  `heapgauge holders` over random graphs of objects whose holders are known.

  graph_bench.py BUILD_DIR [--runs 5] [--threads 1,4,16] [--allocators glibc,jemalloc,tcmalloc,mimalloc] [--objects 800]

Of each allocator, sampled at 16 KiB and exactly: the share of the bytes whose holder is named rightly (by kind and name), of
what a root points to, and of what hangs on it through one to three blocks; of all held bytes those that are named wrongly, and
those that are called lost; of the lost ones those that are called so; and how often the 95 % interval of a call site that loses
three tenths covers what it loses. What is missing is memory of which nothing is known. `--exact` of the command is a row of its
own.
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile

DIRECT = ("held_in_table", "held_on_stack", "held_by_thread")
LIBRARIES = {"glibc": "", "jemalloc": "libjemalloc.so.2", "tcmalloc": "libtcmalloc_minimal.so.4", "mimalloc": "libmimalloc.so.2"}


def look(build, behind, interval, seed, threads, objects, copy):
    """The truth by call site, and what is said of each."""
    with tempfile.TemporaryDirectory() as folder:
        base = {key: value for key, value in os.environ.items() if not key.startswith("HEAPGAUGE_")} | {"XDG_RUNTIME_DIR": folder}
        preload = " ".join(filter(None, [os.path.join(build, "lib/libheapgauge.so"), behind]))
        host = subprocess.Popen([os.path.join(build, "bin/object_graph"), str(seed), str(threads), str(objects)], stdin=subprocess.PIPE,
                                stdout=subprocess.PIPE, text=True,
                                env=base | {"LD_PRELOAD": preload, "HEAPGAUGE_OUTPUT": os.path.join(folder, "out"),
                                            "HEAPGAUGE_SAMPLE_INTERVAL": interval, "HEAPGAUGE_HOLDERS": "ask",
                                            "HEAPGAUGE_REPORT_INTERVAL": "1s", "HEAPGAUGE_SYMBOLIZE": "names"})
        truth = {}
        for line in host.stdout:
            words = line.split()
            if words == ["ready"]:
                break
            truth[words[0]] = (float(words[1]), words[2], words[3])
        try:
            # What was born a moment ago is not asked about.
            subprocess.run(["sleep", "2.5"], check=True)
            done = subprocess.run([os.path.join(build, "bin/heapgauge"), "holders", str(host.pid), *truth, "--json", *copy], env=base,
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
            if done.returncode != 0:
                sys.exit(f"{behind} {interval}: {done.stderr}")
        finally:
            host.stdin.close()
            host.wait(60)
        said = {}
        for callsite in json.loads(done.stdout)["callsites"]:
            name = callsite["function"].split("(")[0]
            if name in truth and callsite["held"]:
                said[name] = callsite["held"]
        return truth, said


class Score:
    def __init__(self):
        self.held = self.wrong = self.lost = self.found = self.false = 0.0
        self.near = [0.0, 0.0]  # all, named rightly
        self.deep = [0.0, 0.0]
        self.intervals = self.covered = self.looks = 0

    def add(self, truth, said):
        self.looks += 1
        for name, (lost, kind, holder) in truth.items():
            held = said.get(name)
            if held is None:
                continue
            size = held["checked_bytes"]
            if 0 < lost < 1:
                self.intervals += 1
                self.covered += held["lost_low"] - 1e-9 <= lost <= held["lost_high"] + 1e-9
            self.lost += lost * size
            self.found += min(lost, held["lost_share"]) * size
            if lost == 0:
                self.false += held["lost_share"] * size
            if kind == "-":
                continue
            self.held += (1 - lost) * size
            where = self.near if name in DIRECT else self.deep
            # Of the objects that were looked at, not of all: the interval says how far these may differ.
            where[0] += (1 - held["lost_share"] if lost > 0 else 1) * size
            for one in held["holders"]:
                if one["kind"] == "unknown_memory":
                    continue
                right = one["kind"] == kind and holder in ("-", one["name"])
                if right:
                    where[1] += one["share"] * size
                else:
                    self.wrong += one["share"] * size

    def row(self):
        def share(part, whole):
            return f"{100 * part / whole:6.1f} %" if whole else "      - "
        return (f"{self.looks:5} {share(self.near[1], self.near[0])} {share(self.deep[1], self.deep[0])} {share(self.wrong, self.held)} {share(self.found, self.lost)} "
                f"{share(self.false, self.held)} {self.covered:4} of {self.intervals}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--threads", default="1,4,16")
    parser.add_argument("--allocators", default=",".join(LIBRARIES))
    parser.add_argument("--objects", type=int, default=800)
    args = parser.parse_args()
    build = os.path.abspath(args.build)
    print(f"{'allocator':10} {'how':14} looks   direct     deep    wrong  lost found  falsely  intervals that cover")
    for allocator in args.allocators.split(","):
        for how, interval, copy in (("16 KiB", "16KiB", []), ("16 KiB, copy", "16KiB", ["--exact"]), ("exact", "1", []),
                                    ("exact, copy", "1", ["--exact"])):
            score = Score()
            for threads in args.threads.split(","):
                for run in range(args.runs):
                    score.add(*look(build, LIBRARIES[allocator], interval, 1000 * int(threads) + run, int(threads), args.objects, copy))
            print(f"{allocator:10} {how:14} {score.row()}", flush=True)


main()
