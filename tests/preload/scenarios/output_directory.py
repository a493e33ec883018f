"""Report directories that can't be made, are not ours, vanish, or are full: the host never notices, one line says what
happened, nothing already written is lost, and the next report is tried."""

import os
import stat
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import harness


def body():
    options = harness.arguments(__doc__, lambda parser: parser.add_argument("--what", required=True))
    with harness.Rig(options, settings=harness.NAMES_ONLY) as rig:
        globals()[options.what](rig)


def run(rig, expected_lines, output, mode="exact", env=None, directory=None, argument="plain", during=None):
    """The reporting victim, with HEAPGAUGE_OUTPUT set; behaves as it does bare."""
    victim = os.path.realpath(rig.victim("reporting"))
    bare = rig.run([victim, argument], "bare", env)
    result = rig.run([victim, argument], mode, {"HEAPGAUGE_OUTPUT": output, **(env or {})}, directory, during=during)
    harness.same_behaviour(bare, result, expected_lines)
    return result


def count(path):
    return len(harness.read_reports(path))


def unusable(rig):
    """Below a file, below /proc, with a name that is too long: reports go under $TMPDIR, and a line says so."""
    directory = rig.directory()
    blocked = os.path.join(directory, "file")
    with open(blocked, "w", encoding="ascii"):
        pass
    for number, output in enumerate((f"{blocked}/reports", "/proc/heapgauge/reports", "/dev/null/reports",
                                     f"{directory}/{'x' * 300}")):
        fallback = os.path.join(directory, f"tmp{number}")
        os.mkdir(fallback, 0o700)
        expected = ["reports go to"] if number < 3 else ["is lost"]
        run(rig, expected, output, env={"TMPDIR": fallback})
        if number < 3:
            harness.check(count(os.path.join(fallback, "reports")) == 3, f"{output}: no reports in the fallback")
    # No TMPDIR either: everything is lost, once said, and the host is as before.
    run(rig, ["is lost"], f"{blocked}/reports", env={"TMPDIR": f"{blocked}/none"})


def read_only(rig):
    """A read-only file system."""
    if os.geteuid() != 0:
        harness.skip("needs root to mount")
    directory = rig.directory()
    mounted = os.path.join(directory, "mounted")
    os.mkdir(mounted)
    with mounts(["mount", "-t", "tmpfs", "-o", "ro", "none", mounted], mounted):
        result = run(rig, ["reports go to"], f"{mounted}/reports", env={"TMPDIR": directory})
    harness.check(result.status == 0 and count(os.path.join(directory, "reports")) == 3, "no reports in the fallback")


class mounts:
    """A mount for the length of a scope; skips where it is not allowed."""

    def __init__(self, command, where):
        self.command = command
        self.where = where

    def __enter__(self):
        done = subprocess.run(self.command, check=False, stderr=subprocess.PIPE)
        if done.returncode != 0:
            harness.skip(f"can't mount: {done.stderr.decode().strip()}")

    def __exit__(self, *_):
        subprocess.run(["umount", "-l", self.where], check=True)


def full(rig):
    """A disk that fills up between two reports and is freed again: the one in between is lost and counted."""
    if os.geteuid() != 0:
        harness.skip("needs root to mount")
    mounted = os.path.join(rig.directory(), "mounted")
    os.mkdir(mounted)
    with mounts(["mount", "-t", "tmpfs", "-o", "size=256k", "none", mounted], mounted):
        output = os.path.join(mounted, "reports")

        def fill_and_free(process):
            first_report(output)
            filler = os.path.join(mounted, "filler")
            with open(filler, "wb", buffering=0) as file:
                try:
                    while True:
                        file.write(bytes(1024))
                except OSError:
                    pass
            answer(process, b"1")  # a report that finds no room
            harness.check(asked(process) == "4", "the report on the full disk succeeded")
            # What was there is still whole.
            harness.check(count(output) == 1, "the full disk damaged reports.jsonl")
            os.unlink(filler)
            answer(process, b"2")
            harness.check(asked(process) == "0", "the report after it failed")
            answer(process, b"0")

        victim = os.path.realpath(rig.victim("reporting"))
        result = rig.run([victim, "asked"], "exact", {"HEAPGAUGE_OUTPUT": output}, during=fill_and_free,
                         stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        harness.check(result.status == 0, f"exit status {result.status}")
        harness.said_as_expected(result, ["No space left"])
        reports = harness.read_reports(output)
        harness.check([report["sampling"]["reports_failed"] for report in reports] == [0, 1, 1],
                      f"reports_failed: {[report['sampling']['reports_failed'] for report in reports]}")
        left = {name for name in os.listdir(output) if name.startswith(".")}
        harness.check(not left, f"left behind: {left}")


def first_report(output):
    """All of it: the profile is the last file of a report."""
    harness.wait_until(lambda: os.path.exists(os.path.join(output, "heap.pb.gz")), 60, "the first report")


def answer(process, text):
    process.stdin.write(text)
    process.stdin.flush()


def asked(process):
    return process.stdout.readline().decode().strip()


def vanishing(rig):
    """The directory is removed while the program runs: the next report makes it again."""
    output = os.path.join(rig.directory(), "reports")

    def remove(process):
        first_report(output)
        subprocess.run(["rm", "-rf", output], check=True)
        answer(process, b"1")
        harness.check(asked(process) == "0", "no report after the directory was removed")
        harness.check(count(output) == 1, "the directory was not made again")
        answer(process, b"0")

    victim = os.path.realpath(rig.victim("reporting"))
    result = rig.run([victim, "asked"], "exact", {"HEAPGAUGE_OUTPUT": output}, during=remove,
                     stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    harness.check(result.status == 0 and not result.said, f"{result.status} {result.said}")
    harness.check(harness.read_reports(output)[-1]["final"], "no final report")


def torn_line(rig):
    """A reports.jsonl that ends in half a line (a crash, a power cut): whole lines stay, the half one goes."""
    output = os.path.join(rig.directory(), "reports")
    run(rig, [], output)
    path = os.path.join(output, "reports.jsonl")
    with open(path, "rb") as file:
        before = file.read()
    with open(path, "ab") as file:
        file.write(b'{"schema":"heapgauge.report/1","seq')
    run(rig, [], output)
    with open(path, "rb") as file:
        after = file.read()
    harness.check(after.startswith(before), "reports written before are gone")
    lines = [line for line in after.splitlines() if b'"final"' in line]
    harness.check(len(lines) == 6 and after.count(b"\n") == 6, f"{len(lines)} whole lines, not 6")


def hostile(rig):
    """Links, pipes and foreign files where ours should be: never followed, never written, never waited for."""
    precious = os.path.join(rig.directory(), "precious")
    for name in ("reports.jsonl", "report.txt", "heap.pb.gz"):
        directory = rig.directory()
        output = os.path.join(directory, "reports")
        os.mkdir(output, 0o700)
        with open(precious, "w", encoding="ascii") as file:
            file.write("precious\n")
        os.symlink(precious, os.path.join(output, name))
        lines = ["Too many levels"] if name == "reports.jsonl" else []  # the others are replaced, link and all
        run(rig, lines, output)
        with open(precious, encoding="ascii") as file:
            harness.check(file.read() == "precious\n", f"{name}: written through a symbolic link")
    # The directory itself a link; other people's, or open to them.
    directory = rig.directory()
    os.mkdir(os.path.join(directory, "elsewhere"), 0o700)
    os.symlink(os.path.join(directory, "elsewhere"), os.path.join(directory, "reports"))
    run(rig, ["symbolic link"], os.path.join(directory, "reports"), env={"TMPDIR": directory + "/none"})
    harness.check(not os.listdir(os.path.join(directory, "elsewhere")), "written through a linked directory")
    open_to_all = os.path.join(directory, "open")
    os.mkdir(open_to_all)
    os.chmod(open_to_all, 0o777)
    run(rig, ["written to by other users"], open_to_all, env={"TMPDIR": directory + "/none"})
    harness.check(not os.listdir(open_to_all), "written into a directory that others may change")
    # A pipe without a reader would block whoever opens it for writing.
    pipes = os.path.join(directory, "pipes")
    os.mkdir(pipes, 0o700)
    for name in ("reports.jsonl", "report.txt"):
        os.mkfifo(os.path.join(pipes, name))
    run(rig, ["reports.jsonl"], pipes)


def linked_above(rig):
    """Symbolic links above the directory: followed where nobody else can have put them there, else refused with a line."""
    if os.geteuid() != 0:
        harness.skip("needs root to give links away")
    nobody = 65534

    def place(kind):
        """A directory `kind` with a link `link` in it, that leads to `real`; returns (directory, link, real)."""
        directory = rig.directory()
        os.chmod(directory, 0o755)
        real = os.path.join(directory, "real")
        above = os.path.join(directory, kind)
        os.mkdir(real, 0o755)
        os.mkdir(above)
        return directory, os.path.join(above, "link"), real

    def attempt(output, env, lines, real, written):
        run(rig, lines, output, env=env)
        harness.check(os.path.exists(os.path.join(real, "reports")) == written,
                      f"{output}: {'not ' if written else ''}written to {real}")

    # (mode of the directory that holds the link, whose it is, whose the link is, followed?)
    for mode, holder, owner, followed in ((0o755, 0, 0, True), (0o1777, 0, 0, True), (0o1777, 0, nobody, False),
                                          (0o777, 0, 0, False), (0o755, nobody, nobody, False),
                                          (0o775, nobody, nobody, False), (0o1777, nobody, nobody, False)):
        for target, tail in (("absolute", ""), ("relative", ""), ("absolute", "/deeper/down")):
            directory, link, real = place("above")
            os.symlink(real if target == "absolute" else "../real", link)
            os.chown(link, owner, owner, follow_symlinks=False)
            os.chmod(os.path.dirname(link), mode)
            os.chown(os.path.dirname(link), holder, holder)
            temporary = os.path.join(directory, "tmp")
            os.mkdir(temporary, 0o700)
            attempt(f"{link}{tail}/reports", {"TMPDIR": temporary},
                    [] if followed else ["symbolic link of another user's"], real + tail, followed)
            harness.check(os.path.exists(os.path.join(temporary, "reports")) != followed, "the fallback")
    # A trusted link that leads to one that is not; and links in a circle.
    directory, link, real = place("above")
    os.symlink(real, os.path.join(directory, "theirs"))
    os.chown(os.path.join(directory, "theirs"), nobody, nobody, follow_symlinks=False)
    os.symlink("../theirs/.", link)
    attempt(f"{link}/reports", {"TMPDIR": directory + "/none"}, ["symbolic link of another user's"], real, False)
    os.symlink("b", os.path.join(directory, "a"))
    os.symlink("a", os.path.join(directory, "b"))
    attempt(f"{directory}/a/reports", {"TMPDIR": directory + "/none"}, ["Too many levels"], real, False)


def permissions(rig):
    """Whatever the umask is: directory 0700, files 0600."""
    for mask in ("0000", "0077", "0777"):
        directory = rig.directory()
        output = os.path.join(directory, "deep", "below", "reports")
        how = {"preexec_fn": drop_to_nobody(directory, mask)}
        victim = os.path.realpath(rig.victim("reporting"))
        result = rig.run([victim, "plain"], "exact", {"HEAPGAUGE_OUTPUT": output}, **how)
        harness.check(result.status == 0, f"umask {mask}: exit status {result.status}")
        if mask == "0777":
            # Parents that nobody may enter: the fallback is not better off.
            continue
        harness.check(not result.said, f"umask {mask}: {result.said}")
        harness.check(count(output) == 3, f"umask {mask}: {count(output)} reports")
        harness.check(stat.S_IMODE(os.stat(output).st_mode) == 0o700, f"umask {mask}: directory mode")
        for name in ("reports.jsonl", "report.txt"):
            mode = stat.S_IMODE(os.stat(os.path.join(output, name)).st_mode)
            harness.check(mode == 0o600, f"umask {mask}: {name} has mode {mode:o}")


def drop_to_nobody(directory, mask):
    """In the child: an ordinary user, so that modes mean something."""
    def drop():
        if os.geteuid() == 0:
            os.chown(directory, 65534, 65534)
            os.setgroups([])
            os.setgid(65534)
            os.setuid(65534)
        os.umask(int(mask, 8))

    if os.geteuid() == 0:
        os.chmod(os.path.dirname(directory), 0o755)
    return drop


def shared_name(rig):
    """HEAPGAUGE_OUTPUT without %p, and several processes at once: each has a directory of its own."""
    output = os.path.join(rig.directory(), "reports")
    victim = os.path.realpath(rig.victim("fork_single"))
    result = rig.run([victim], "exact", {"HEAPGAUGE_OUTPUT": output})
    harness.check(result.status == 0 and not result.said, f"{result.status} {result.said} {result.stderr!r}")
    directories = harness.report_directories(os.path.dirname(output))
    pids = set()
    for path in directories:
        for report in harness.read_reports(path):
            pids.add(report["pid"])
    harness.check(len(pids) == 10, f"{len(pids)} of 10 processes reported")


harness.main(body)
