"""`heapgauge attach` to a redis-server that serves many clients: not one request is lost, late beyond reason, or
answered wrongly; and what it allocates from then on is in its reports.  The same for stop and start."""

import os
import socket
import subprocess
import threading
import time

import programs
import redis_server
from programs import harness

CLIENTS = 8
# Between a request and its answer.  The server's thread is borrowed for a millisecond or two; the rest is room for a
# machine with other work.
LONGEST_S = 5.0


class Client(threading.Thread):
    """Sets, reads back and deletes keys of its own, and checks every reply."""

    def __init__(self, path, number, end):
        super().__init__(daemon=True)
        self.path, self.number, self.end = path, number, end
        self.requests, self.longest, self.problem = 0, 0.0, None

    def run(self):
        try:
            with socket.socket(socket.AF_UNIX) as connection:
                connection.connect(self.path)
                connection.settimeout(30)
                with connection.makefile("rwb") as stream:
                    while not self.end.is_set():
                        self.turn(stream)
        except (OSError, harness.Failure) as problem:
            self.problem = problem

    def turn(self, stream):
        key = b"key:%d:%d" % (self.number, self.requests % 500)
        value = b"%d " % self.requests * (20 + self.requests % 50)
        self.ask(stream, b"SET", key, value, reply=b"+OK\r\n")
        self.ask(stream, b"GET", key, reply=b"$%d\r\n" % len(value), then=value + b"\r\n")
        if self.requests % 3 == 0:
            self.ask(stream, b"DEL", key, reply=b":1\r\n")

    def ask(self, stream, *words, reply, then=b""):
        before = time.monotonic()
        stream.write(b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in words))
        stream.flush()
        answer = stream.readline() + stream.read(len(then))
        harness.check(answer == reply + then, f"client {self.number}: {words!r} was answered {answer!r}")
        self.longest = max(self.longest, time.monotonic() - before)
        self.requests += 1


def body():
    wanted = programs.options(__doc__)
    command = os.path.join(os.path.dirname(wanted.lib), "bin", "heapgauge")
    with harness.Rig(wanted) as rig:
        directory = rig.directory()
        server = redis_server.Redis(os.path.join(directory, "data"))

        def attach(*words):
            result = subprocess.run([command, "attach", *map(str, words)], cwd=directory, timeout=120, check=False,
                                    env=rig.environment("bare", directory), stderr=subprocess.PIPE, text=True)
            harness.check(result.returncode == 0, f"attach {words}: {result.stderr}")

        def during(process):
            server.wait(process)
            end = threading.Event()
            clients = [Client(server.socket, number, end) for number in range(CLIENTS)]
            for client in clients:
                client.start()
            time.sleep(1)
            settings = ("--sample-interval", "4KiB", "--report-interval", "1s", "--symbolize", "names")
            attach(*settings, process.pid)
            for _ in range(5):
                time.sleep(0.3)
                attach("--stop", process.pid)
                attach(process.pid)
            time.sleep(2)
            end.set()
            for client in clients:
                client.join(60)
                harness.check(not client.is_alive() and client.problem is None, f"a client: {client.problem!r}")
            served = int(server.info("stats", "total_commands_processed"))
            sent = sum(client.requests for client in clients)
            longest = max(client.longest for client in clients)
            print(f"{sent} requests, all answered; the slowest in {longest * 1000:.0f} ms")
            harness.check(sent > 1000 and served >= sent, f"{sent} requests were sent, {served} processed")
            harness.check(longest < LONGEST_S, f"an answer took {longest:.1f} s")
            server.shutdown()

        run = rig.run(server.argv(), "bare", directory=directory, during=during)
        harness.check(run.status == 0 and b"bye bye" in run.stdout, f"redis ended with {run.status}: {run.stdout!r}")
        harness.check(not run.said and run.stderr == b"", f"on its stderr: {run.said} {run.stderr!r}")
        reports = [report for path in harness.report_directories(directory) for report in harness.read_reports(path)]
        harness.check(len(reports) > 5 and reports[-1]["final"], f"{len(reports)} reports")
        harness.check(reports[-1]["sampling"]["coverage"] == 1, f"coverage: {reports[-1]['sampling']}")
        names = programs.functions(reports[-1])
        for name in ("aeMain", "readQueryFromClient", "processCommand"):
            harness.check(name in names, f"{name} is on no stack: {sorted(names)}")


harness.main(body)
