#!/usr/bin/env python3
"""What a look through memory costs, and who is named: `heapgauge holders` of a program with a known heap.

  holders.py BUILD_DIR [--blocks 2000000] [--bytes 200] [--runs 3]

The program (this interpreter, on glibc's malloc) keeps lists of small objects; it is asked several times. Of each look:
blocks known, memory read, processor time, the longest step, and how much its resident set grew. No thread of it waits.
"""
import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time

HOST = """
import sys, time
blocks, size = int(sys.argv[1]), int(sys.argv[2])
kept = [bytearray(size) for _ in range(blocks)]
print("ready", flush=True)
sys.stdin.read()
"""


def resident(pid):
    with open(f"/proc/{pid}/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build")
    parser.add_argument("--blocks", type=int, default=2_000_000)
    parser.add_argument("--bytes", type=int, default=200)
    parser.add_argument("--runs", type=int, default=3)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        log = os.path.join(folder, "log")
        environment = dict(os.environ, LD_PRELOAD=os.path.join(args.build, "lib/libheapgauge.so"), PYTHONMALLOC="malloc",
                           HEAPGAUGE_OUTPUT=os.path.join(folder, "out"), HEAPGAUGE_REPORT_INTERVAL="1s", HEAPGAUGE_HOLDERS="ask",
                           HEAPGAUGE_MEMORY_LIMIT="1GiB", HEAPGAUGE_LOG="debug", XDG_RUNTIME_DIR=folder)
        with open(log, "wb") as errors:
            host = subprocess.Popen([sys.executable, "-c", HOST, str(args.blocks), str(args.bytes)], env=environment, stderr=errors,
                                    stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        host.stdout.readline()
        time.sleep(2)  # what is asked before its first report knows no call sites
        print(f"{'blocks':>9} {'read':>9} {'CPU':>8} {'CPU/GiB':>8} {'longest':>8} {'RSS +':>8}  named")
        try:
            for _ in range(args.runs):
                before = resident(host.pid)
                done = subprocess.run([os.path.join(args.build, "bin/heapgauge"), "holders", str(host.pid), "--json"],
                                      env={k: v for k, v in environment.items() if k != "LD_PRELOAD"}, stdout=subprocess.PIPE, check=True)
                grown = resident(host.pid) - before
                with open(log, encoding="utf-8") as file:
                    found = re.findall(r"looked through memory: (\d+) blocks, ([\d.]+) MiB read in the last look, ([\d.]+) ms of processor "
                                       r"time, the longest step ([\d.]+) ms", file.read())
                blocks, mib, cpu, longest = (float(figure) for figure in found[-1])
                named = []
                for callsite in json.loads(done.stdout)["callsites"]:
                    held = callsite["held"] or {"holders": [], "lost_share": 0}
                    first = held["holders"][0] if held["holders"] else {"kind": "nobody", "name": "", "share": held["lost_share"]}
                    named.append(f"{callsite['function'] or '?'}: {first['kind']} {first['name']} {100 * first['share']:.0f} %")
                print(f"{blocks:9.0f} {mib:5.0f} MiB {cpu:5.0f} ms {cpu / mib * 1.024:6.2f} s {longest:5.2f} ms {grown / 1024:4.0f} KiB"
                      f"  {'; '.join(named[:2])}", flush=True)
        finally:
            host.stdin.close()
            host.wait(60)


main()
