"""Who holds it, of whole processes: a program that keeps what one line allocates in one way, until a report says so.

Nothing is measured in seconds: the program goes on until the awaited report is there, or until kPatience is over.
"""

import argparse
import glob
import json
import os
import subprocess
import sys
import tempfile
import time

SKIP = 77
PATIENCE_S = 150  # of a machine on which everything is slow
ALLOCATORS = {"glibc": "", "jemalloc": "libjemalloc.so.2", "tcmalloc": "libtcmalloc_minimal.so.4", "mimalloc": "libmimalloc.so.2"}


def reports(folder):
    found = []
    for path in glob.glob(os.path.join(folder, "reports.jsonl")):
        with open(path, encoding="utf-8") as lines:
            # At once, as everywhere: of a line that grows meanwhile the halves would be two.
            found += [json.loads(line) for line in lines.read().split("\n")[:-1]]
    return found


def of_line(report):
    """The call site of the one line, or None."""
    for callsite in report["callsites"]:
        if callsite["function"].startswith("make_session_load"):
            return callsite
    return None


def holder(callsite, kind, name):
    held = callsite["held"]
    if not held or not held["holders"]:
        return False
    first = held["holders"][0]
    return first["kind"] == kind and first["name"].startswith(name) and first["share"] >= 0.9 and held["lost_share"] <= 0.05


def lost(callsite):
    held = callsite["held"]
    return bool(held) and held["lost_share"] >= 0.9 and callsite["verdict"] == "leak" and callsite["confidence"] >= 0.95


def typed(callsite):
    held = callsite["held"]
    return bool(held) and bool(held["holders"]) and any(step.startswith("shop::Session (") for step in held["holders"][0]["path"])


def in_rings(callsite):
    held = callsite["held"]
    return lost(callsite) and any(ring["proven"] and "std::shared_ptr<shop::Node>" in " ".join(ring["members"]) for ring in held["rings"])


def in_reached_rings(callsite):
    held = callsite["held"]
    return (holder(callsite, "global", "shop::g_seen") and
            any(ring["proven"] and "2 x std::shared_ptr<shop::Node>" in ring["members"] for ring in held["rings"]))


def in_trees(callsite):
    return holder(callsite, "global", "shop::g_owned") and not callsite["held"]["rings"]


# What is awaited of the call site.
AWAITED = {
    "lost": lost,
    "storm": lost,
    "kept": lambda c: holder(c, "global", "g_sessions"),
    "list": lambda c: holder(c, "global", "g_list"),
    "hooks": lambda c: holder(c, "global", "g_hooks"),
    "stack": lambda c: holder(c, "stack", "main"),
    "local": lambda c: holder(c, "thread_local", "main"),
    "end": lambda c: holder(c, "global", "g_kept"),
    "tagged": lambda c: holder(c, "global", "g_kept"),
    "types": typed,
    "rings": in_rings,
    "reached": in_reached_rings,
    "parents": in_trees,
    "weak": in_trees,
    "pool": lambda c: holder(c, "unknown_memory", ""),
    "shared": lambda c: holder(c, "unknown_memory", ""),
    "file": lambda c: holder(c, "unknown_memory", ""),
    "context": lambda c: holder(c, "unknown_memory", ""),
    "watched": lambda c: holder(c, "unknown_memory", ""),
    "hidden": lost,
    "freed": lost,
    "sigstack": lambda c: holder(c, "unknown_memory", ""),
    "damaged": lambda c: holder(c, "global", "g_kept"),
    "strange": lost,
}
# Where the blocks of the heap are not known, a way through one of them ends in memory of which nothing is known.
DIRECT = {"kept": lambda c: holder(c, "unknown_memory", "")}
# jemalloc's records of pages point to blocks of a page: nothing that it has is ever lost.
JEMALLOC = {"lost": lambda c: holder(c, "unknown_memory", "")}
BOUNDED_REPORTS = 25


def resident(pid, begin):
    """Of the mappings of a stretch of 64 MiB, in KiB."""
    known = 0
    inside = False
    with open(f"/proc/{pid}/smaps", encoding="utf-8") as file:
        for line in file:
            words = line.split()
            if "-" in words[0] and not words[0].endswith(":"):
                inside = begin <= int(words[0].split("-")[0], 16) < begin + (64 << 20)
            elif inside and words[0] == "Rss:":
                known += int(words[1])
    return known


def check_shape(callsite):
    held = callsite["held"]
    assert held["lost_low"] <= held["lost_share"] <= held["lost_high"], held
    assert sum(h["objects"] for h in held["holders"]) + held["lost_objects"] == held["checked_objects"], held
    for one in held["holders"]:
        assert one["low"] <= one["share"] <= one["high"], one


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--lib", required=True)
    parser.add_argument("--host", required=True)
    parser.add_argument("--allocator", default="glibc")
    parser.add_argument("--exact", action="store_true")
    parser.add_argument("--holders", default="auto")
    parser.add_argument("--strip", action="store_true")
    parser.add_argument("how")
    args = parser.parse_args()
    behind = ALLOCATORS[args.allocator]
    if behind and subprocess.run(f"/sbin/ldconfig -p | grep -q '{behind} '", shell=True, check=False).returncode != 0:
        print(f"skipped: {behind} is not installed")
        sys.exit(SKIP)
    with tempfile.TemporaryDirectory() as folder:
        out = os.path.join(folder, "out")
        env = dict(os.environ, HEAPGAUGE_OUTPUT=out, HEAPGAUGE_REPORT_INTERVAL="500ms", HEAPGAUGE_SYMBOLIZE="names",
                   HEAPGAUGE_CPU_BUDGET="20%", HEAPGAUGE_LOG="debug", HEAPGAUGE_HOLDERS=args.holders,
                   HEAPGAUGE_SAMPLE_INTERVAL="1" if args.exact else "16KiB",
                   LD_PRELOAD=" ".join(filter(None, [os.path.join(args.lib, "libheapgauge.so"), behind])))
        log = open(os.path.join(folder, "log"), "w+", encoding="utf-8")
        program = args.host
        if args.strip:
            program = os.path.join(folder, "stripped")
            subprocess.run(["strip", "-s", "-o", program, args.host], check=True)
        host = subprocess.Popen([program, args.how], env=env, stderr=log, stdout=subprocess.PIPE if args.how == "strange" else None, text=True)
        strange = int(host.stdout.readline(), 16) if args.how == "strange" else 0
        before = resident(host.pid, strange) if strange else 0
        last = None
        good = False
        looks = set()
        try:
            awaited = AWAITED.get(args.how)
            if args.allocator != "glibc" and not args.exact:
                awaited = DIRECT.get(args.how, awaited)
            if args.allocator == "jemalloc" and not args.exact:
                awaited = JEMALLOC.get(args.how, awaited)
            end = time.monotonic() + PATIENCE_S
            while time.monotonic() < end and not good:
                time.sleep(0.5)
                if args.how == "execs" and host.poll() is not None:
                    assert host.returncode == 0, host.returncode
                    good = True
                    break
                assert host.poll() is None, f"the host ended with {host.returncode}"
                known = reports(out)
                for report in known:
                    last = of_line(report) or last
                    if last and last["held"]:
                        check_shape(last)
                        looks.add(last["held"]["time"])
                        assert args.how not in ("list", "hooks") or last["held"]["lost_objects"] == 0, last
                    if args.how in ("bounded", "register"):
                        assert not last or last["verdict"] != "leak", last
                if args.holders != "auto":
                    assert not last or last["held"] is None, last
                if awaited is None or args.holders != "auto":
                    good = len(known) >= BOUNDED_REPORTS
                else:
                    good = last is not None and awaited(last)
                    # Their memory changes during each look, and no look may fail for it.
                    good = good and (args.how not in ("list", "hooks") or len(looks) >= 3)
            if strange:
                assert before == 4 == resident(host.pid, strange), (before, resident(host.pid, strange))
            text = ""
            sentence = None
            if good and args.holders == "auto" and args.allocator != "jemalloc" and args.how == "lost":
                sentence = "nothing points to"
            if good and args.holders == "auto" and args.allocator == "glibc" and args.how == "kept":
                sentence = "kept in g_sessions (holders_host .bss)"
            # It is written behind reports.jsonl, from which it is known to come.
            while sentence and sentence not in text and time.monotonic() < end:
                time.sleep(0.05)
                with open(os.path.join(out, "report.txt"), encoding="utf-8") as file:
                    text = " ".join(file.read().split())
        finally:
            host.kill()
            host.wait()
        log.seek(0)
        said = log.read()
        print("".join(line + "\n" for line in said.splitlines() if "looked through" in line))
        print(json.dumps({k: v for k, v in (last or {}).items() if k in ("verdict", "confidence", "evidence", "held")}, indent=1))
        assert good, f"{args.how}: not said in {PATIENCE_S} s; last: {last}\n{said[-2000:]}"
        assert not sentence or sentence in text, text


main()
