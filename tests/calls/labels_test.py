"""Labels in whole programs: labels_test.py HEAPGAUGE VICTIM EXAMPLES CASE"""

import json
import os
import subprocess
import sys

from support import by_labels, check, command, glob, main, newest, reports, run, sums

HEAPGAUGE, VICTIM, EXAMPLES = sys.argv[1:4]


def victim(directory, case, **settings):
    run([VICTIM, case], directory, **settings)
    return newest(directory)


def plain(directory):
    report = victim(directory, "plain")
    expected = {(("route", "/a"),): 1000, (("route", "/a"), ("tenant", "blue")): 2000, (): 4000}
    check(by_labels(report) == expected, by_labels(report))
    routes = sums(report, "route")
    check(set(routes) == {"/a"} and routes["/a"]["live_bytes"] == 1000 + 2000 + 8000, routes)
    check(sums(report, "tenant")["blue"]["live_objects"] == 1, report["labels"])
    for site in report["sites"]:
        if site["live_bytes"] == 8000:
            check(site["labels"] == {"route": "/a"}, site["labels"])


def pprof(directory):
    """What the profile says of labels, by a reader of our own; and its totals are the report's."""
    victim(directory, "plain")
    path = os.path.join(directory, "report")
    again = json.loads(command(HEAPGAUGE, "report", os.path.join(path, "heap.pb.gz"), "--format", "json"))
    routes = {}
    for site in again["sites"]:
        key = tuple(sorted(site["labels"].items()))
        routes[key] = routes.get(key, 0) + site["live_bytes"]
    check(routes[(("route", "/a"),)] == 9000 and routes[(("route", "/a"), ("tenant", "blue"))] == 2000, routes)
    final = reports(path)[-1]
    in_sites = sum(site["live_bytes"] for site in final["sites"])
    check(abs(sum(routes.values()) - in_sites) < 100, (sum(routes.values()), in_sites))
    allocated = sum(site["allocated_bytes"] for site in final["sites"])
    check(abs(sum(site["allocated_bytes"] for site in again["sites"]) - allocated) < 100, allocated)


def by(directory):
    victim(directory, "plain")
    path = os.path.join(directory, "report")
    text = command(HEAPGAUGE, "report", path, "--by", "route").decode()
    row = next(line for line in text.splitlines() if line.endswith("/a"))
    check(row.split()[:2] == ["10.7", "KiB"], text)
    check("(without a label route)" in text, text)
    whole = json.loads(command(HEAPGAUGE, "report", path, "--by", "route", "--format", "json"))
    check(whole["key"] == "route" and whole["values"][0]["live_bytes"] == 11000, whole)
    check(abs(whole["unlabelled_bytes"] + 11000 - whole["live_bytes"]) < 1, whole)
    check("its labels: route, tenant" in command(HEAPGAUGE, "report", path, "--by", "rout").decode(), "no hint")
    command(HEAPGAUGE, "report", path, "--by", "route", "--format", "pprof", "-o", "x", status=2)


def odd(directory):
    report = victim(directory, "odd")
    found = by_labels(report)
    odd_ones = {key: size for key, size in found.items() if key}
    check(odd_ones.pop((("odd", ""),)) == 2000, found)
    check(len(odd_ones) == 6 and set(odd_ones.values()) == {1000}, found)
    values = [key[0][1] for key in odd_ones]
    check("a\nb\tc" in values and "\x1b[31mred" in values and "x=y,z;%2F" in values, values)
    check(any(value == "h" * 256 for value in values), [len(value) for value in values])
    check(found[()] == 3500, found)
    for name in ("report.txt",):
        with open(os.path.join(directory, "report", name), "rb") as file:
            check(b"\x1b" not in file.read(), "an escape sequence in report.txt")
    text = command(HEAPGAUGE, "report", os.path.join(directory, "report"), "--by", "odd").decode()
    check("\x1b" not in text and "\\x1b[31mred" in text, text)


def million(directory):
    report = victim(directory, "million")
    requests = sums(report, "request")
    check(len(requests) <= 100 and "other" in requests, list(requests)[:5])
    check(requests["other"]["live_bytes"] > 8_000_000, requests["other"])
    check(sums(report, "route")["/a"]["live_bytes"] == 10_000_000, report["labels"][:3])
    check(report["sampling"]["dropped"] == 0, report["sampling"])
    # The same in a small limit.
    small = victim(directory, "million", HEAPGAUGE_MEMORY_LIMIT="8MiB", HEAPGAUGE_SAMPLE_INTERVAL="4KiB",
                   HEAPGAUGE_OUTPUT=os.path.join(directory, "report"))
    check(small["sampling"]["memory_bytes"] <= 8 << 20, small["sampling"])


def wrong(directory):
    found = by_labels(victim(directory, "wrong"))
    expected = {(): 1000 + 1000 + 100 + 1000, (("thread", "mine"),): 2000, (("a", "outer"),): 4000}
    check(found == expected, found)


def forks(directory):
    report = victim(directory, "forks", HEAPGAUGE_CHILDREN="full")
    check(by_labels(report) == {(("route", "/fork"),): 17000, (): 100}, by_labels(report))
    children = [path for path in glob.glob(os.path.join(directory, "*", "**", "reports.jsonl"), recursive=True)
                if os.path.dirname(path) != os.path.join(directory, "report")]
    check(len(children) == 1, children)
    child = by_labels(reports(os.path.dirname(children[0]))[-1])
    check(child == {(("route", "/fork"),): 3000, (("route", "/child"),): 8000, (): 4000}, child)


def jumps(directory):
    check(by_labels(victim(directory, "jumps")) == {(): 1000}, "labels were left behind")


def execs(directory):
    """Scopes end with the program: the one that takes its place in the process has none of them."""
    found = by_labels(victim(directory, "execs"))
    check(found == {(("route", "/after"),): 4000, (): 2000}, found)
    before = by_labels(reports(os.path.join(directory, "report"))[0])
    check(before == {(("peer", "session"), ("route", "/before")): 1000}, before)


def scoped(directory, case):
    run([VICTIM.replace("labels_victim", "labels_scoped"), case], directory)
    return by_labels(newest(directory))


def exceptions(directory):
    found = scoped(directory, "exceptions")
    check(found == {(("at", "outer"),): 11000, (("at", "inner"),): 4000}, found)


def unwound(directory):
    """A cancelled thread unwinds its scopes; what it allocates afterwards, in destructors of its keys, is in none."""
    found = scoped(directory, "cancels")
    check(found == {(("waits", "for ever"),): 20000, (): 4200}, found)


def hands_over(directory):
    found = scoped(directory, "hands_over")
    check(found == {(("route", "/cart"),): 1000, (): 6000}, found)


def cancels(directory):
    found = by_labels(victim(directory, "cancels"))
    check(found == {(("waits", "for ever"),): 20000, (): 4000}, found)


def signals(directory):
    check(by_labels(victim(directory, "signals")) == {(): 1000, (("at", "work"),): 2000}, "labels got mixed up")


def storm(directory):
    report = victim(directory, "storm")
    peers = sums(report, "peer")
    check({peer: label["live_bytes"] for peer, label in peers.items()} == {"one": 1_200_000, "two": 1_200_000}, peers)


def sampled(directory):
    """By samples: within five sigma of what is alive."""
    report = victim(directory, "million", HEAPGAUGE_SAMPLE_INTERVAL="16KiB")
    label = sums(report, "route")["/a"]
    check(abs(label["live_bytes"] - 10_000_000) < 5 * label["live_bytes_stderr"], label)


def plain_example(directory):
    run([os.path.join(EXAMPLES, "labels_plain")], directory)
    routes = sums(newest(directory), "route")
    check({route: label["live_bytes"] for route, label in routes.items()} == {"/cart": 3e6, "/search": 1e6}, routes)


def coroutines(directory):
    run([os.path.join(EXAMPLES, "labels_coroutines")], directory)
    report = newest(directory)
    found = {}
    for key, size in by_labels(report, function="(anonymous namespace)::Keep(unsigned long)").items():
        found[key] = found.get(key, 0) + size
    check(found == {(("route", "/cart"),): 300_000, (("peer", "stock"), ("route", "/cart")): 300_000,
                    (("route", "/search"),): 150_000, (("peer", "index"), ("route", "/search")): 150_000}, found)


def absent(directory):
    """Where tracking has stepped aside all calls do nothing."""
    done = run([VICTIM.replace("labels_victim", "labels_bare")], directory, HEAPGAUGE_ONLY="no such program")
    check(done.stdout == b"0 0 0 [] 0\n", done.stdout)


main({name: value for name, value in globals().items() if callable(value)})
