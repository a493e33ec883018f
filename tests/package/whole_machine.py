#!/usr/bin/env python3
"""The library in /etc/ld.so.preload, in front of every program of a machine: those that /etc/heapgauge-preload.conf names
are tracked, all others are as they were, whatever becomes of the file.  The machine is a copy of /etc in a mount namespace of
this test's own.

  whole_machine.py LIBRARY PROGRAM CONF_AS_SHIPPED DIRECTORY
"""
import json
import os
import pty
import shutil
import subprocess
import sys

VICTIM = {"VICTIM_UNCHECKED": "yes"}  # of PROGRAM, a victim of tests/preload
PRELOAD, CONF = "/etc/ld.so.preload", "/etc/heapgauge-preload.conf"


def fail(text):
    sys.exit(f"FAIL: {text}")


def enter():
    """Once more, inside a mount namespace whose /etc is a copy."""
    if os.environ.get("WHOLE_MACHINE") == "inside":
        return
    enters = ["unshare", "-m"] if os.geteuid() == 0 else ["unshare", "-rm"]
    if subprocess.run(enters + ["true"], stderr=subprocess.DEVNULL, check=False).returncode != 0:
        print("SKIP: no mount namespace to be had")
        sys.exit(77)
    os.execvpe(enters[0], enters + [sys.executable] + sys.argv, dict(os.environ, WHOLE_MACHINE="inside"))


def put(path, text, mode=0o644):
    with open(path, "wb") as file:
        file.write(text.encode() if isinstance(text, str) else text)
    os.chmod(path, mode)


def remove(path):
    if os.path.isdir(path):
        os.rmdir(path)
    elif os.path.lexists(path):
        os.remove(path)


def run(command, **more):
    environment = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "LC_ALL": "C", **VICTIM}
    environment.update(more.pop("environment", {}))
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment,
                          timeout=60, check=False, **more)
    return done.returncode, done.stdout, done.stderr


def tracked(directory):
    """The executables that reported, and no report is left."""
    names = sorted(name.rpartition(".")[0] for name in os.listdir(directory))
    for name in os.listdir(directory):
        shutil.rmtree(os.path.join(directory, name))
    return names


def on_terminal(command):
    """What a program says on a terminal."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.execv(command[0], command)
    said = b""
    while True:
        try:
            piece = os.read(terminal, 4096)
        except OSError:
            break
        if not piece:
            break
        said += piece
    os.close(terminal)
    return os.waitpid(pid, 0)[1], said.decode().replace("\r\n", "\n")


def main():
    library, program, shipped, directory = sys.argv[1:]
    enter()
    shutil.rmtree(directory, ignore_errors=True)
    VICTIM["VICTIM_TRUTH"] = os.path.join(directory, "truth")
    os.environ.update(VICTIM)  # on the terminal, too
    reports = os.path.join(directory, "reports")
    os.makedirs(reports)
    copy = os.path.join(directory, "etc")
    shutil.copytree("/etc", copy, symlinks=True, ignore=shutil.ignore_patterns("alternatives", "ssl"))
    subprocess.run(["mount", "--bind", copy, "/etc"], check=True)

    others = [["/bin/bash", "-c", "cat /proc/self/maps | grep -c heapgauge-core; cd / && for i in 1 2; do ls -d /usr; done"],
              ["/usr/bin/perl", "-e", "fork // die; print $$ > 1, qq(\\n)"], ["/bin/false"],
              ["/usr/bin/dpkg-query", "-W", "dpkg"], [sys.executable, "-c", "import os; print(len(os.listdir('/proc/self/fd')))"],
              ["/bin/sh", "-c", "printenv | grep -v '^_=' | sort; kill -9 $$"]]
    exact = {"HEAPGAUGE_SAMPLE_INTERVAL": "1"}
    bare = [run(command, environment=exact) for command in others]
    put(CONF, f"HEAPGAUGE_OUTPUT={reports}/%e.%p\nHEAPGAUGE_SAMPLE_INTERVAL=1\n{program}\n")
    put(PRELOAD, library + "\n")

    def untouched(what):
        for command, before in zip(others, bare):
            after = run(command, environment=exact)
            if after != before:
                fail(f"{what}: {command} is not as before: {before} and now {after}")
        if tracked(reports):
            fail(f"{what}: others were tracked")

    # Named: tracked, with the file's settings, and by its path alone.
    status, _, said = run([program])
    if status != 0 or said or tracked(reports) != [os.path.basename(program)]:
        fail(f"{program} is named and not tracked: {status} {said}")
    untouched("one program is named")
    twin = os.path.join(directory, "twin")
    shutil.copy(program, twin)
    run([twin])
    if tracked(reports):
        fail("a copy elsewhere is tracked")
    # The program's own environment goes before the file's settings; LD_PRELOAD before the file's choice.
    run([program], environment={"HEAPGAUGE_SERVICE": "own", "HEAPGAUGE_OUTPUT": reports + "/own.%p"})
    if tracked(reports) != ["own"]:
        fail("the environment does not go before the file")
    run([twin], environment={"LD_PRELOAD": library, "HEAPGAUGE_OUTPUT": reports + "/asked.%p", **exact})
    if tracked(reports) != ["asked"]:
        fail("LD_PRELOAD does not go before the file")
    # By name, without what is left out.
    put(CONF, f"HEAPGAUGE_OUTPUT={reports}/%e.%p\nHEAPGAUGE_SAMPLE_INTERVAL=1\n{os.path.basename(program)}\ntwi?\n!*/twin\n")
    run([twin])
    run([program])
    if tracked(reports) != [os.path.basename(program)]:
        fail("names and exclusions are not as written")

    # As shipped nobody is named.
    shutil.copy(shipped, CONF)
    run([program])
    untouched("the file as it is shipped")
    if os.path.exists("/var/log/heapgauge") and os.listdir("/var/log/heapgauge"):
        fail("the file as shipped tracks something")

    # A file that is no good chooses nobody, and says so on a terminal alone.
    good = f"HEAPGAUGE_OUTPUT={reports}/%e.%p\n*\n"
    spoilt = {"too long": lambda: put(CONF, good + "#\n" * 40000), "a long line": lambda: put(CONF, good + "x" * 5000),
              "writable by all": lambda: put(CONF, good, 0o666), "no text": lambda: put(CONF, good.encode() + b"\xff\0\n"),
              "a directory": lambda: os.mkdir(CONF), "a FIFO": lambda: os.mkfifo(CONF),
              "a socket's link": lambda: os.symlink("/dev/zero", CONF), "a loop": lambda: os.symlink(CONF, CONF)}
    if os.geteuid() == 0 and run(["chown", "1", twin])[0] == 0:
        spoilt["somebody else's"] = lambda: (put(CONF, good), os.chown(CONF, 1, 1))
    for what, spoil in spoilt.items():
        remove(CONF)
        spoil()
        untouched(what)
        status, said = on_terminal([program])
        lines = [line for line in said.splitlines() if line.startswith("heapgauge: ")]
        if status != 0 or len(lines) != 1 or CONF not in lines[0]:
            fail(f"{what}: on a terminal: {status} {said!r}")
    remove(CONF)
    put(CONF, good + "[\n[!\n" + "*a" * 400 + "b\n\\\n!\n")
    status, _, said = run([program], environment=exact)
    if status != 0 or said or tracked(reports) != [os.path.basename(program)]:
        fail(f"odd globs: {status} {said}")
    # What a report says of itself is whole.
    run([program], environment=exact)
    name = os.listdir(reports)[0]
    with open(os.path.join(reports, name, "reports.jsonl"), encoding="utf-8") as file:
        if json.loads(file.readlines()[-1])["schema"] != "heapgauge.report/1":
            fail("no report")


main()
