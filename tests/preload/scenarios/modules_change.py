"""Files that change under a loaded module: cut short (what cp over a library does first), overwritten, stretched to
512 GiB, replaced by a pipe.  A host that does not touch the module lives; with us as well, and it reports."""

import os
import shutil
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import harness

HOW = ("same", "cut", "head", "half", "empty", "sparse", "noise", "noise_behind", "fifo", "directory", "gone")
# Where the module's code is on the stack, its tables are looked at in the midst of an allocation.
SETTINGS = {
    "idle": ({}, {"HEAPGAUGE_SYMBOLIZE": "names"}),
    "on_stack": ({"HEAPGAUGE_SYMBOLIZE": "names"}, {"HEAPGAUGE_SYMBOLIZE": "names", "HEAPGAUGE_UNWIND": "dwarf"}),
}


def sought(rig):
    """Who holds what leaks is looked for in the data of all modules, also of one whose headers are gone."""
    directory = rig.directory()
    shutil.copy(rig.victim("libcalled_back.so"), os.path.join(directory, "first.so"))
    env = {"HEAPGAUGE_SYMBOLIZE": "names", "HEAPGAUGE_REPORT_INTERVAL": "100ms"}
    result = rig.run([rig.victim("module_cut_grows"), os.path.join(directory, "first.so")], "4KiB", env, directory)
    harness.check((result.status, result.stdout) == (0, b"alive\n"), f"{result.status} {result.stdout!r} {result.stderr!r}")
    [reports] = [harness.read_reports(path) for path in harness.report_directories(result.directory)]
    held = [callsite for report in reports for callsite in report["callsites"] if callsite["held"]]
    harness.check(held, "nobody was looked for")


def body():
    options = harness.arguments(__doc__, lambda parser: parser.add_argument("--where", choices=(*SETTINGS, "sought")))
    harness.skip_without_library(options.behind)
    with harness.Rig(options) as rig:
        if options.where == "sought":
            return sought(rig)

        def run(how, mode, env):
            directory = rig.directory()
            modules = [os.path.join(directory, name) for name in ("first.so", "second.so")]
            for module in modules:
                shutil.copy(rig.victim("libcalled_back.so"), module)
            return rig.run([rig.victim("modules_change"), *modules, how, options.where], mode, env, directory)

        for how in HOW:
            bare = run(how, "bare", {})
            harness.check(bare.status == 0, f"{how}, bare: {bare.status} {bare.stderr!r}")
            for env in SETTINGS[options.where]:
                for mode in ("4KiB", "exact"):
                    result = run(how, mode, env)
                    what = f"{how}, {mode}, {env}"
                    harness.check((result.status, result.stdout) == (bare.status, bare.stdout),
                                  f"{what}: {result.status} {result.stdout!r} {result.stderr!r}")
                    reports = [harness.read_reports(path) for path in harness.report_directories(result.directory)]
                    harness.check(len(reports) == 1 and len(reports[0]) >= 4, f"{what}: reports are missing")
                    totals = reports[0][-1]["totals"]
                    harness.check(totals["live_objects"] >= 60_000, f"{what}: {totals}")


harness.main(body)
