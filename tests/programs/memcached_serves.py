"""memcached, whose threads share slabs, under clients that store, read, count and delete: every value comes back, a
SIGTERM ends it as bare, and its report has its slabs."""

import os
import signal
import socket
import threading

import programs
from programs import harness

CLIENTS = 6
ROUNDS = 300


def converse(path, number, problems):
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(60)
        connection.connect(path)
        file = connection.makefile("rwb")

        def say(line, *data):
            file.write(b"\r\n".join([line.encode(), *data, b""]))
            file.flush()
            return file.readline()

        for i in range(ROUNDS):
            value = bytes([65 + (i + number) % 26]) * (1 + i * 97 % 9000)
            if say(f"set {number}.{i} 0 0 {len(value)}", value) != b"STORED\r\n":
                problems.append(f"{number}.{i} is not stored")
            header = say(f"get {number}.{i}")
            if header != f"VALUE {number}.{i} 0 {len(value)}\r\n".encode() or file.readline() != value + b"\r\n" \
                    or file.readline() != b"END\r\n":
                problems.append(f"{number}.{i} comes back as {header}")
            if i % 3 == 0 and say(f"delete {number}.{i}") != b"DELETED\r\n":
                problems.append(f"{number}.{i} is not deleted")


def life(rig, memcached, mode):
    place = rig.directory()
    path = os.path.join(place, "s")
    pids = []

    def during(process):
        pids.append(process.pid)
        programs.wait_for_server(process, socket.AF_UNIX, path)
        problems = []
        clients = [threading.Thread(target=converse, args=(path, number, problems)) for number in range(CLIENTS)]
        for client in clients:
            client.start()
        for client in clients:
            client.join()
        harness.check(not problems, f"{mode}: {problems[:5]}")
        os.kill(process.pid, signal.SIGTERM)

    user = ["-u", "root"] if os.geteuid() == 0 else []
    env = dict(programs.ROOMY, HEAPGAUGE_SYMBOLIZE="names")
    return rig.run([memcached, "-s", path, "-t", "4", "-m", "64", *user], mode, env, place, during=during), pids[0]


def body():
    wanted = programs.options(__doc__)
    memcached = programs.program("memcached")
    with harness.Rig(wanted) as rig:
        bare, _ = life(rig, memcached, "bare")
        for mode in wanted.mode:
            run, pid = life(rig, memcached, mode)
            programs.unharmed(run, bare)
            report = programs.report_of(run, pid)
            # Items are in slab pages, which it asks malloc for, one MiB each.
            live = report["totals"]["live_bytes"]
            harness.check(live > 4 << 20, f"{mode}: {live} bytes alive in a cache of megabytes")
            print(f"{mode}: {live:.0f} bytes, exit status {run.status}")


harness.main(body)
