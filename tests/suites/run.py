"""Runs other people's test suites bare and with the library in front, and prints which tests tell the two apart.

    python3 tests/suites/run.py --library build/release/lib/libheapgauge.so --work /tmp/suites glibc jemalloc

A suite's sources are fetched from the distribution (apt-get source) into WORK, or taken from a tree (glibc=TREE); where
there are none, or a tool is missing, the suite is skipped with a line.  Each test is compiled against what is installed
and run bare; one that passes is run with the library, at the default interval and sampling everything.  One that then
fails is run again, both ways: what differs only now and then is "unsteady".  The exit status is 1 if a test fails with
the library every time and known.txt does not explain it."""

import argparse
import concurrent.futures
import fnmatch
import os
import shutil
import signal
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import sources
import suites

MODES = {"bare": None, "default": "512KiB", "exact": "1"}
PASSED, UNSUPPORTED = 0, 77


def run(program, library, interval, output):
    """The exit status, or "signal N", or "hangs"."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("HEAPGAUGE_", "LD_"))}
    environment.update(program.environment)
    if interval is not None:
        environment["LD_PRELOAD"] = " ".join([library, *environment.get("LD_PRELOAD", "").split()])
        environment.update(HEAPGAUGE_SAMPLE_INTERVAL=interval, HEAPGAUGE_OUTPUT=os.path.join(output, "reports.%e.%p"))
    os.makedirs(output, exist_ok=True)
    with open(os.path.join(output, "output"), "wb") as log:
        child = subprocess.Popen(program.command, cwd=output, env=environment, stdin=subprocess.DEVNULL, stdout=log,
                                 stderr=subprocess.STDOUT, start_new_session=True)
        try:
            status = child.wait(timeout=program.timeout_s)
        except subprocess.TimeoutExpired:
            status = "hangs"
        try:
            os.killpg(child.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        child.wait()
    return f"signal {-status}" if isinstance(status, int) and status < 0 else status


def judge(program, library, work):
    def once(mode):
        return run(program, library, MODES[mode], os.path.join(work, "runs", program.suite, program.name, mode))

    statuses = {"bare": once("bare")}
    if statuses["bare"] != PASSED:
        return statuses, "unsupported" if statuses["bare"] == UNSUPPORTED else "fails bare"
    verdict = "passes"
    for mode in ("default", "exact"):
        statuses[mode] = once(mode)
        if statuses[mode] == PASSED:
            continue
        again = [(once("bare"), once(mode)) for _ in range(2)]
        if any(bare != PASSED or preloaded == PASSED for bare, preloaded in again):
            verdict = "unsteady" if verdict == "passes" else verdict
        else:
            verdict = "FAILS"
    return statuses, verdict


def known_reasons(path):
    """Lines `SUITE/NAME  reason`; names are globs."""
    with open(path, encoding="utf-8") as file:
        return [line.strip().split(None, 1) for line in file if line.strip() and not line.startswith("#")]


def run_suite(suite, tree, options, reasons):
    """Whether no difference is left without a reason."""
    where = os.path.join(options.work, "programs", suite)
    os.makedirs(where, exist_ok=True)
    programs, not_built = suites.SUITES[suite](tree, where, options.jobs, options.only)
    counts = {}
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        results = pool.map(lambda program: judge(program, options.library, options.work), programs)
        for program, (statuses, verdict) in zip(programs, results):
            full = f"{suite}/{program.name}"
            reason = next((text for glob, text in reasons if fnmatch.fnmatchcase(full, glob)), "")
            if verdict == "FAILS" and reason:
                verdict = "known"
            counts[verdict] = counts.get(verdict, 0) + 1
            if options.all or verdict in ("FAILS", "known", "unsteady"):
                shown = "  ".join(f"{mode} {statuses.get(mode, '-')!s:10}" for mode in MODES)
                print(f"{full:48} {shown} {verdict}  {reason if verdict == 'known' else ''}".rstrip(), flush=True)
    if options.all:
        for name in not_built:
            print(f"{suite}/{name:48} not built", flush=True)
    summary = ", ".join(f"{count} {verdict}" for verdict, count in sorted(counts.items()))
    print(f"{suite}: {summary or 'nothing to run'}; {len(not_built)} not built", flush=True)
    return "FAILS" not in counts


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--library", required=True, type=os.path.realpath)
    parser.add_argument("--work", required=True, type=os.path.realpath,
                        help="directory for sources, programs, outputs and reports")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--only", default="*", help="glob over SUITE/NAME")
    parser.add_argument("--known", default=os.path.join(here, "known.txt"), help="differences that have a reason")
    parser.add_argument("--all", action="store_true", help="list tests that pass and those that do not count, too")
    parser.add_argument("suite", nargs="*", metavar="SUITE[=TREE]", default=list(sources.PACKAGES),
                        help=f"of {', '.join(suites.SUITES)}; those that can be fetched if none is named")
    options = parser.parse_args()
    reasons = known_reasons(options.known)
    good = True
    for wanted in options.suite:
        suite, _, given = wanted.partition("=")
        if suite not in suites.SUITES:
            parser.error(f"{wanted}: of {', '.join(suites.SUITES)}")
        try:
            missing = [tool for tool in suites.TOOLS.get(suite, ("gcc", "ar")) if shutil.which(tool) is None]
            if missing:
                raise sources.Unavailable(f"there is no {', '.join(missing)}")
            tree = sources.tree_of(suite, given, options.work)
        except sources.Unavailable as why:
            print(f"{suite}: skipped: {why}", flush=True)
            continue
        good = run_suite(suite, tree, options, reasons) and good
    return 0 if good else 1


sys.exit(main())
