"""postgres: a process a connection, forked from a postmaster that goes on, with shared memory, signals and a child that
dies now and then.  Under pgbench no transaction fails, a killed backend is recovered from as ever, the data survive,
and a shutdown in the midst is clean."""

import glob
import os
import pwd
import signal
import socket
import subprocess
import time

import programs
from programs import harness


def binaries():
    found = sorted(glob.glob("/usr/lib/postgresql/*/bin/postgres"))
    if not found:
        harness.skip("postgres is not installed")
    return os.path.dirname(found[-1])


class Postgres:
    def __init__(self, rig):
        self.bin = binaries()
        self.who = {}
        os.chmod(rig.top, 0o755)
        if os.geteuid() == 0:  # it refuses to run as root
            try:
                user = pwd.getpwnam("postgres")
            except KeyError:
                harness.skip("there is no user postgres")
            self.who = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}

    def directory(self, rig):
        place = rig.directory()
        if self.who:
            os.chown(place, self.who["user"], self.who["group"])
        return place

    def tool(self, name, *argv, **more):
        return programs.tool(os.path.join(self.bin, name), *argv, cwd="/", **self.who, **more)


def life(rig, server, mode, template):
    place = server.directory(rig)
    began = time.monotonic()
    data = os.path.join(place, "data")
    programs.tool("cp", "-rp", template, data)
    connection = ["-h", place, "-U", "tester"]
    said = []

    def sql(text, status=0):
        return server.tool("psql", *connection, "-X", "-At", "-c", text, "postgres", status=status)

    def during(process):
        programs.wait_for_server(process, socket.AF_UNIX, os.path.join(place, ".s.PGSQL.5432"))
        harness.wait_until(lambda: sql("select 1", None) == b"1\n", 60, "postgres")
        said.append(sql("select count(*), sum(hashtext(md5(i::text))::bigint) from generate_series(1, 100000) i"))
        said.append(sql("create table t as select i, repeat('x', i % 500) s from generate_series(1, 20000) i; "
                        "create index on t(s); analyze t; select count(*), sum(length(s)) from t where s > 'xxx'"))
        # Backends that stay, and one for each transaction.
        for flags, count in ((["-t", "120"], 720), (["-t", "5", "-C"], 30)):
            bench = server.tool("pgbench", *connection, "-c", "6", "-j", "2", *flags, "postgres").decode()
            harness.check(f"number of transactions actually processed: {count}/{count}" in bench, bench)
        said.append(sql("select (select sum(abalance) from pgbench_accounts) = "
                        "(select sum(delta) from pgbench_history)"))
        # A backend that is killed takes all with it, and the postmaster starts anew.
        with_it = subprocess.Popen([os.path.join(server.bin, "psql"), *connection, "-X", "-c",
                                    "select 'me', pg_sleep(60)", "postgres"], stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL, cwd="/", **server.who)
        find = "select pid from pg_stat_activity where query like 'select ''me%' and pid <> pg_backend_pid()"
        victim = int(harness.wait_until(lambda: sql(find), 20, "the sleeping backend"))
        os.kill(victim, signal.SIGKILL)
        with_it.wait(60)
        time.sleep(0.1)
        harness.wait_until(lambda: sql("select 1", None) == b"1\n", 60, "recovery")
        said.append(sql("select count(*), sum(length(s)) from t"))
        os.kill(process.pid, signal.SIGINT)  # fast shutdown

    env = dict(programs.ROOMY, HEAPGAUGE_SYMBOLIZE="names", LC_ALL="C")
    run = rig.run([os.path.join(server.bin, "postgres"), "-D", data, "-k", place, "-h", ""], mode, env, place,
                  during=during, **server.who)
    programs.unharmed(run)
    harness.check(b"database system is shut down" in run.stderr, f"{mode}: {run.stderr!r}")
    crashes = [line for line in run.stderr.splitlines() if b"terminated by signal" in line]
    harness.check(len(crashes) == 1 and b"signal 9" in crashes[0], f"{mode}: {crashes}")
    print(f"{mode}: {time.monotonic() - began:.1f} s")
    return said, run


def body():
    wanted = programs.options(__doc__)
    with harness.Rig(wanted) as rig:
        server = Postgres(rig)
        template = os.path.join(server.directory(rig), "template")
        server.tool("initdb", "-D", template, "-U", "tester", "-A", "trust", "-N", "--no-locale", "-E", "UTF8")
        with open(os.path.join(template, "postgresql.conf"), "a", encoding="ascii") as file:
            file.write("fsync = off\nshared_buffers = 16MB\nmax_connections = 20\n")
        start = server.directory(rig)
        rig.run([os.path.join(server.bin, "postgres"), "-D", template, "-k", start, "-h", ""], "bare", None, start,
                during=lambda process: fill(server, process, start), **server.who)
        expected, _ = life(rig, server, "bare", template)
        for mode in wanted.mode:
            said, run = life(rig, server, mode, template)
            harness.check(said == expected, f"{mode}: postgres says {said}\nbare: {expected}")
            # The postmaster's others end by SIGQUIT, or SIGKILL, wherever they are.
            reports = harness.last_reports(run.directory, killed=True)
            print(f"{mode}: {len(reports)} reports")
            harness.check(mode == "default" or len(reports) > 20, f"{mode}: {len(reports)} reports")
            if mode != "default":
                names = set().union(*(programs.functions(report) for report in reports.values()))
                harness.check("AllocSetAlloc" in names or "PostgresMain" in names, f"{mode}: {sorted(names)}")


def fill(server, process, place):
    programs.wait_for_server(process, socket.AF_UNIX, os.path.join(place, ".s.PGSQL.5432"))
    harness.wait_until(lambda: server.tool("psql", "-h", place, "-U", "tester", "-At", "-c", "select 1", "postgres",
                                           status=None) == b"1\n", 60, "postgres")
    server.tool("pgbench", "-h", place, "-U", "tester", "-i", "-q", "postgres")
    os.kill(process.pid, signal.SIGINT)


harness.main(body)
