"""redis, nginx and postgres pass heapgauge soak: none of them leaks under its own load generator, which says so.

Run as: python3 programs_test.py COMMAND redis|nginx|nginx_daemon|postgres
"""
import glob
import json
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile

sys.path[:0] = [os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", room) for room in ("programs", "preload")]
import nginx_configuration  # noqa: E402
import programs  # noqa: E402
from programs import harness  # noqa: E402

COMMAND = os.path.abspath(sys.argv[1])


def soak(place, load, service, *options, who=None):
    """The result of a soak that must find no leak."""
    env = {k: v for k, v in os.environ.items() if not k.startswith("HEAPGAUGE_") and k != "LD_PRELOAD"}
    argv = [COMMAND, "soak", "--duration", "40s", "--warm-up", "12s", "--reports", os.path.join(place, "soak"),
            "--load", load, *options, "--", *service]
    done = subprocess.run(argv, env=env, cwd=place, capture_output=True, text=True, timeout=400, check=False, **(who or {}))
    print(done.stdout, done.stderr)
    harness.check(done.returncode == 0, f"exit status {done.returncode}")
    with open(os.path.join(place, "soak", "soak.json"), encoding="utf-8") as file:
        result = json.load(file)
    harness.check(result["verdict"] == "no leak" and result["would_have_seen"], result)
    return result


def redis(place):
    server, client = programs.program("redis-server"), programs.program("redis-benchmark")
    socket = os.path.join(place, "s")
    result = soak(place, f"{client} -s {socket} -n 20000 -c 8 -r 2000 -t set,get,lpush,lpop", [
        server, "--port", "0", "--unixsocket", socket, "--save", "", "--dir", place])
    harness.check(result["load_runs"] > 0, "no LOAD came to its end")
    harness.check(result["requests"] > 20000, f"what redis-benchmark says is not understood: {result['requests']}")


def nginx(place, daemon=False):
    server, client = programs.program("nginx"), programs.program("ab")
    port = nginx_configuration.prepare(place)
    configuration = os.path.join(place, "nginx.conf")
    if daemon:
        with open(configuration, encoding="ascii") as file:
            text = file.read()
        with open(configuration, "w", encoding="ascii") as file:
            file.write(text.replace("daemon off;", ""))
    result = soak(place, f"{client} -q -n 4000 -c 8 http://127.0.0.1:{port}/page.html", [
        server, "-p", place, "-c", configuration], "--wait-port", str(port))
    harness.check(result["requests"], "what ab says is not understood")
    # Its two workers, apart.
    harness.check(len(result["processes"]) >= 2, result["processes"])
    harness.check(any("background" in note for note in result["notes"]) == daemon, result["notes"])


def postgres(place):
    found = sorted(glob.glob("/usr/lib/postgresql/*/bin/postgres"))
    if not found:
        harness.skip("postgres is not installed")
    binaries = os.path.dirname(found[-1])
    who = {}
    if os.geteuid() == 0:  # it refuses to run as root
        try:
            user = pwd.getpwnam("postgres")
        except KeyError:
            harness.skip("there is no user postgres")
        os.chown(place, user.pw_uid, user.pw_gid)
        who = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
        if subprocess.run(["test", "-x", COMMAND], check=False, **who).returncode != 0:
            harness.skip("the user postgres may not run the command under test")
    data = os.path.join(place, "data")
    tool = lambda name, *argv: programs.tool(os.path.join(binaries, name), *argv, cwd="/", **who)  # noqa: E731
    tool("initdb", "-D", data, "-A", "trust", "-U", "tester", "--no-sync")
    connection = f"-h {place} -U tester"
    bench = os.path.join(binaries, "pgbench")
    first = f"test -e {place}/made || {{ {bench} {connection} -i -q postgres && touch {place}/made; }}"
    result = soak(place, f"{first}; {bench} {connection} -c 4 -T 60 postgres",
                  [os.path.join(binaries, "postgres"), "-D", data, "-k", place, "-h", ""],
                  "--wait-command", f"{os.path.join(binaries, 'pg_isready')} -h {place} -q", who=who)
    harness.check(len(result["processes"]) >= 4, result["processes"])


def main():
    what = sys.argv[2]
    place = tempfile.mkdtemp(prefix="heapgauge_soak.", dir="/tmp")
    os.chmod(place, 0o755)
    try:
        {"redis": redis, "nginx": nginx, "nginx_daemon": lambda p: nginx(p, True), "postgres": postgres}[what](place)
    finally:
        shutil.rmtree(place, ignore_errors=True)


if __name__ == "__main__":
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    main()
