#!/usr/bin/env python3
"""What a soak sees, by real soaks: leaks of a known size in the checkout service, at half of the bound that a soak states,
at it, and at twice as much. The simulation beside it is soak_power_bench.

  soak_power.py BUILD_DIR [--runs 12] [--jobs 3] [--duration 32] [--warm-up 8] [--defect lost] [--rate 100]

A soak's bound is so many samples in its judged part; the first soak tells it, and how many coupons a second the customers
have refused. Each soak after it has coupons of a weight by which that many make the wanted part of the bound. Every refused
coupon is lost, so nothing of that line ever dies: the harder kind (docs/soak.md). What was really lost comes from the service's
own books. Printed for each size: how many soaks called it, and how much of its own bound each had.
"""
import argparse
import concurrent.futures
import itertools
import json
import os
import re
import socket
import subprocess
import sys
import tempfile

RULE = 64  # a coupon's weight is a multiple of it
numbers = itertools.count()


def free_port():
    with socket.socket() as asked:
        asked.bind(("127.0.0.1", 0))
        return asked.getsockname()[1]


class Soaks:
    def __init__(self, args, folder):
        self.args = args
        self.folder = folder
        self.bin = os.path.join(os.path.abspath(args.build), "bin")

    def run(self, coupon_bytes):
        """Status, part of the soak's own bound that was planted, coupons lost in a second, the bound in bytes a second."""
        args, port, number = self.args, free_port(), next(numbers)
        where = os.path.join(self.folder, str(number))
        load = (f"{self.bin}/checkout_load --port {port} --phases {args.duration + 20}s@{args.rate} --coupon-share 1 --quiet"
                f" --seed {number + 1}")
        done = subprocess.run(
            [os.path.join(self.bin, "heapgauge"), "soak", "--reports", where, "--duration", f"{args.duration}s",
             "--warm-up", f"{args.warm_up}s", "--wait-port", str(port), "--load", load, "--",
             os.path.join(self.bin, "checkout_service"), "--port", str(port), "--session-ttl", "2s", "--cache-entries", "128",
             "--receipts", "200", "--defect", args.defect, "--coupon-bytes", str(coupon_bytes)],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        if done.returncode not in (0, 1):
            sys.exit(f"a soak ended with status {done.returncode}:\n{done.stdout}{done.stderr}")
        with open(os.path.join(where, "soak.json"), encoding="utf-8") as file:
            result = json.load(file)
        with open(os.path.join(where, "service.log"), encoding="utf-8") as file:
            lost, objects, rate = map(float, re.search(r"leaked (\d+) bytes in (\d+) \S+.*\((\d+) bytes/s\)", file.read()).groups())
        bound = result["would_have_seen"]["bytes_per_hour"] / 3600
        called = any("RejectCoupon" in leak["function"] for leak in result["leaks"])
        return called, rate / bound, rate / (lost / objects), bound


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build")
    parser.add_argument("--runs", type=int, default=12)
    parser.add_argument("--jobs", type=int, default=3)
    parser.add_argument("--duration", type=int, default=32)
    parser.add_argument("--warm-up", type=int, default=8)
    parser.add_argument("--rate", type=int, default=100)
    parser.add_argument("--defect", choices=["lost", "kept"], default="lost")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        soaks = Soaks(args, folder)
        _, _, coupons, bound = soaks.run(4096)
        print(f"bound {bound / 1024:.1f} KiB/s, {coupons:.1f} refused coupons a second")
        print(f"{'planted':>8} {'coupon':>7} {'called':>8} {'part of its own bound, least to most':>38}")
        for factor in (0.5, 1.0, 2.0):
            weight = max(RULE, round(factor * bound / coupons / RULE) * RULE)
            with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
                done = list(pool.map(soaks.run, [weight] * args.runs))
            called = sum(run[0] for run in done)
            parts = sorted(run[1] for run in done)
            print(f"{factor:8.1f} {weight:7d} {called:4d}/{len(done):<3d} {parts[0]:30.2f} to {parts[-1]:.2f}", flush=True)


if __name__ == "__main__":
    main()
