"""No stack shows that the report thread may be started: it is started all the same where that is safe, and where it is
not, one line says so.  The host never ends by itself: what there is after SIGKILL was made while it ran."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import harness

LINE = "no report thread could be started: every sample so far came from inside "


def reports(directory):
    try:
        return [report for path in harness.report_directories(directory) for report in harness.read_reports(path)]
    except FileNotFoundError:  # the first one is being written: the line is there before the text
        return []


def attempt(rig, argv, env, line):
    directory = rig.directory()

    def said():
        with open(os.path.join(directory, "stderr"), "rb") as file:
            return LINE.encode() in file.read()

    def during(process):
        try:
            harness.wait_until(said if line else lambda: len(reports(directory)) >= 2, 40,
                               "the line" if line else "two reports")
        finally:
            process.kill()

    settings = {"HEAPGAUGE_REPORT_INTERVAL": "500ms", **env}
    run = rig.run(argv, "4KiB", settings, directory=directory, during=during)
    harness.check(run.status == -9, f"{argv[1]}: it ended with {run.status}")
    print(argv[1], env, run.said, len(reports(directory)), "reports")
    harness.check(len(run.said) == (1 if line else 0), f"{argv[1]}: it said {run.said}")
    harness.check(not line or LINE + line in run.said[0], f"{argv[1]}: no word of {line}: {run.said}")


def body():
    options = harness.arguments(__doc__, lambda parser: parser.add_argument("--what", required=True))
    with harness.Rig(options, settings=harness.NAMES_ONLY) as rig:
        victim = rig.victim("no_tables")
        if options.what == "started":
            attempt(rig, [victim, "main"], {}, None)
            attempt(rig, [victim, "thread"], {}, None)
            attempt(rig, [victim, rig.victim("libno_tables_plugin.so")], {}, None)
            for unwind in ("auto", "fp", "dwarf"):
                attempt(rig, [rig.victim("grows_for_ever"), "main"],
                        {"HEAPGAUGE_MAX_FRAMES": "1", "HEAPGAUGE_UNWIND": unwind}, None)
            attempt(rig, [rig.victim("grows_for_ever"), rig.victim("libgrows_for_ever_plugin.so")], {}, None)
        else:
            attempt(rig, [victim, "handler"], {}, "a signal handler")
            attempt(rig, [victim, "own_stack"], {}, "a hand-made or very deep stack")
            attempt(rig, [rig.victim("grows_for_ever"), "handler"], {}, "a signal handler")


harness.main(body)
