"""Blocks that are released past the hooks, where nothing can be redirected, look alive for ever.  The figures give that
away: it is said in the report's first line, no leak is called on them, and the live table does not fill with addresses
that come again, nor does it take one that comes again to find them.  The same for an arena that is reset with all that is in it.  Memory that was never touched is no
contradiction, though it is not resident.  A leak at a place whose blocks do not die unseen is called as ever."""

import json
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import harness

SETTINGS = {"HEAPGAUGE_REPORT_INTERVAL": "250ms", "HEAPGAUGE_SYMBOLIZE": "names", "HEAPGAUGE_CPU_BUDGET": "100%"}


def run(rig, what, seconds, mode="4KiB"):
    victim = os.path.realpath(rig.victim("freed_past_us"))
    run = rig.run([victim, what, str(seconds)], mode, {"BEHIND": rig.behind or None})
    harness.check(run.status == 0 and run.stdout == b"done\n", f"{what}: {run.status} {run.stdout!r} {run.stderr!r}")
    directory, = harness.report_directories(run.directory)
    with open(os.path.join(directory, "report.txt"), encoding="utf-8") as file:
        text = " ".join(file.read().split())
    alerts = []
    if os.path.exists(os.path.join(directory, "alerts.jsonl")):
        with open(os.path.join(directory, "alerts.jsonl"), encoding="utf-8") as file:
            alerts = [json.loads(line) for line in file]
    return harness.read_reports(directory), text, alerts


def steady(rig, mode):
    reports, text, alerts = run(rig, "steady", 6, mode)
    for report in reports:
        harness.check(report["verdict"] != "leak", f"{mode}: {report['evidence']}")
        for site in report["sites"] + report["callsites"]:
            harness.check(site["verdict"] != "leak", f"{mode}: {site['evidence']}")
    harness.check(not alerts, f"{mode}: {alerts}")
    last = reports[-1]
    sampling = last["sampling"]
    # Of what lives at one moment few are samples, and of what died all those whose address came again are out.
    harness.check(sampling["dropped"] == 0, f"{mode}: {sampling}")
    harness.check(sampling["unseen_deaths"] > 100, f"{mode}: {sampling}")
    harness.check(sampling["live_samples"] < sampling["samples"] / 4, f"{mode}: {sampling}")
    harness.check(last["evidence"].startswith("the figures are not to be trusted: "), f"{mode}: {last['evidence']}")
    harness.check(sampling["distrust"] == last["evidence"], f"{mode}: {sampling}")
    harness.check("NO VERDICT: the figures are not to be trusted: " in text, text)
    harness.check("freed past heapgauge (by another name, or by another allocator)" in text, text)
    first = next(n for n, report in enumerate(reports) if report["sampling"]["unseen_deaths"] >= 50)
    harness.check(any(report["sampling"]["distrust"] for report in reports[:first + 3]), f"{mode}: said late")


def silent(rig, what):
    """Much is alive that is nowhere resident, or nobody frees past us: nothing to be said."""
    reports, text, _ = run(rig, what, 3, "4KiB")
    for report in reports:
        harness.check(report["sampling"]["distrust"] == "", f"{what}: {report['sampling']}")
        harness.check(report["sampling"]["unseen_deaths"] == 0, f"{what}: {report['sampling']}")
    harness.check(reports[-1]["totals"]["live_bytes"] > 500 << 20, f"{what}: {reports[-1]['totals']}")
    harness.check("NO VERDICT" not in text, text)


def reset(rig):
    reports, _, alerts = run(rig, "reset", 6, "4KiB")
    harness.check(not alerts, f"{alerts}")
    for report in reports:
        for site in report["sites"] + report["callsites"]:
            harness.check(site["verdict"] != "leak", site["evidence"])
    # The allocator itself says how little there is: in time, whatever addresses come again.
    over = [report["totals"]["live_bytes"] > 4 << 20 for report in reports]
    harness.check(any(over), f"{reports[-1]['totals']}")
    for report in reports[over.index(True) + 2:]:
        harness.check("the allocator has given out" in report["sampling"]["distrust"], f"{report['sampling']}")


def kept(rig, what, mode):
    """No address comes again, and all memory is resident: the allocator's own free chunks tell."""
    reports, text, alerts = run(rig, what, 3, mode)
    harness.check(not alerts, f"{what} {mode}: {alerts}")
    last = reports[-1]["sampling"]
    harness.check(last["live_samples"] >= 16, f"{what} {mode}: {last}")
    # Seven of eight were freed; a few of them lie in the thread's cache, which looks like use.
    harness.check(last["unseen_deaths"] >= 0.7 * last["live_samples"], f"{what} {mode}: {last}")
    harness.check(last["unseen_deaths"] <= 0.95 * last["live_samples"] + 8, f"{what} {mode}: {last}")
    first = next(n for n, report in enumerate(reports) if report["sampling"]["distrust"])
    for report in reports[first:]:
        harness.check("were freed past heapgauge" in report["sampling"]["distrust"],
                      f"{what} {mode}: {report['sampling']}")
    # Found as soon as there are enough.
    for report in reports[:first]:
        harness.check(report["sampling"]["unseen_deaths"] < 8, f"{what} {mode}: {report['sampling']}")
    harness.check("NO VERDICT: the figures are not to be trusted: " in text, text)


def body():
    options = harness.arguments(__doc__, lambda parser: parser.add_argument("--what", required=True))
    harness.skip_without_library(options.behind)
    with harness.Rig(options, settings=SETTINGS) as rig:
        if options.what == "steady":
            steady(rig, "4KiB")
            steady(rig, "exact")
            return
        if options.what == "kept":
            kept(rig, "kept", "default")
            kept(rig, "kept", "exact")
            kept(rig, "kept_by_thread", "default")
            return
        if options.what == "reset":
            reset(rig)
            return
        if options.what == "silent":
            silent(rig, "untouched")
            return
        reports, text, alerts = run(rig, "seldom", 20)
        leaks = [site for site in reports[-1]["callsites"] if site["verdict"] == "leak"]
        harness.check([site["function"].split(".")[0] for site in leaks] == ["take_lost"], f"{leaks} {reports[-1]['evidence']}")
        harness.check(reports[-1]["sampling"]["distrust"] == "", text)
        harness.check(alerts, "no alert")


harness.main(body)
