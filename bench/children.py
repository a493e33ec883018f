#!/usr/bin/env python3
"""What children pay that a server forks for a moment: postgres with a connection a transaction, and a bare fork server.

  children.py BUILD_DIR [--rounds 8] [--transactions 200]

Two servers run side by side, one of them under heapgauge, and take turns.  Shown are the medians of the ratios, round by
round, of transactions a second (pgbench -C -S, one client), and of CPU and pages faulted in (perf stat of the server and
what it forks).  Needs postgres, pgbench and perf; as root, postgres runs as the user of that name.
"""
import argparse
import glob
import os
import pwd
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time


class Server:
    def __init__(self, place, name, programs, user, environment):
        self.data = os.path.join(place, f"data_{name}")
        self.socket = os.path.join(place, f"socket_{name}")
        os.mkdir(self.socket)
        shutil.copytree(os.path.join(place, "data"), self.data)
        if user:
            for directory in (self.socket, self.data):
                subprocess.run(["chown", "-R", user, directory], check=True)
        os.chmod(self.data, 0o700)
        self.process = subprocess.Popen([os.path.join(programs, "postgres"), "-D", self.data, "-k", self.socket, "-h", ""],
                                        user=user, env={**os.environ, **environment}, cwd=place,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.pgbench("-i", "-q", "-n")

    def pgbench(self, *arguments, before=()):
        command = [*before, "pgbench", "-h", self.socket, "-U", "tester", *arguments, "postgres"]
        for _ in range(100):
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode == 0:
                return done.stdout + done.stderr
            time.sleep(0.1)
        sys.exit(f"pgbench: {done.stderr}")

    def measure(self, transactions):
        """(transactions a second, CPU ms a transaction, page faults a transaction)"""
        said = self.pgbench("-C", "-S", "-n", "-c", "1", "-t", str(transactions),
                            before=["perf", "stat", "-x,", "-p", str(self.process.pid), "-e", "task-clock,page-faults", "--"])
        rate = float(re.search(r"tps = ([\d.]+)", said).group(1))
        cpu = float(re.search(r"([\d.]+),[^,]*,task-clock", said).group(1))
        faults = float(re.search(r"(\d+),[^,]*,page-faults", said).group(1))
        return rate, cpu / transactions, faults / transactions

    def stop(self):
        self.process.terminate()
        self.process.wait()


def postgres(build, place, arguments):
    programs = sorted(glob.glob("/usr/lib/postgresql/*/bin"))[-1]
    user = "postgres" if os.getuid() == 0 else None
    if user:
        os.chown(place, pwd.getpwnam(user).pw_uid, -1)
    data = os.path.join(place, "data")
    subprocess.run([os.path.join(programs, "initdb"), "-D", data, "-A", "trust", "--no-sync", "-U", "tester"], user=user,
                   cwd=place, check=True, stdout=subprocess.DEVNULL)
    with open(os.path.join(data, "postgresql.conf"), "a", encoding="ascii") as file:
        file.write("fsync = off\nautovacuum = off\n")
    ours = {"LD_PRELOAD": os.path.join(build, "lib", "libheapgauge.so"), "HEAPGAUGE_OUTPUT": os.path.join(place, "reports")}
    servers = [Server(place, "bare", programs, user, {}), Server(place, "preloaded", programs, user, ours)]
    rounds = [[server.measure(arguments.transactions) for server in servers] for _ in range(arguments.rounds)]
    for server in servers:
        server.stop()
    for i, what in enumerate(("transactions a second", "CPU ms a transaction", "page faults a transaction")):
        ratios = [ours[i] / bare[i] for bare, ours in rounds]
        print(f"postgres  {what:26} bare {statistics.median(bare[i] for bare, _ in rounds):8.2f}  "
              f"preloaded {statistics.median(ours[i] for _, ours in rounds):8.2f}  "
              f"ratio {statistics.median(ratios):.3f} [{min(ratios):.3f}-{max(ratios):.3f}]", flush=True)


def forks(build, place, arguments):
    program = os.path.join(build, "tests", "preload", "bin", "child_costs")  # 45 children, and a tenth of a second
    ours = {"LD_PRELOAD": os.path.join(build, "lib", "libheapgauge.so"), "HEAPGAUGE_OUTPUT": os.path.join(place, "forks")}
    rates = {"bare": [], "preloaded": []}
    for _ in range(arguments.rounds):
        for name, environment in (("bare", {}), ("preloaded", {**ours, "HEAPGAUGE_SYMBOLIZE": "off"})):
            began = time.monotonic()
            subprocess.run([program], env={**os.environ, **environment}, check=True)
            rates[name].append(45 / (time.monotonic() - began - 0.1))
    ratios = [ours / bare for bare, ours in zip(rates["bare"], rates["preloaded"])]
    print(f"forks     {'children a second':26} bare {statistics.median(rates['bare']):8.0f}  "
          f"preloaded {statistics.median(rates['preloaded']):8.0f}  "
          f"ratio {statistics.median(ratios):.3f} [{min(ratios):.3f}-{max(ratios):.3f}]")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", help="build directory")
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--transactions", type=int, default=200)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        os.chmod(place, 0o755)
        build = os.path.abspath(arguments.build)
        forks(build, place, arguments)
        postgres(build, place, arguments)


if __name__ == "__main__":
    main()
