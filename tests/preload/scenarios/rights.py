"""A host that gives rights up: nothing of ours goes on with the old ones, neither its report thread nor a helper.

The helper is one that hangs, in an installation of its own.  Looked at in /proc, against the host's first thread.
"""

import os
import shutil
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import harness

WAYS = {"libc": ("setresuid", "setuid", "setreuid", "setgid", "setgroups", "all"),
        "calls": ("bare_setresuid", "bare_setresgid", "bare_setgroups"),
        "capabilities": ("capset", "capset_in_part", "keeps_capabilities", "bounding", "no_new_privileges")}
PATIENCE_S = 60
NOBODY = 65534


def fields_of(path):
    """Those of a status file; None for what is no more."""
    try:
        with open(f"{path}/status", encoding="utf-8", errors="replace") as file:
            fields = dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)
    except (OSError, ValueError):
        return None
    return None if fields.get("State", "Z")[0] in "ZX" else fields


def rights_of(fields):
    ids = [set(fields[kind].split()[:3]) for kind in ("Uid", "Gid")]
    sets = [{bit for bit in range(64) if int(fields[kind], 16) >> bit & 1} for kind in ("CapPrm", "CapBnd")]
    return (*ids, set(fields["Groups"].split()), *sets, set() if fields["NoNewPrivs"] == "1" else {"new"})


def tasks_of(pid):
    try:
        return [f"/proc/{pid}/task/{task}" for task in os.listdir(f"/proc/{pid}/task")]
    except OSError:
        return []


def ours(host):
    """status fields of the report thread, of guardians, of helpers and what they started."""
    found = []
    for pid in [host, *harness.descendants(host)]:
        for path in tasks_of(pid):
            fields = fields_of(path)
            if fields is not None and (pid != host or fields["Name"].startswith("heapgauge")):
                found.append((path, fields))
    return found


def richer_than_host(host):
    first = fields_of(f"/proc/{host}")
    harness.check(first is not None, "the host has ended")
    given = rights_of(first)
    return [(path, fields["Name"], rights_of(fields)) for path, fields in ours(host)
            if any(not mine <= its for mine, its in zip(rights_of(fields), given))]


def wait_until(holds, what):
    deadline = time.monotonic() + PATIENCE_S
    while not (answer := holds()):
        harness.check(time.monotonic() < deadline, what() if callable(what) else what)
        time.sleep(0.01)
    return answer


def installation(rig):
    """A copy of the library with a helper that does not answer, but for those that come later."""
    top = os.path.join(rig.top, "installed")
    os.makedirs(os.path.join(top, "libexec", "heapgauge"))
    os.makedirs(os.path.join(top, "lib"))
    for name in ("libheapgauge.so", "libheapgauge-core.so"):
        shutil.copy(os.path.join(rig.lib, name), os.path.join(top, "lib", name))
    helper = os.path.join(top, "libexec", "heapgauge", "heapgauge-symbolize")
    with open(helper, "w", encoding="ascii") as file:
        file.write(f"#!/bin/sh\n[ -e {top}/hangs ] && rm {top}/hangs && exec sleep 1000\nexit 1\n")
    os.chmod(helper, 0o755)
    return top


def one(rig, top, way, moment):
    library = os.path.join(top, "lib", "libheapgauge.so")
    if moment == "reporting":
        with open(os.path.join(top, "hangs"), "w", encoding="ascii"):
            pass
    where = f"{way}, {moment}"
    victim = rig.victim("gives_up_rights")

    def during(process):
        host = process.pid
        wait_until(lambda: [1 for _, fields in ours(host) if fields["Name"] == "heapgauge"], f"{where}: no report thread")
        if moment == "reporting":
            wait_until(lambda: [1 for _, fields in ours(host) if fields["Name"] == "sleep"], f"{where}: no helper")
        process.stdin.write(b"g")
        process.stdin.flush()
        out = os.path.join(f"/proc/{host}/fd/1")
        wait_until(lambda: os.path.getsize(out) == 2, f"{where}: nothing was given up")
        wait_until(lambda: not richer_than_host(host), lambda: f"{where}: still there: {richer_than_host(host)}")
        process.stdin.close()

    run = rig.run([victim, way, moment], "exact", {"HEAPGAUGE_REPORT_INTERVAL": "1h", "HEAPGAUGE_LOG": "info"},
                  library=library, during=during, stdin=subprocess.PIPE)
    harness.check((run.status, run.stdout) == (0, b".!"), f"{where}: {run.status} {run.stdout} {run.stderr}")
    # Not because its time was over, which it is after 15 s.
    harness.check(moment != "reporting" or any("was stopped, because the program changes its rights" in line
                                               for line in run.said), f"{where}: it said {run.said}")
    # The directory, made by root or for it, has been given to the new user.
    owner = NOBODY if way in ("setresuid", "setuid", "setreuid", "all") else 0
    if owner == 0 and way not in ("setgid", "setgroups"):
        return
    harness.check(not any("is lost" in line or "end here" in line for line in run.said), f"{where}: it said {run.said}")
    found = harness.report_directories(run.directory)
    harness.check(len(found) == 1 and harness.read_reports(found[0])[-1]["final"], f"{where}: no final report")
    for path in (found[0], *(entry.path for entry in os.scandir(found[0]))):
        harness.check(os.stat(path).st_uid == owner, f"{where}: {path} is {os.stat(path).st_uid}'s")


def body():
    options = harness.arguments(__doc__, lambda parser: parser.add_argument("--what", required=True))
    if os.geteuid() != 0:
        harness.skip("needs root")
    with harness.Rig(options) as rig:
        os.chmod(rig.top, 0o711)
        top = installation(rig)
        for way in WAYS[options.what]:
            for moment in ("reporting", "idle"):
                one(rig, top, way, moment)


harness.main(body)
