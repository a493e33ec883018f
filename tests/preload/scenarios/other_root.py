"""A host that enters another root directory: no program of there is run, nothing is written there.  Its reports go on in
the directory outside, or a line says that they end.
"""

import os
import shutil
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import harness

# Way -> whether reports must go on, when it is gone early and late.
WAYS = {"chroot": (True, True), "chroot_nobody": (True, True), "chroot_closing": (False, True),
        "bare_chroot": (False, True), "pivot_root": (True, True), "setns": (True, True), "worker": (True, True),
        "chroot_climbing": (False, False), "covered": (True, True), "bare_pivot_root": (False, True)}


def jail_of(rig, foul, directory):
    """A root directory with a command of somebody else's where ours is outside, and what a writer would look for."""
    root = os.path.join(directory, "root")
    library = os.path.realpath(rig.lib)
    os.makedirs(root + library)
    os.makedirs(f"{root}/tmp", exist_ok=True)
    os.chmod(f"{root}/tmp", 0o1777)
    with open(f"{root}/inside", "w", encoding="ascii"):
        pass
    command = f"{root}{os.path.dirname(library)}/libexec/heapgauge/heapgauge-symbolize"
    os.makedirs(os.path.dirname(command), exist_ok=True)
    shutil.copy(foul, command)
    os.chmod(command, 0o755)
    # The program itself, so that there is something to ask that command about.
    victim = os.path.realpath(rig.victim("enters_root"))
    os.makedirs(root + os.path.dirname(victim), exist_ok=True)
    shutil.copy(victim, root + victim)
    os.chmod(root, 0o777)  # whoever would write there could
    return root


def files_in(root):
    return sorted(os.path.join(top, name) for top, _, names in os.walk(root) for name in names)


def one(rig, foul, way, moment, goes_on):
    where = f"{way}, {moment}"
    directory = rig.directory()
    os.chmod(rig.top, 0o711)
    os.chmod(directory, 0o777)
    root = jail_of(rig, foul, directory)
    before = files_in(root)
    children = "full" if way != "worker" or moment == "late" else "summary"
    command = f"{os.path.dirname(os.path.realpath(rig.lib))}/libexec/heapgauge"
    apart = ["unshare", "--mount"] if way == "bare_pivot_root" else []
    run = rig.run([*apart, rig.victim("enters_root"), way, moment, root, command], "exact",
                  {"HEAPGAUGE_ONLY": "enters_root", "HEAPGAUGE_CHILDREN": children, "HEAPGAUGE_OUTPUT": os.path.join(directory, "out")},
                  directory=directory)
    harness.check(run.status == 0, f"{where}: {run.status} {run.stderr} {run.said}")
    harness.check(files_in(root) == before, f"{where}: new in there: {set(files_in(root)) - set(before)}")
    finals = [report["final"] for report in harness.last_reports(directory).values()]
    lines = [line for line in run.said if "end here" in line or "is lost" in line]
    if way == "worker" and children == "summary":
        lived = os.path.join(directory, "out", "children.jsonl")
        harness.check(os.path.exists(lived) or "out" in os.listdir(directory), f"{where}: {os.listdir(directory)}")
    if goes_on:
        harness.check(finals and all(finals) and not lines, f"{where}: {finals}, it said {run.said}")
    else:
        harness.check((finals and all(finals)) or lines, f"{where}: {finals}, and it said {run.said}")


def named_from_outside(rig, command, foul):
    """`heapgauge run` stays outside: at the end it fills in what could not be found inside."""
    directory = rig.directory()
    root = jail_of(rig, foul, directory)
    os.remove(root + os.path.realpath(rig.victim("enters_root")))
    out = os.path.join(directory, "out")
    run = rig.run([command, "run", "--sample-interval", "1", "--output", out, "--", rig.victim("enters_root"), "chroot",
                   "early", root], "bare", directory=directory)
    harness.check(run.status == 0, f"run: {run.status} {run.stderr} {run.said}")
    reports = harness.read_reports(out)
    harness.check(len(reports) >= 3, f"run: {len(reports)} reports")
    places = [[f"{frame['function']} {os.path.basename(frame['file'] or '')}" for frame in site["frames"]]
              for site in reports[-1]["sites"]]
    harness.check(any("allocate enters_root.c" in place for place in places), f"run: {places}")
    # What is mapped may tell a name, what lies inside must not.
    outside = {frame["function"] for site in reports[-1]["sites"] for frame in site["frames"]}
    inside = {frame["function"] for site in reports[0]["sites"] for frame in site["frames"]} - {""}
    harness.check(inside <= outside, f"run: names from inside: {inside - outside}")
    with open(os.path.join(out, "report.txt"), encoding="utf-8") as file:
        text = file.read()
    harness.check("allocate  enters_root.c:" in text, f"run: {text}")
    harness.check("was-run" not in str(files_in(root)), "run: it was run")
    harness.check(sorted(os.listdir(out)) == ["heap.pb.gz", "peak.json", "report.txt", "reports.jsonl"], f"{os.listdir(out)}")


def body():
    def extra(parser):
        parser.add_argument("--what", required=True)
        parser.add_argument("--command", default="", help="heapgauge")
        parser.add_argument("--foul", required=True, help="the command that must not be run")

    options = harness.arguments(__doc__, extra)
    if os.geteuid() != 0:
        harness.skip("needs root")
    with harness.Rig(options) as rig:
        if options.what == "named":
            return named_from_outside(rig, options.command, options.foul)
        for moment, goes_on in zip(("early", "late"), WAYS[options.what]):
            if (options.what, moment) == ("setns", "late"):
                continue  # the kernel refuses it to a process with two threads
            one(rig, options.foul, options.what, moment, goes_on)


harness.main(body)
