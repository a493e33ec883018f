#!/usr/bin/env python3
"""Are heapgauge's estimates as good as they say?  Thousands of heaps of known size through the real library.

  accuracy.py BUILD_DIR [--runs 1000] [--mixes small,usual,...] [--intervals 8192,65536]

For each mix of sizes and interval: how often the true live bytes lay within the estimate's own 95 % interval (estimate
+- 1.96 standard errors), the mean error with its own standard error (0 = unbiased), and the typical error of one run.
Ends with status 1 when a mix is covered in less than 93 % of its runs or is off by more than four standard errors.
"""
import argparse
import math
import os
import statistics
import subprocess
import sys
import tempfile

MIXES = ["small", "usual", "large", "two_kinds", "churn", "vectors", "intervals", "threads"]
ROUNDS_A_PROCESS = 50


def run(build, mix, interval, runs):
    """[(truth, estimate, standard error, samples)]"""
    rows = []
    with tempfile.TemporaryDirectory() as directory:
        environment = os.environ | {"HEAPGAUGE_SAMPLE_INTERVAL": str(interval), "HEAPGAUGE_OUTPUT": directory + "/%p",
                                    "HEAPGAUGE_SYMBOLIZE": "off"}
        for seed in range(math.ceil(runs / ROUNDS_A_PROCESS)):
            done = subprocess.run([f"{build}/bin/accuracy_run", mix, str(interval), str(ROUNDS_A_PROCESS), str(seed + 1)],
                                  env=environment, capture_output=True, text=True, check=False)
            if done.returncode != 0:
                sys.exit(f"accuracy: {mix} failed: {done.stderr}")
            rows += [tuple(float(word) for word in line.split()) for line in done.stdout.splitlines()]
    return rows[:runs]


def judge(rows):
    errors = [(estimate - truth) / truth for truth, estimate, _, _ in rows]
    covered = sum(abs(estimate - truth) <= 1.96 * stderr for truth, estimate, stderr, _ in rows) / len(rows)
    bias = statistics.fmean(errors)
    bias_error = statistics.stdev(errors) / math.sqrt(len(errors))
    typical = math.sqrt(statistics.fmean(error * error for error in errors))
    return covered, bias, bias_error, typical, statistics.fmean(row[3] for row in rows), statistics.fmean(row[0] for row in rows)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", help="build directory")
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--mixes", default=",".join(MIXES))
    parser.add_argument("--intervals", default="8192,65536")
    arguments = parser.parse_args()
    build = os.path.abspath(arguments.build)
    missed = []
    print(f"{'mix':12}{'interval':>10}{'runs':>7}{'heap KiB':>10}{'samples':>9}{'covered':>9}{'bias':>18}{'typical error':>15}")
    for mix in arguments.mixes.split(","):
        for interval in (int(text) for text in arguments.intervals.split(",")):
            rows = run(build, mix, interval, arguments.runs)
            covered, bias, bias_error, typical, samples, truth = judge(rows)
            print(f"{mix:12}{interval:10}{len(rows):7}{truth / 1024:10.0f}{samples:9.0f}{covered:9.1%}"
                  f"{bias:10.3%} +-{bias_error:.3%}{typical:14.2%}", flush=True)
            if covered < 0.93 or abs(bias) > 4 * bias_error:
                missed.append(f"{mix} at {interval}")
    print("missed: " + ", ".join(missed) if missed else "all within their own intervals as often as they claim")
    sys.exit(1 if missed else 0)


if __name__ == "__main__":
    main()
