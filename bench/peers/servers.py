#!/usr/bin/env python3
"""Servers at full load under heapgauge and under its peers, interleaved, as ratios.

  servers.py BUILD_DIR [--servers redis,redis_pipeline,checkout] [--peers NAME,...] [--scale 0.1] [--rounds 5] [--json FILE]

redis           redis-server under redis-benchmark: SET, GET and LPUSH of 400 bytes on 100 000 keys, 20 clients
redis_pipeline  the same with sixteen requests sent at once
checkout        examples/checkout_service under checkout_load: six clients, no pause between a reply and the next request

Needs, from the distribution (Debian 12): redis-server redis-tools, and the peers' packages (compare.py).  No network: redis
listens on a socket in a directory of its own, the service on loopback.  Each server is started anew for each round, is
given a tenth of the load that nobody counts, then the load, then SIGTERM.  Debian's redis-server brings jemalloc: `bare`
is jemalloc there.

req/s   requests answered a second
p99.9   the latency that one request in a thousand exceeds.  Of redis at the full load; of checkout, whose load counts a
        request's latency from the moment it was due, at a quarter of the rate that the bare service reached in the run
        before the first round
CPU     the server's own, user and system, a request; `of all` with the processes that a profiler adds (heaptrack's reader).
        The clock of /proc ticks every 10 ms: a load is to be a few seconds long
peak    resident set of the server; written: what the profiler left on disk by the end

Each is the median of the rounds' ratios to the bare server [lowest..highest], `to own` to the allocator without profiling.
The start, the final report and the end are not in them.
"""
import argparse
import contextlib
import dataclasses
import operator
import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

import profilers  # makes the modules of ../measure known
import measuring

USUAL = "heapgauge,heapgauge_fp,heapgauge_exact,heaptrack,tcmalloc,tcmalloc_sampling,jemalloc,jemalloc_prof"
TICK = 1 / os.sysconf("SC_CLK_TCK")
START_S, LOAD_S, END_S = 60, 600, 300  # longest waits; heaptrack's reader may have much to catch up with


@dataclasses.dataclass(frozen=True)
class Load:
    """What the clients saw."""
    requests: int
    seconds: float
    p999_ms: float


@dataclasses.dataclass(frozen=True)
class Served:
    """One round of one server."""
    rate: float
    p999_ms: float
    own_us: float  # of CPU, a request
    all_us: float
    peak_kib: int
    written: int


def clients(*command):
    """What a load generator printed."""
    done = subprocess.run(command, env=measuring.clean_environment(), capture_output=True, text=True, check=False,
                          timeout=LOAD_S)
    return done.stdout + done.stderr


class Redis:
    tools = ("redis-server", "redis-benchmark")
    ready = r"ready to accept connections"

    def __init__(self, scale, pipeline, requests):
        self.pipeline, self.requests = pipeline, int(requests * scale)

    def command(self, place):
        return ["redis-server", "--port", "0", "--unixsocket", f"{place}/socket", "--dir", place, "--save", "", "--pidfile",
                f"{place}/pid"]

    def load(self, place, _, share=1.0):
        said = clients("redis-benchmark", "-s", f"{place}/socket", "-n", str(int(self.requests * share)), "-r", "100000", "-d",
                       "400", "-c", "20", "-P", str(self.pipeline), "-t", "set,get,lpush", "--precision", "3")
        # Of each kind of request: how many there were and for how long, and at each latency how many were not slower.
        done = re.findall(r"(\d+) requests completed in ([\d.]+) seconds", said)
        rates = [float(rate) for rate in re.findall(r"throughput summary: ([\d.]+)", said)]
        kinds = [[(float(ms), int(count)) for ms, count in re.findall(r"<= ([\d.]+) milliseconds \(cumulative count (\d+)\)", part)]
                 for part in re.findall(r"by percentile distribution:(.*?)Cumulative", said, re.DOTALL)]
        if not len(done) == len(rates) == len(kinds) == 3:
            sys.exit(f"redis-benchmark failed: {said}")
        counts = [int(count) for count, _ in done]
        seconds = sum(count / rate for count, rate in zip(counts, rates))
        wanted = 0.999 * sum(counts)
        p999 = next(ms for ms in sorted(ms for kind in kinds for ms, _ in kind)
                    if sum(max((count for at, count in kind if at <= ms), default=0) for kind in kinds) >= wanted)
        return Load(sum(counts), seconds, p999)

    def tail_ms(self, _, __, load):
        return load.p999_ms


class Checkout:
    tools = ()
    ready = r"listening on 127\.0\.0\.1:(\d+)"

    def __init__(self, scale, build):
        self.scale, self.build = scale, build
        self.steady_rate = None  # requests a second that every configuration should stand

    def command(self, place):
        return [f"{self.build}/bin/checkout_service", "--port", "0", "--pid-file", f"{place}/pid", "--session-ttl", "2s"]

    def shoppers(self, started, phases):
        said = clients(f"{self.build}/bin/checkout_load", "--port", started.group(1), "--quiet", "--phases", phases)
        found = re.search(r"(\d+) of (\d+) requests in ([\d.]+) s .* (\d+) errors.*p99\.9 ([\d.]+) ms", said, re.DOTALL)
        if found is None:
            sys.exit(f"checkout_load failed: {said}")
        sent, planned, seconds, errors, p999 = map(float, found.groups())
        if errors > planned - sent:  # what was never sent counts as an error, too
            sys.exit(f"requests to checkout_service failed: {said}")
        return Load(int(sent), seconds, p999)

    def load(self, _, started, share=1.0):
        # All due at once; those that were not sent five seconds after the plan's end are given up.
        return self.shoppers(started, f"{60_000 * self.scale * share / 100_000:.4f}s@100000")

    def tail_ms(self, _, started, load):
        if self.steady_rate is None:
            self.steady_rate = round(load.requests / load.seconds / 4)
        return self.shoppers(started, f"{max(1, 5 * self.scale):.1f}s@{self.steady_rate}").p999_ms


def cpu_seconds(session):
    """{process: own user and system seconds}, and the seconds of the children that they have waited for."""
    alive, ended = {}, 0
    for pid in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError), open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as stat:
            fields = stat.read().rpartition(")")[2].split()
            if int(fields[3]) == session:
                user, system, user_ended, system_ended = map(int, fields[11:15])
                alive[int(pid)] = (user + system) * TICK
                ended += (user_ended + system_ended) * TICK
    return alive, ended


def wait_until_ready(process, place, server, name):
    """The line that says so."""
    until = time.monotonic() + START_S
    while True:
        with open(f"{place}/said", encoding="utf-8", errors="replace") as lines:
            said = lines.read()
        started = re.search(server.ready, said)
        if started:
            return started
        if process.poll() is not None or time.monotonic() > until:
            sys.exit(f"{name}: the server did not come up: {said}")
        time.sleep(0.02)


def peak_kib(pid):
    with open(f"/proc/{pid}/status", encoding="utf-8") as lines:
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))


def measure_serving(server, place, process, name):
    started = wait_until_ready(process, place, server, name)
    with open(f"{place}/pid", encoding="utf-8") as file:
        pid = int(file.read())
    server.load(place, started, 0.1)
    before, ended_before = cpu_seconds(process.pid)
    load = server.load(place, started)
    after, ended_after = cpu_seconds(process.pid)
    tail = server.tail_ms(place, started, load)
    if pid not in after:
        sys.exit(f"{name}: the server ended under its load")
    own = after[pid] - before[pid]
    everyone = sum(after.values()) - sum(before.values()) + ended_after - ended_before
    served = Served(load.requests / load.seconds, tail, own / load.requests * 1e6, everyone / load.requests * 1e6,
                    peak_kib(pid), 0)
    os.kill(pid, signal.SIGTERM)
    process.wait(END_S)
    return served


def serve_once(server, configuration):
    with tempfile.TemporaryDirectory() as place:
        left = f"{place}/left"
        os.mkdir(left)
        environment, prefix = measuring.substitute(configuration, left)
        with open(f"{place}/said", "wb") as said:
            process = subprocess.Popen([*prefix, *server.command(place)], env=measuring.clean_environment() | environment,
                                       stdin=subprocess.DEVNULL, stdout=said, stderr=said, start_new_session=True)
        try:
            served = measure_serving(server, place, process, configuration.name)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        return dataclasses.replace(served, written=measuring.bytes_in(left))


COLUMNS = (("req/s", "rate", False), ("to own", "rate", True), ("p99.9", "p999_ms", False), ("CPU", "own_us", False),
           ("to own", "own_us", True), ("CPU of all", "all_us", False), ("peak", "peak_kib", False))


def show(configurations, rounds):
    bare = rounds["bare"]

    def middle(served, figure):
        return statistics.median(map(operator.attrgetter(figure), served))

    print(f"  bare: {middle(bare, 'rate'):.0f} requests/s, p99.9 {middle(bare, 'p999_ms'):.2f} ms, "
          f"{middle(bare, 'own_us'):.1f} us of CPU a request, peak {middle(bare, 'peak_kib') / 1024:.1f} MiB")
    print(f"  {'':20}" + "".join(f"{title:>20}" for title, _, _ in COLUMNS) + f"{'written':>10}")
    for configuration in configurations[1:]:
        own = rounds[configuration.name]
        cells = [measuring.ratio(own, rounds[configuration.base] if to_own else bare, operator.attrgetter(figure))
                 for _, figure, to_own in COLUMNS]
        print(f"  {configuration.name:20}" + "".join(f"{str(cell):>20}" for cell in cells) +
              f"{middle(own, 'written') / 1024:8.0f} K", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    profilers.add_arguments(parser, USUAL)
    parser.add_argument("--servers", default="redis,redis_pipeline,checkout")
    parser.add_argument("--scale", type=float, default=1, help="multiplies every load")
    arguments = parser.parse_args()
    build = os.path.abspath(arguments.build)
    known = {"redis": Redis(arguments.scale, 1, 100_000), "redis_pipeline": Redis(arguments.scale, 16, 600_000),
             "checkout": Checkout(arguments.scale, build)}
    wanted = arguments.servers.split(",")
    unknown = [name for name in wanted if name not in known]
    if unknown:
        sys.exit(f"unknown server {unknown[0]}; there are {', '.join(known)}")
    configurations = profilers.chosen(build, arguments.peers.split(","))
    # A stopped script takes its servers with it.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))
    print(measuring.machine())
    results = {}
    for name in wanted:
        missing = [tool for tool in known[name].tools if shutil.which(tool) is None]
        if missing:
            print(f"left out: {name}: {missing[0]} is not installed (packages redis-server redis-tools)")
            continue
        print(f"\n{name}")
        results[name] = measuring.in_turn(configurations, arguments.rounds,
                                          lambda configuration, name=name: serve_once(known[name], configuration))
        show(configurations, results[name])
    measuring.write_json(arguments.json, scale=arguments.scale, servers=results)


if __name__ == "__main__":
    main()
