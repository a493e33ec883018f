"""Modules that lie where others were: each keeps its own samples, under its own name, in every report to come."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import harness

BYTES = 1000
# Steps of the victim; {NAME} is the module of that name, {plugin} a path whose file changes.
PLANS = {
    # The first one is in a report already when it goes.
    "between_reports": ["open={alpha} use=3000 report close open={bravo} reused use=1000 report close report"],
    # Nobody looked while they were there.
    "unseen": ["open={alpha} use=3000 close open={bravo} reused use=1000 close report",
               "open={alpha} use=3000 close open={bravo} reused use=1000 close open={gamma} reused use=500 report"],
    "alternating": [" ".join(f"open={{alpha}} {again} use={300 + i} close open={{bravo}} reused use={100 + i} close"
                             + (" report" if i % 3 == 1 else "") for i, again in enumerate([""] + ["reused"] * 7))],
    # Another one in a part of the place, and then both.
    "partly": ["open={wide} use=2000 report close open={bravo} reused use=1000 report close open={wide} reused use=700"
               " close report"],
    "same_path": ["copy={alpha} open={plugin} use=3000 report close copy={bravo} open={plugin} reused use=1000 report",
                  "copy={alpha} open={plugin} use=3000 close copy={bravo} open={plugin} reused use=1000 report"],
}
NAMES = ("alpha", "bravo", "gamma", "wide")


def expected(steps):
    """Function -> bytes; the files of the modules by function."""
    held, paths, content, function = {}, {}, None, None
    for step in steps:
        verb, _, value = step.partition("=")
        if verb == "copy":
            content = value
        elif verb == "open":
            file = content or value
            function = next(name for name in NAMES if f"_{name}" in os.path.basename(file)) + "_keep"
            paths[function] = value
            content = None
        elif verb == "use":
            held[function] = held.get(function, 0) + int(value) * BYTES
    return held, paths


def told(report):
    """(function, module) -> live bytes of the stacks that begin there, as the report has them."""
    found = {}
    for site in report["sites"]:
        frame = site["frames"][0]
        key = frame["function"], frame["module"]
        found[key] = found.get(key, 0) + site["live_bytes"]
    return found


def check_report(run, what, held, paths, may_be_nameless):
    reports = harness.read_reports(harness.report_directories(run.directory)[0])
    found = told(reports[-1])
    for function, true_bytes in held.items():
        live = found.get((function, paths[function]), 0)
        nameless = found.get(("", paths[function]), 0) if function in may_be_nameless else 0
        harness.check(harness.near(live or nameless, true_bytes, run.interval),
                      f"{what}: {function} of {paths[function]} holds {true_bytes}, the report says {found}")
    for (function, module), live in found.items():
        harness.check(not function.endswith("_keep") or paths.get(function) == module, f"{what}: {function}: {found}")


def body():
    def extra(parser):
        parser.add_argument("--what", choices=PLANS)
        parser.add_argument("--kind", choices=("id", "plain"))  # with a build-id and without
    options = harness.arguments(__doc__, extra)
    harness.skip_without_library(options.behind)
    with harness.Rig(options, settings=harness.NAMES_ONLY) as rig:
        for plan in PLANS[options.what]:
            for mode in ("bare", "4KiB", "exact"):
                directory = rig.directory()
                places = {name: os.path.realpath(rig.victim(f"libswapped_{name}_{options.kind}.so")) for name in NAMES}
                steps = plan.format(plugin=os.path.join(directory, "plugin.so"), **places).split()
                run = rig.run([rig.victim("module_swapped"), *steps], mode, directory=directory)
                what = f"{mode}, {plan}"
                harness.check((run.status, run.stdout) == (0, b"done\n"), f"{what}: {run.status} {run.stderr!r}")
                if mode != "bare":
                    # What nobody looked at before its file was replaced has no names left to be found.
                    lost = {"alpha_keep"} if options.what == "same_path" and plan.count("report") == 1 else set()
                    check_report(run, what, *expected(steps), lost)


harness.main(body)
