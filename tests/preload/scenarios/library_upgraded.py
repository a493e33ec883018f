"""A library whose file is another one by now: names are those of the build that runs, and the report says what it is.

--what: rename, aside, removed (victims/library_upgraded.c).  Each with a build-id and without, and with the right to
open mapped files and without it: then what the library offers to others is all that is left.
"""

import os
import shutil
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import harness

FEWER_RIGHTS = ["setpriv", "--bounding-set=-sys_admin,-checkpoint_restore", "--inh-caps=-all"]


def functions_of(report, path):
    """function -> live bytes, of the frames in that file that are in a stack; inner frames first."""
    found = {}
    for site in report["sites"]:
        for frame in site["frames"]:
            if frame["module"] == path:
                found[frame["function"]] = found.get(frame["function"], 0) + site["live_bytes"]
    return found


def one(rig, manner, kind, mode, few_rights):
    directory = rig.directory()
    library = os.path.join(os.path.realpath(directory), "libwork.so.1")
    fresh = library + ".new"
    shutil.copy(rig.victim(f"libupgraded_1_{kind}.so"), library)
    shutil.copy(rig.victim(f"libupgraded_2_{kind}.so"), fresh)
    argv = [rig.victim("library_upgraded"), library, manner] + ([] if manner == "removed" else [fresh])
    run = rig.run((FEWER_RIGHTS if few_rights else []) + argv, mode, directory=directory,
                  env={"HEAPGAUGE_ONLY": "library_upgraded"})
    what = f"{manner}, {kind}, {mode}, {'few rights' if few_rights else 'all rights'}"
    harness.check((run.status, run.stdout) == (0, b"done\n"), f"{what}: {run.status} {run.stderr!r} {run.said}")
    directories = harness.report_directories(directory)
    report = harness.read_reports(directories[0])[-1]
    functions = functions_of(report, library)
    harness.check(harness.near(functions.get("module_late", 0), 2000 * 1000, run.interval), f"{what}: {functions}")
    # Of the file that runs all is known where it can be opened.
    opens = manner == "aside" or not few_rights
    harness.check(("keep_inside" in functions) == opens, f"{what}: {functions}")
    lines = {frame["line"] for site in report["sites"] for frame in site["frames"] if frame["function"] == "keep_inside"}
    harness.check(lines != {None} or kind == "plain", f"{what}: no line, though the file is there")
    notes = [note for note in report["notes"] if library in note]
    harness.check(len(notes) == 1, f"{what}: notes {report['notes']}")
    said = "is gone from the disk" if manner == "removed" else "is another build on disk"
    harness.check(said in notes[0], f"{what}: {notes}")
    harness.check(("no lines" in notes[0]) != opens or kind == "plain", f"{what}: {notes}")
    with open(os.path.join(directories[0], "report.txt"), encoding="utf-8") as file:
        text = " ".join(file.read().split())
    harness.check("Note: " + notes[0] in text, f"{what}: report.txt lacks {notes[0]}")


def body():
    options = harness.arguments(__doc__, lambda parser: parser.add_argument("--what", required=True))
    can_have_fewer = os.geteuid() == 0 and shutil.which("setpriv") is not None
    with harness.Rig(options) as rig:
        for kind in ("id", "plain"):
            for mode in ("4KiB", "exact"):
                for few_rights in (False, True):
                    if few_rights and not can_have_fewer:
                        continue
                    one(rig, options.what, kind, mode, few_rights or os.geteuid() != 0)


harness.main(body)
