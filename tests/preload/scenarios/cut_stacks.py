"""Code without unwind tables: where stacks end in it the report says so, in which module, how much it concerns and what
to do; and says nothing where stacks are whole, cut by HEAPGAUGE_MAX_FRAMES, or walked by frame pointers."""

import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import harness


def notes_of(rig, argv, mode, env=None):
    run = rig.run(argv, mode, env)
    harness.check(run.status == 0, f"{argv}: {run.status} {run.stderr!r}")
    directory = harness.report_directories(run.directory)[0]
    report = harness.read_reports(directory)[-1]
    with open(os.path.join(directory, "report.txt"), encoding="utf-8") as file:
        text = " ".join(file.read().split())
    notes = [note for note in report["notes"] if "unwind tables" in note]
    for note in notes:
        harness.check(note in text, f"{argv}: report.txt lacks {note}")
    return notes


def check_note(notes, module, low, high, debug_frame):
    harness.check(len(notes) == 1, f"one note expected: {notes}")
    share = re.search(r"stacks with (\d+) % of the live bytes end early in (\S+), in code", notes[0])
    harness.check(share and share.group(2) == module and low <= int(share.group(1)) <= high, f"{notes}: {low} to {high}")
    harness.check("-fasynchronous-unwind-tables" in notes[0], f"{notes}")
    harness.check((".debug_frame" in notes[0]) == debug_frame, f"{notes}")


def body():
    options = harness.arguments(__doc__)
    with harness.Rig(options, settings=harness.NAMES_ONLY) as rig:
        plugins = {kind: rig.victim(f"libcut_{kind}.so") for kind in ("plain", "debug", "whole")}
        program = rig.victim("cut_stacks")
        for mode in ("4KiB", "exact"):
            check_note(notes_of(rig, [program, plugins["plain"], "100"], mode), plugins["plain"], 95, 100, False)
            check_note(notes_of(rig, [program, plugins["debug"], "100"], mode), plugins["debug"], 95, 100, True)
            check_note(notes_of(rig, [program, plugins["plain"], "50"], mode), plugins["plain"], 35, 65, False)
            harness.check(notes_of(rig, [program, plugins["whole"], "100"], mode) == [], "whole stacks")
            harness.check(notes_of(rig, [program, plugins["plain"], "0"], mode) == [], "nothing live is cut")
            for env in ({"HEAPGAUGE_MAX_FRAMES": "1"}, {"HEAPGAUGE_UNWIND": "fp"}):
                harness.check(notes_of(rig, [program, plugins["plain"], "100"], mode, env) == [], f"{env}")
        check_note(notes_of(rig, [program, plugins["plain"], "100"], "4KiB", {"HEAPGAUGE_UNWIND": "dwarf"}),
                   plugins["plain"], 95, 100, False)


harness.main(body)
