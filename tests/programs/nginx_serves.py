"""nginx with two workers under load, reloaded and ended in the midst of it: no request fails, every file arrives whole,
the master ends cleanly, and each worker that ever was has a report."""

import contextlib
import hashlib
import os
import re
import signal
import socket
import urllib.request

import nginx_configuration
import programs
from programs import harness

def fetched(port, path):
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers={"Accept-Encoding": "gzip"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return answer.status, answer.headers.get("Content-Encoding"), hashlib.sha256(answer.read()).hexdigest()


def load(ab, port, *ways):
    """Some thousand requests, none of which may fail."""
    for flags in ways:
        said = programs.tool(ab, "-q", "-n", "2500", "-c", "16", *flags,
                             f"http://127.0.0.1:{port}/page.html").decode()
        for line in ("Complete requests:      2500", "Failed requests:        0"):
            harness.check(line in said, f"not {line!r} but:\n{said}")
        harness.check("Non-2xx" not in said, said)


def life(rig, mode, nginx, ab):
    place = rig.directory()
    port = nginx_configuration.prepare(place)
    workers = set()
    answers = []

    def during(process):
        programs.wait_for_server(process, socket.AF_INET, ("127.0.0.1", port))
        workers.update(harness.wait_until(lambda: two_workers(process.pid, set()), 30, "two workers"))
        answers.extend(fetched(port, path) for path in ("/page.html", "/image.bin", "/through/page.html"))
        load(ab, port, [], ["-k"])
        os.kill(process.pid, signal.SIGHUP)
        # Old workers end kept connections where they stand, bare too.
        load(ab, port, [])
        # The old ones leave when their connections are done.
        workers.update(harness.wait_until(lambda: two_workers(process.pid, workers), 30, "new workers after SIGHUP"))
        load(ab, port, ["-k"])
        answers.extend(fetched(port, path) for path in ("/page.html", "/image.bin", "/through/page.html"))
        os.kill(process.pid, signal.SIGQUIT)

    def two_workers(master, before):
        found = set(harness.children_of(master))
        return found if len(found) == 2 and not found & before else None

    env = dict(programs.ROOMY, HEAPGAUGE_SYMBOLIZE="names")
    run = rig.run([nginx, "-p", place, "-c", os.path.join(place, "nginx.conf")], mode, env, place, during=during)
    programs.unharmed(run)
    with contextlib.suppress(OSError), open(os.path.join(place, "error.log"), encoding="utf-8") as file:
        bad = re.findall(r".*\[(?:warn|error|crit|alert|emerg)\].*", file.read())
        harness.check(not bad, f"{mode}: nginx says {bad}")
    return answers, workers, run


def body():
    wanted = programs.options(__doc__)
    nginx, ab = programs.program("nginx"), programs.program("ab")
    with harness.Rig(wanted) as rig:
        expected, _, _ = life(rig, "bare", nginx, ab)
        for mode in wanted.mode:
            answers, workers, run = life(rig, mode, nginx, ab)
            harness.check(answers == expected, f"{mode}: it answers {answers}\nbare: {expected}")
            reports = harness.last_reports(run.directory)
            print(f"{mode}: workers {sorted(workers)}, reports of {sorted(reports)}")
            if mode == "default":
                continue  # a worker may have allocated less than is ever sampled
            for pid in workers:
                report = programs.report_of(run, pid)
                names = programs.functions(report)
                harness.check("ngx_worker_process_cycle" in names or "ngx_alloc" in names or "main" in names,
                              f"{mode}: worker {pid} has {sorted(names)}")


harness.main(body)
