"""Children of a tracked process: a short one is a line in its root's children.jsonl and leaves nothing else; one that lives
on has its directory below the root's; HEAPGAUGE_CHILDREN=full gives each its own.  `heapgauge report` sums the lines up."""

import json
import os
import stat
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import harness

ALLOCATED = 2 << 20
LIVE = 1 << 20
SETTINGS = {**harness.NAMES_ONLY, "HEAPGAUGE_CHILDREN": None}  # the default
KEYS = {"pid", "exe", "lifetime_s", "live_bytes", "allocated_bytes", "verdict", "exit", "callsite"}


def lines_of(directory):
    path = os.path.join(directory, "children.jsonl")
    with open(path, "rb") as file:
        content = file.read()
    harness.check(content.endswith(b"\n") and stat.S_IMODE(os.stat(path).st_mode) == 0o600, "a torn or open file")
    lines = [json.loads(line) for line in content.splitlines()]
    for line in lines:
        harness.check(set(line) == KEYS, f"keys {sorted(line)}")
    return lines


def directories(run):
    return sorted(os.path.relpath(path, run.directory) for path, _, files in os.walk(run.directory)
                  if {"reports.jsonl", "children.jsonl"} & set(files))


def start(rig, mode, *argv, env=None, **more):
    victim = os.path.realpath(rig.victim("has_children"))
    run = rig.run([victim, *argv], mode, {**SETTINGS, **(env or {})}, **more)
    harness.check(run.status == 0 and run.said == [] and run.stderr == b"", f"{argv}: {run.status} {run.said} {run.stderr}")
    return run, victim


def check_lines(lines, statuses, victim, mode):
    harness.check(sorted(line["exit"] for line in lines) == sorted(statuses), [line["exit"] for line in lines])
    harness.check(len({line["pid"] for line in lines}) == len(lines), "pids")
    for line in lines:
        harness.check(line["exe"] == victim and 0 <= line["lifetime_s"] < 60, f"{line}")
        harness.check(line["callsite"]["module"] == victim and line["callsite"]["offset"] > 0, f"{line}")
        harness.check(line["verdict"] == "warming", f"{line}")
        if mode == "exact":
            # To the byte, but for what the C library allocates for itself around fork and exit.
            harness.check(0 <= line["allocated_bytes"] - ALLOCATED < 65536, f"{line}")
            harness.check(0 <= line["live_bytes"] - LIVE < 65536 and line["callsite"]["live_bytes"] == LIVE, f"{line}")


def short(rig):
    """Forked, one after the other and together, and their own children: lines, one directory, exact figures."""
    for what, count, statuses in (("short", 12, range(12)), ("at_once", 40, range(40)),
                                  ("nested", 5, [*range(5), *range(100, 105)])):
        for mode in ("exact", "4KiB"):
            run, victim = start(rig, mode, what, str(count))
            found = directories(run)
            harness.check(len(found) == 1, f"{what}: {found}")
            check_lines(lines_of(os.path.join(run.directory, found[0])), statuses, victim, mode)
            (report,) = harness.read_reports(os.path.join(run.directory, found[0]))
            harness.check(report["final"], "the parent's own report")


def estimates(rig):
    """At the default interval a child's figures are estimates, each child's its own: together they come near the truth."""
    run, _ = start(rig, "default", "short", "300")
    lines = lines_of(os.path.join(run.directory, directories(run)[0]))
    harness.check(270 <= len(lines) <= 300, f"{len(lines)} lines of 300 children")  # 2 % have no sample
    total = sum(line["allocated_bytes"] for line in lines)
    # A sample in four stands for 2 MiB: a standard deviation of some 1.7 MiB a child at the most.
    harness.check(abs(total - 300 * ALLOCATED) < 6 * 300 ** 0.5 * 1.7 * 2 ** 20, f"{total}, not {300 * ALLOCATED}")
    harness.check(len({line["allocated_bytes"] for line in lines}) > 2, "siblings take the same samples")


def execs(rig):
    """What exec and posix_spawn make is a child, too, wherever it works; also where the parent has no report yet."""
    for what, how in (("exec", None), ("spawn", None), ("exec", "out.%e.%p"), ("spawn", "fixed"), ("exec", "fixed")):
        place = rig.directory()
        env = {"HEAPGAUGE_OUTPUT": how} if how is not None else {}
        run, victim = start(rig, "exact", what, "6", env=env, directory=place)
        found = directories(run)
        harness.check(len(found) == 1, f"{what} {how}: {found}")
        check_lines(lines_of(os.path.join(place, found[0])), range(6), victim, "exact")
        harness.check(harness.read_reports(os.path.join(place, found[0]))[-1]["final"], "the parent's report")
    # Through a shell in which nothing is sampled: it is the root all the same.
    victim = os.path.realpath(rig.victim("has_children"))
    run = rig.run(["sh", "-c", f"{victim} self 3; {victim} short 2; :"], "4KiB", SETTINGS)
    found = directories(run)
    harness.check(len(found) == 1 and len(lines_of(os.path.join(run.directory, found[0]))) == 4, f"{found}")


def stays(rig):
    """A child that lives on reports below its parent's directory, periodically and at its end."""
    place = rig.directory()
    env = {"HEAPGAUGE_REPORT_INTERVAL": "300ms"}

    def during(process):
        def there():
            process.stdin.write(b"x")
            process.stdin.flush()
            return [path for path, _, files in os.walk(place) if "reports.jsonl" in files and path.count("has_children") == 2
                    and harness.lines_in(os.path.join(path, "reports.jsonl")) >= 2]
        deadline = time.monotonic() + 30
        while not there():
            harness.check(time.monotonic() < deadline, "a child that stays does not report")
            time.sleep(0.02)
        process.stdin.close()

    run, _ = start(rig, "4KiB", "stays", env=env, directory=place, during=during, stdin=subprocess.PIPE)
    below = [path for path in directories(run) if path.count("/") == 1]
    harness.check(len(below) == 1, f"{directories(run)}")
    parent, name = below[0].split("/")
    reports = harness.read_reports(os.path.join(place, below[0]))
    harness.check(name == f"has_children.{reports[0]['pid']}", name)
    harness.check(reports[-1]["final"] and reports[0]["sequence"] == 1, "the child's reports")
    harness.check(not os.path.exists(os.path.join(place, parent, "children.jsonl")), "a line of a child that stayed")


def ends(rig):
    """Other ends: quick_exit tells no status; who may not write to its root's directory has it under $TMPDIR; an orphan
    whose root never reported is a process of its own."""
    run, victim = start(rig, "exact", "quick", "3")
    (found,) = directories(run)
    harness.check([line["exit"] for line in lines_of(os.path.join(run.directory, found))] == [None] * 3, "quick_exit")
    run, victim = start(rig, "exact", "orphan", "1")
    (found,) = directories(run)
    (report,) = harness.read_reports(os.path.join(run.directory, found))
    harness.check(report["final"] and found == f"out.has_children.{report['pid']}", found)
    if os.geteuid() == 0:
        place = rig.directory()
        os.chmod(rig.top, 0o755)
        os.chmod(place, 0o755)
        temporary = os.path.join(place, "tmp")
        os.mkdir(temporary)
        os.chmod(temporary, 0o1777)
        run, victim = start(rig, "exact", "nobody", "4", env={"TMPDIR": temporary}, directory=place)
        (found,) = [path for path in directories(run) if path.startswith("tmp/")]
        lines = lines_of(os.path.join(place, found))
        check_lines(lines, range(4), victim, "exact")
        harness.check(os.stat(os.path.join(place, found)).st_uid == 65534, "whose it is")


def full(rig):
    """HEAPGAUGE_CHILDREN=full: a directory for each, as its name and pid say."""
    run, _ = start(rig, "4KiB", "short", "5", env={"HEAPGAUGE_CHILDREN": "full"})
    found = directories(run)
    harness.check(len(found) == 6 and all("/" not in path for path in found), f"{found}")


def hostile(rig):
    """children.jsonl is a link, a pipe or full, or its directory is replaced by a link: the child ends as ever."""
    for kind in ("link", "pipe", "directory"):
        place = rig.directory()
        output = os.path.join(place, "out")
        os.mkdir(output, 0o700)
        target = os.path.join(place, "precious")
        with open(target, "w", encoding="ascii") as file:
            file.write("precious\n")
        path = os.path.join(output, "children.jsonl")
        {"link": lambda: os.symlink(target, path), "pipe": lambda: os.mkfifo(path), "directory": lambda: os.mkdir(path)}[kind]()
        start(rig, "exact", "short", "3", env={"HEAPGAUGE_OUTPUT": output}, directory=place)
        with open(target, encoding="ascii") as file:
            harness.check(file.read() == "precious\n", "written through a link")
    # Half-way the directory, which the parent has looked up for its children, is another one.
    place = rig.directory()
    output, elsewhere = os.path.join(place, "out"), os.path.join(place, "elsewhere")
    for directory in (output, elsewhere):
        os.mkdir(directory, 0o700)
    run = rig.run([rig.victim("has_children"), "moved", "24", output, elsewhere], "exact",
                  {**SETTINGS, "HEAPGAUGE_OUTPUT": output}, directory=place)
    harness.check(run.status == 0, f"moved: {run.status} {run.stderr}")
    harness.check(os.listdir(elsewhere) == [], f"written behind a link: {os.listdir(elsewhere)}")
    harness.check(len(lines_of(output + ".moved")) == 12, "the first twelve children's lines")
    # Full: rotated once, by one of many, and no line is lost.
    place = rig.directory()
    output = os.path.join(place, "out")
    os.mkdir(output, 0o700)
    path = os.path.join(output, "children.jsonl")
    with open(path, "wb") as file:
        file.truncate((64 << 20) - 1)
        file.seek(0, os.SEEK_END)
        file.write(b"\n")
    os.chmod(path, 0o600)
    start(rig, "exact", "at_once", "30", env={"HEAPGAUGE_OUTPUT": output}, directory=place)
    fresh = lines_of(output)
    with open(path + ".1", "rb") as file:
        file.seek(64 << 20)
        late = file.read().splitlines()
    harness.check(len(fresh) + len(late) == 30 and len(fresh) > 0, f"{len(fresh)} and {len(late)} lines of 30")


def reported(rig, command):
    """`heapgauge report` and `heapgauge run` know them."""
    run, victim = start(rig, "4KiB", "short", "7")
    path = os.path.join(run.directory, directories(run)[0])
    shown = subprocess.run([command, "report", path], check=True, stdout=subprocess.PIPE, timeout=60).stdout.decode()
    harness.check("Short-lived children: 7," in shown and "has_children: 7," in shown and "most at work (" in shown, shown)
    summed = json.loads(subprocess.run([command, "report", path, "--format", "json"], check=True, stdout=subprocess.PIPE,
                                       timeout=60).stdout)
    children = summed["children"]
    harness.check(children["count"] == 7 and children["programs"][0]["exe"] == victim, f"{children}")
    harness.check(children["programs"][0]["callsite"]["function"] == "work" and children["programs"][0]["failed"] == 6,
                  f"{children}")
    harness.check(summed["schema"] == "heapgauge.report/1" and summed["sequence"] == 1, "the report itself")
    # `run`: below its directory, whatever their working directory; its last line says how many.
    place = rig.directory()
    environment = rig.environment("bare", place)
    done = subprocess.run([command, "run", "--sample-interval", "4KiB", "--symbolize", "names", "--output", "here", "--",
                           victim, "exec", "4"], check=False, cwd=place, env=environment, timeout=60,
                          stderr=subprocess.PIPE)
    last = done.stderr.decode().splitlines()[-1]
    harness.check(done.returncode == 0 and "here/report.txt" in last and "4 short-lived children" in last, last)
    harness.check(len(lines_of(os.path.join(place, "here"))) == 4, "the lines of a run")
    harness.check(sorted(os.listdir(place)) == ["here"], f"{os.listdir(place)}")
    harness.check("owner" not in os.listdir(os.path.join(place, "here")), "the owner's name stays")
    # Several runs of one name at once: each has its directory, and says which, and its own children.
    place = rig.directory()
    reader, writer = os.pipe()
    runs = [subprocess.Popen([command, "run", "--sample-interval", "4KiB", "--symbolize", "names", "--output", "same/", "--",
                              "bash", "-c", f"echo; read; {victim} short {number}; :"], cwd=place, stdin=reader,
                             env=rig.environment("bare", place), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            for number in range(1, 7)]
    os.close(reader)
    for run in runs:
        harness.check(run.stdout.read(1) == b"\n", "it does not begin")
    os.close(writer)
    said = [run.communicate(timeout=60)[1].decode().splitlines()[-1] for run in runs]
    own = {line.partition("report: ")[2].partition("/report.txt")[0] for line in said}
    harness.check(len(own) == 6 and own == set(os.listdir(place)), f"{said} {os.listdir(place)}")
    for number, line in enumerate(said, 1):
        path = os.path.join(place, line.partition("report: ")[2].partition("/report.txt")[0])
        harness.check(len(harness.read_reports(path)) == 1 and len(lines_of(path)) == number + 1, line)
    # One after the other: the same directory, and each its own children.
    for number in (2, 3):
        done = subprocess.run([command, "run", "--sample-interval", "4KiB", "--output", "same", "--", victim, "short",
                               str(number)], check=True, cwd=place, env=rig.environment("bare", place),
                              stderr=subprocess.PIPE)
        harness.check(f"report: same/report.txt (with {number} short-lived children)".encode() in done.stderr, done.stderr)


def body():
    def extra(parser):
        parser.add_argument("--what", required=True)
        parser.add_argument("--command", default="")

    options = harness.arguments(__doc__, extra)
    with harness.Rig(options) as rig:
        if options.what == "reported":
            reported(rig, options.command)
        else:
            globals()[options.what](rig)


harness.main(body)
