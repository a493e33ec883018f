"""BGSAVE's child, which lives for some report intervals: it reports where children are followed, is silent where
they are not, writes the same file, and its parent serves on meanwhile."""

import os
import time

import programs
import redis_server
from programs import harness

KEYS = 3000


def life(rig, mode, follow):
    place = rig.directory()
    # Microseconds that the child waits at each key; it is there for seconds.
    server = redis_server.Redis(place, "--rdb-key-save-delay", "300")
    pids = {}

    def during(process):
        server.wait(process)
        server.script([f"SET key:{i} {'v' * 200}" for i in range(KEYS)])
        server.say("BGSAVE")
        pids["parent"] = process.pid
        pids["child"] = harness.wait_until(lambda: own_children(process.pid), 10, "BGSAVE's child")
        answered = 0
        while server.info("persistence", "rdb_bgsave_in_progress") == "1":
            server.script([f"SET key:{i} {'w' * 300}" for i in range(100)])
            answered += 1
            time.sleep(0.1)
        harness.check(answered > 0, "the child had gone before the parent served")
        harness.check(server.info("persistence", "rdb_last_bgsave_status") == "ok", "BGSAVE failed")
        server.shutdown("NOSAVE")

    def own_children(pid):
        # A helper that makes symbols is no fork of redis; with names there is none.
        return harness.children_of(pid)

    env = dict(programs.ROOMY, HEAPGAUGE_SYMBOLIZE="names", HEAPGAUGE_REPORT_INTERVAL="100ms", HEAPGAUGE_FOLLOW=follow)
    run = rig.run(server.argv(), mode, env, place, during=during)
    programs.unharmed(run)
    harness.check(len(pids["child"]) == 1, f"redis has children {pids['child']}")
    with open(os.path.join(place, "dump.rdb"), "rb") as file:
        harness.check(file.read(5) == b"REDIS", "no dump")
    return harness.last_reports(place), pids["parent"], pids["child"][0]


def body():
    wanted = programs.options(__doc__)
    with harness.Rig(wanted) as rig:
        life(rig, "bare", "none")
        for mode, follow in (("4KiB", "none"), ("4KiB", "fork"), ("4KiB", "exec"), ("exact", "exec")):
            reports, parent, child = life(rig, mode, follow)
            expected = {parent} if follow == "none" else {parent, child}
            harness.check(set(reports) == expected, f"{mode}, {follow}: reports of {sorted(reports)}, redis is "
                          f"{parent} and its child {child}")


harness.main(body)
