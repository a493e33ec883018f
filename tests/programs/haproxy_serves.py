"""haproxy under ab, reloaded while it serves: no request fails, old and new process end cleanly.  Its master executes
itself again in place at each reload.

haproxy 2.6.12 has a fault of its own, which ends 3 of 200 old workers without any preloaded library, too: the poller's
list of updates is released (deinit_pollers_per_thread), then the listeners that are left are closed, and when an update
was still due, _fd_delete_orphan reads the list.  A worker that dies there, and nowhere else, is excused from its last
report; last_words.c says where it died.
"""

import os
import re
import signal
import socket

import programs
from programs import harness

CONFIGURATION = """
global
  nbthread 2
  maxconn 200
  stats socket {place}/admin level admin expose-fd listeners
defaults
  mode http
  timeout connect 10s
  timeout client 30s
  timeout server 30s
frontend door
  bind 127.0.0.1:{port}
  default_backend pages
backend pages
  compression algo gzip
  compression type text/plain
  http-request set-header X-Seen %[uuid()]
  server self 127.0.0.1:{inner} check
listen page
  bind 127.0.0.1:{inner}
  http-request return status 200 content-type text/plain string "{text}"
"""


def listens_to(pid, number):
    """Whether a process has a handler for a signal and does not block it: a master that just began has not yet."""
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        sets = dict(line.split(":\t") for line in file.read().splitlines() if line.startswith("Sig"))
    bit = 1 << (number - 1)
    return int(sets["SigCgt"], 16) & bit and not int(sets["SigBlk"], 16) & bit


def excused(run, haproxy):
    """The processes that died of haproxy's own fault; no other SIGSEGV is accepted."""
    died = set()
    for pid, function, module in re.findall(rb"last words: process (\d+) dies of SIGSEGV in (\S+) of (.+)", run.stderr):
        harness.check(function == b"_fd_delete_orphan" and os.path.samefile(module, haproxy),
                      f"{run.mode}: process {pid} died of SIGSEGV in {function} of {module}")
        print(f"{run.mode}: process {int(pid)} died of haproxy's own fault in _fd_delete_orphan")
        died.add(int(pid))
    return died


def life(rig, haproxy, ab, mode, last_words):
    place = rig.directory()
    port, inner = programs.free_port(), programs.free_port()
    path = os.path.join(place, "haproxy.cfg")
    with open(path, "w", encoding="ascii") as file:
        file.write(CONFIGURATION.format(place=place, port=port, inner=inner, text="some text " * 300))
    pids = set()

    def load(*flags):
        said = programs.tool(ab, "-q", "-n", "1500", "-c", "12", *flags, f"http://127.0.0.1:{port}/").decode()
        harness.check("Failed requests:        0" in said and "Complete requests:      1500" in said
                      and "Non-2xx" not in said, said)

    def during(process):
        programs.wait_for_server(process, socket.AF_INET, ("127.0.0.1", port))
        # The master listens before it forks.
        pids.update(harness.wait_until(lambda: harness.children_of(process.pid), 60, "a first process"))
        harness.wait_until(lambda: programs.tool("curl", "-s", "-o", os.devnull, "-w", "%{http_code}", status=None,
                                                 *[f"http://127.0.0.1:{port}/"]) == b"200", 30, "a first answer")
        load("-k")
        harness.wait_until(lambda: listens_to(process.pid, signal.SIGUSR2), 60, "the master to be ready")
        os.kill(process.pid, signal.SIGUSR2)
        load()
        pids.update(harness.wait_until(lambda: set(harness.children_of(process.pid)) - pids, 60, "a new process"))
        load("-k")
        pids.add(process.pid)
        harness.wait_until(lambda: listens_to(process.pid, signal.SIGUSR2), 60, "the master to be ready")
        os.kill(process.pid, signal.SIGTERM)

    env = dict(programs.ROOMY, HEAPGAUGE_SYMBOLIZE="names", HEAPGAUGE_TERM_REPORT="on",
               LD_PRELOAD=":".join(filter(None, [rig.preload(mode), last_words])))
    return rig.run([haproxy, "-W", "-f", path], mode, env, place, during=during), pids


def body():
    wanted = programs.options(__doc__, lambda parser: parser.add_argument("--last-words", required=True))
    haproxy, ab = programs.program("haproxy"), programs.program("ab")
    programs.program("curl")
    with harness.Rig(wanted) as rig:
        bare, _ = life(rig, haproxy, ab, "bare", wanted.last_words)
        excused(bare, haproxy)
        for mode in wanted.mode:
            run, pids = life(rig, haproxy, ab, mode, wanted.last_words)
            programs.unharmed(run, status=bare.status)
            reports = harness.last_reports(run.directory)
            print(f"{mode}: processes {sorted(pids)}, reports of {sorted(reports)}, exit status {run.status}")
            # Old workers too, which a SIGTERM may have met while they ended.
            died = excused(run, haproxy)
            harness.check(mode == "default" or set(reports) | died == pids | died, f"{mode}: reports of {sorted(reports)}")


harness.main(body)
