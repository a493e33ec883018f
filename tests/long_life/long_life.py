#!/usr/bin/env python3
"""Lives with heapgauge for a long time: redis, nginx, the checkout service and python under load, with restarts, signals,
kills, reloads and another sample interval every moment (steward.c).

  long_life.py --lib BUILD/lib --command BUILD/bin/heapgauge --steward BUILD/tests/long_life/libsteward.so --seconds 3600

What must hold all the time: no host fails a request or ends otherwise than told to; the tracker stays within its memory
and does not creep; at quiet moments the host has the descriptors and threads that it had at its first one, and at most
one of heapgauge's; live bytes move as the host's own figure moves; no report fails; and whatever a process leaves, also
one that was killed, can be read.  Ends with one line of figures for each host; exit status 1 when something did not hold.
"""

import argparse
import faulthandler
import json
import os
import shutil
import sys
import tempfile
import threading
import time
import traceback

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import hosts
import watch
from hosts import harness

LONGEST_END_S = 240


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lib", required=True, help="directory of libheapgauge.so and libheapgauge-core.so")
    parser.add_argument("--command", required=True, help="the heapgauge command; checkout_service lies beside it")
    parser.add_argument("--steward", required=True, help="libsteward.so")
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--life", type=float, help="seconds between two restarts, about; default: a fifth of all")
    parser.add_argument("--every", type=float, default=1, help="seconds between two reports and stewardings")
    parser.add_argument("--share", type=float, default=1, help="of the load")
    parser.add_argument("--host", action="append", default=[], help="only these")
    parser.add_argument("--figures", help="write the figures here, as JSON")
    return parser.parse_args()


class Life(threading.Thread):
    """One host through all its incarnations."""

    def __init__(self, host, wanted, over):
        super().__init__(name=host.name, daemon=True)
        self.host, self.wanted, self.over = host, wanted, over
        self.watch = watch.Watch(host, wanted)
        self.problem = None
        self.until = time.monotonic() + wanted.seconds

    def environment(self):
        env = {k: v for k, v in os.environ.items() if not k.startswith("HEAPGAUGE_") and k != "LD_PRELOAD"}
        env.update({
            "LD_PRELOAD": f"{self.wanted.lib}/libheapgauge.so:{self.wanted.steward}",
            "HEAPGAUGE_OUTPUT": os.path.join(self.host.place, "out.%e.%p"),
            "HEAPGAUGE_REPORT_INTERVAL": f"{int(1000 * self.wanted.every)}ms",
            "HEAPGAUGE_SAMPLE_INTERVAL": "16KiB",
            "HEAPGAUGE_MEMORY_LIMIT": str(watch.MEMORY_LIMIT),
            "HEAPGAUGE_CPU_BUDGET": "20%",
            "HEAPGAUGE_TERM_REPORT": "on",  # each process that ends by SIGTERM has a final report to check
            "HEAPGAUGE_SYMBOLIZE": "names",
            "HEAPGAUGE_CHILDREN": "full",  # workers are found by their pid
            "SOAK_STEWARD_MS": str(int(1000 * self.wanted.every)),
        })
        if self.host.forked_steward:
            env["SOAK_STEWARD_FORKED"] = "1"
        return env

    def run(self):
        try:
            while time.monotonic() < self.until and not self.over.is_set():
                self.incarnation()
        except Exception as problem:  # whatever it is, the others need not go on
            self.problem = problem
            self.over.set()
            if self.host.process is not None:
                self.host.process.kill()

    def burst(self, *beside):
        """Load, and what happens to the host in the midst of it."""
        problems = []

        def load():
            try:
                self.host.load(self.wanted.share)
            except Exception as problem:
                problems.append(problem)

        worker = threading.Thread(target=load)
        worker.start()
        for act in beside:
            time.sleep(self.host.random.uniform(0.05, 0.6))
            act()
        worker.join()
        if problems and not self.host.ending:
            raise problems[0]
        self.watch.bursts += 1

    def incarnation(self):
        host, wanted = self.host, self.wanted
        host.start(self.environment())
        self.watch.begin()
        life = (wanted.life or wanted.seconds / 5) * host.random.choice((0.2, 0.5, 1, 2))
        until = min(self.until, time.monotonic() + life)
        self.burst()
        self.watch.quiet(self.over)
        while time.monotonic() < until and not self.over.is_set():
            # Python's pipe carries one command at a time: what disturbs it by command comes between.
            acts = host.random.sample(host.disturbances, host.random.randrange(0, 3))
            beside = [act for act in acts if not host.talks() or act in (host.freeze, getattr(host, "poke", None))]
            self.burst(*beside)
            for act in acts:
                if act not in beside:
                    act()
            host.ending = False
            self.watch.quiet(self.over)
        number = host.random.choice(host.ends)
        status = []
        self.burst(lambda: status.append(host.end(number)))
        self.watch.ended(number, status[0])


def show_end(path):
    with open(path, "rb") as file:
        print(b"\n".join(file.read().split(b"\n")[-40:]).decode(errors="replace"), file=sys.stderr)


def body():
    wanted = arguments()
    wanted.lib, wanted.command, wanted.steward = map(os.path.abspath, (wanted.lib, wanted.command, wanted.steward))
    top = tempfile.mkdtemp(prefix="heapgauge-long-life-")
    try:
        makers = {"redis": hosts.Redis, "nginx": hosts.Nginx, "python": hosts.Python,
                  "checkout_service": lambda place: hosts.Checkout(place, os.path.dirname(wanted.command))}
        over = threading.Event()
        lives = []
        for name, make in makers.items():
            if wanted.host and name not in wanted.host:
                continue
            try:
                lives.append(Life(make(os.path.join(top, name)), wanted, over))
            except SystemExit:  # skip(): a program of it is not installed
                print(f"{name} is left out")
        if not lives:
            harness.skip("none of the hosts is installed")
        began = time.monotonic()
        for life in lives:
            life.start()
        # A burst, a quiet moment and an end take this long where something hangs; each of them would have said so.
        deadline = began + wanted.seconds + LONGEST_END_S
        for life in lives:
            life.join(max(0, deadline - time.monotonic()))
        hanging = [life.name for life in lives if life.is_alive()]
        if hanging:
            faulthandler.dump_traceback(all_threads=True)
            harness.show_stacks(harness.descendants())
            harness.fail(f"still there {LONGEST_END_S} s after the end: {hanging}")
        seconds = time.monotonic() - began
        figures = {life.host.name: life.watch.figures() for life in lives}
        for name, values in figures.items():
            print(f"{name}: " + ", ".join(f"{key} {value}" for key, value in values.items()))
        if wanted.figures:
            with open(wanted.figures, "w", encoding="ascii") as file:
                json.dump({"seconds": round(seconds), "hosts": figures}, file, indent=1)
        for life in lives:
            if life.problem is not None:
                show_end(os.path.join(life.host.place, "said"))
                text = "".join(traceback.format_exception(life.problem))
                harness.fail(f"{life.host.name}, after {life.watch.bursts} bursts of load: {text}")
    finally:
        harness.end_descendants()
        shutil.rmtree(top, ignore_errors=True)


if __name__ == "__main__":
    harness.main(body)
