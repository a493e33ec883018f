#!/usr/bin/env python3
"""What it costs to be watched: `heapgauge top` at one second, /metrics, and a profile of ten thousand call sites.

  watching.py BUILD_DIR [--seconds 10]

Processor time is the kernel's own (schedstat), in milliseconds: of the tracked process beside a second without a watcher,
and of heapgauge-serve for each answer.
"""
import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
import urllib.request

SITES = 10_000


def cpu_ms(pid):
    total = 0
    for thread in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{thread}/schedstat", encoding="ascii") as figures:
            total += int(figures.read().split()[0])
    return total / 1e6


def wide_program(place):
    """Ten thousand functions that allocate, once each a second."""
    source = ["#include <stdlib.h>", "#include <string.h>", "#include <unistd.h>", "void *volatile keep;"]
    source += [f"__attribute__((noinline)) static void f{i}(void) {{ keep = malloc({200 + i % 700}); __asm__ volatile(\"\"); }}"
               for i in range(SITES)]
    source.append("static void (*const all[])(void) = {" + ",".join(f"f{i}" for i in range(SITES)) + "};")
    source.append("int main(int count, char **words) { for (int n = atoi(words[count - 1]); n > 0; --n) { "
                  f"for (int i = 0; i < {SITES}; i++) all[i](); sleep(1); }} return 0; }}")
    path = os.path.join(place, "wide.c")
    with open(path, "w", encoding="ascii") as file:
        file.write("\n".join(source) + "\n")
    program = os.path.join(place, "wide")
    subprocess.run(["gcc", "-O1", "-g", path, "-o", program], check=True)
    return program


def top(build, victim, interval, seconds):
    environment = {**os.environ, "HEAPGAUGE_SAMPLE_INTERVAL": interval,
                   "LD_PRELOAD": os.path.join(build, "lib/libheapgauge.so"), "HEAPGAUGE_HOLDERS": "off"}
    process = subprocess.Popen(victim, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        time.sleep(3)
        before = cpu_ms(process.pid)
        time.sleep(seconds)
        alone = (cpu_ms(process.pid) - before) / seconds
        watcher = subprocess.Popen([os.path.join(build, "bin/heapgauge"), "top", str(process.pid), "--plain", "--delay", "1s",
                                    "--count", str(seconds + 3)], stdout=subprocess.DEVNULL)
        time.sleep(1.5)
        before = cpu_ms(process.pid)
        time.sleep(seconds)
        watched = (cpu_ms(process.pid) - before) / seconds
        watcher.wait()
    finally:
        process.kill()
        process.wait()
    return alone, watched


def ask(address, path):
    with urllib.request.urlopen(address + path, timeout=60) as answer:
        return answer.read()


def serve(build, program, place):
    directory = os.path.join(place, "wide.out")
    command = os.path.join(build, "bin/heapgauge")
    subprocess.run([command, "run", "--sample-interval", "1", "--report-interval", "1s", "--output", directory, "--", program, "3"],
                   check=True, stderr=subprocess.DEVNULL)
    server = subprocess.Popen([command, "serve", directory], stdout=subprocess.PIPE, text=True)
    try:
        address = server.stdout.readline().strip().rstrip("/")
        children = f"/proc/{server.pid}/task/{server.pid}/children"
        with open(children, encoding="ascii") as file:
            pid = int((file.read().split() or [server.pid])[0])
        ask(address, "/metrics")
        for path, rounds in (("/metrics", 100), ("/debug/pprof/heap", 1), ("/debug/pprof/allocs", 1)):
            before = cpu_ms(pid)
            for _ in range(rounds):
                body = ask(address, path)
            spent = (cpu_ms(pid) - before) / rounds
            if path == "/metrics":
                series = len(re.findall(rb"^[^#\n]", body, re.MULTILINE))
                print(f"{path}: {spent:.2f} ms, {series} series")
            else:
                print(f"{path}, {SITES} call sites: {spent:.0f} ms, {len(body) / 1024:.0f} KiB")
    finally:
        server.terminate()
        server.wait()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build")
    parser.add_argument("--seconds", type=int, default=10)
    arguments = parser.parse_args()
    build = os.path.abspath(arguments.build)
    with tempfile.TemporaryDirectory() as place:
        os.chdir(place)
        program = wide_program(place)
        small = [sys.executable, "-c", "import time; x = [b'x' * 500 for _ in range(1 << 17)]; time.sleep(99)"]
        for name, victim, interval in (("a process of 64 MiB", small, "512KiB"),
                                       (f"{SITES} call sites in exact mode", [program, "99"], "1")):
            alone, watched = top(build, victim, interval, arguments.seconds)
            print(f"top of {name}: {watched - alone:.2f} ms a second beside {alone:.2f} ms without it")
        serve(build, program, place)


if __name__ == "__main__":
    main()
