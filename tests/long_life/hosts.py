"""The hosts of a long life: how each is started, loaded, disturbed and ended, and what it knows about its own memory.

A host's truth() is a figure in bytes that moves as its live heap moves: long_life.py compares the differences.  All tools that
make load run without heapgauge.
"""

import contextlib
import json
import os
import random
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "programs"))
import nginx_configuration
import programs
import redis_server
from programs import harness

STALL_MS = 1900  # who waits so long for an answer met a machine that stood still
SELF = os.path.dirname(os.path.abspath(__file__))


def lasting_port():
    """A free one that no client gets by chance while its server is away for a moment."""
    for port in random.sample(range(20000, 32000), 100):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    return harness.fail("no free port")


class Host:
    """One program that is started again and again.  `ending` is set while its load may fail."""

    name = ""
    forked_steward = False
    slack = 0.1  # of the account, beside six standard errors: sizes are rounded up by the allocator, buffers come and go
    ends = (signal.SIGTERM, signal.SIGKILL)

    def __init__(self, place):
        self.place = place
        self.process = None
        self.ending = False
        self.stalls = 0
        self.random = random.Random(self.name)
        os.makedirs(place)

    def start(self, env):
        self.ending = False
        with open(os.path.join(self.place, "said"), "ab") as said:
            self.process = subprocess.Popen(self.argv(), env=env, cwd=self.place, stdin=subprocess.PIPE,
                                            stdout=subprocess.PIPE if self.talks() else said, stderr=said)
        self.ready()

    def talks(self):
        return False

    def pids(self):
        return [self.process.pid]

    def end(self, number):
        """Returns the exit status."""
        self.ending = True
        os.kill(self.process.pid, number)
        try:
            return self.process.wait(60)
        except subprocess.TimeoutExpired:
            harness.show_stacks([self.process.pid])
            return harness.fail(f"{self.name}: still there a minute after signal {number}")

    def freeze(self):
        """A stopped process and its threads."""
        pid = self.random.choice(self.pids())
        os.kill(pid, signal.SIGSTOP)
        time.sleep(self.random.uniform(0.05, 0.8))
        os.kill(pid, signal.SIGCONT)


class Redis(Host):
    name = "redis"
    slack = 0.3

    def __init__(self, place):
        super().__init__(place)
        self.server = redis_server.Redis(os.path.join(place, "data"), "--appendonly", "yes")
        self.benchmark = programs.program("redis-benchmark")
        self.disturbances = [self.freeze, self.server.background_save, self.server.rewrite_log]

    def argv(self):
        return self.server.argv()

    def ready(self):
        self.server.wait(self.process)

    def load(self, share):
        # No lists: everything else that it writes stays within its thousands of keys.
        programs.tool(self.benchmark, "-s", self.server.socket, "-q", "-n", str(int(5000 * share)), "-r", "4000", "-d",
                      str(self.random.randrange(20, 900)), "-P", "4", "-c", "10", "-t", "set,get,incr,sadd,hset,zadd")

    def truth(self):
        return int(self.server.info("memory", "used_memory"))


class Nginx(Host):
    name = "nginx"
    forked_steward = True
    ends = (signal.SIGQUIT, signal.SIGTERM)  # a killed master leaves its workers behind, bare too

    def __init__(self, place):
        super().__init__(place)
        os.chmod(place, 0o755)
        self.nginx, self.ab = programs.program("nginx"), programs.program("ab")
        self.port = nginx_configuration.prepare(place, lasting_port())
        self.disturbances = [self.freeze, self.reload, self.open_logs, self.kill_worker]

    def argv(self):
        return [self.nginx, "-p", self.place, "-c", os.path.join(self.place, "nginx.conf")]

    def ready(self):
        programs.wait_for_server(self.process, socket.AF_INET, ("127.0.0.1", self.port))

    def pids(self):
        return [self.process.pid] + harness.children_of(self.process.pid)

    def load(self, share):
        for path in ("page.html", "through/page.html"):
            said = programs.tool(self.ab, "-q", "-r", "-n", str(int(1000 * share)), "-c", "8",
                                 f"http://127.0.0.1:{self.port}/{path}").decode()
            harness.check(self.ending or "Failed requests:        0" in said, f"requests failed:\n{said}")

    def reload(self):
        os.kill(self.process.pid, signal.SIGHUP)

    def open_logs(self):
        os.kill(self.process.pid, signal.SIGUSR1)

    def kill_worker(self):
        self.ending = True
        os.kill(self.random.choice(harness.children_of(self.process.pid)), signal.SIGKILL)

    def truth(self):
        return 0


class Checkout(Host):
    name = "checkout_service"
    slack = 0.3

    def __init__(self, place, binaries):
        super().__init__(place)
        self.service, self.shoppers = (os.path.join(binaries, name) for name in ("checkout_service", "checkout_load"))
        self.port = lasting_port()
        self.disturbances = [self.freeze, self.defect]

    def argv(self):
        # Everything that fills is full soon.
        return [self.service, "--port", str(self.port), "--session-ttl", "2s", "--cache-entries", "64", "--receipts",
                "200", "--coupon-bytes", "16KiB"]

    def ready(self):
        programs.wait_for_server(self.process, socket.AF_INET, ("127.0.0.1", self.port))

    def load(self, share):
        said = programs.tool(self.shoppers, "--port", str(self.port), "--phases", f"{max(1, int(3 * share))}s@120",
                             "--coupon-share", "0.4", "--quiet", status=None).decode()
        found = re.search(r" (\d+) errors .* max ([\d.]+) ms", said, re.DOTALL)
        if found is None or found.group(1) != "0":
            # Its customers leave after two seconds.
            stalled = found is not None and float(found.group(2)) > STALL_MS
            self.stalls += stalled
            harness.check(self.ending or stalled, f"requests failed:\n{said}")

    def ask(self, path, data=None):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", data, timeout=30) as answer:
            return json.load(answer)

    def defect(self):
        """Keeps some coupons for ever, and counts them."""
        self.ask("/admin/defect?coupon_leak=on", b"")
        time.sleep(self.random.uniform(0.2, 1))
        self.ask("/admin/defect?coupon_leak=off", b"")

    def truth(self):
        return self.ask("/admin/stats")["leaked_bytes"]


class Python(Host):
    """python_host.py, which does as it is told."""

    name = "python"
    slack = 0.1

    def __init__(self, place):
        super().__init__(place)
        self.disturbances = [self.freeze, self.pause_tracking, self.poke]

    def talks(self):
        return True

    def argv(self):
        return [programs.distribution_python(), "-B", os.path.join(SELF, "python_host.py")]

    def ready(self):
        harness.check(self.process.stdout.readline() == b"ready\n", "python did not come up")

    def tell(self, *words):
        self.process.stdin.write(" ".join(words).encode() + b"\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline().decode().split()
        harness.check(self.ending or (answer and answer[0] == words[0]), f"python answers {answer} to {words}")
        return answer

    def load(self, share):
        self.tell("work", str(int(6 * share) + 1))
        self.tell("hold", str(self.random.randrange(1 << 20, 4 << 20)))

    def pause_tracking(self):
        self.tell("unwatched_work", "2")

    def poke(self):
        os.kill(self.process.pid, signal.SIGUSR1)

    def truth(self):
        return int(self.tell("truth")[1])
