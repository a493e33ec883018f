"""Attributes of OpenTelemetry's thread context as labels.  context_test.py HEAPGAUGE VICTIM EXAMPLES CASE"""

import os
import sys

from support import by_labels, check, glob, main, newest, reports, run, sums

HEAPGAUGE, VICTIM, EXAMPLES = sys.argv[1:4]
HERE = os.path.dirname(VICTIM)
PROGRAM = os.path.join(HERE, "labels_context_program")
PLAIN = os.path.join(HERE, "labels_context_plain")
# How a library reaches its own variable, and whether the loader has room for it in each thread from the start on.
LIBRARIES = [os.path.join(HERE, f"liblabels_context_{model}.so") for model in ("dynamic", "descriptor", "initial", "sysv")]


def ways():
    """(what, argv, settings): the variable in the program, in a library from the start on, and in one that comes later."""
    yield "in the program", [PROGRAM], {}
    for library in LIBRARIES:
        if os.path.exists(library):
            name = os.path.basename(library)
            yield f"{name} from the start on", [PLAIN], {"LD_PRELOAD": library}
            yield f"{name} loaded later", [PLAIN, library], {}


def victim(directory, case, argv, settings):
    where = os.path.join(directory, f"{case}{len(os.listdir(directory))}")
    os.mkdir(where)
    run([argv[0], case, *argv[1:]], where, **settings)
    return where


def route(value):
    return (("http.route", value),)


def plain(directory):
    for what, argv, settings in ways():
        found = by_labels(newest(victim(directory, "plain", argv, settings)))
        three = (("http.method", "POST"), ("http.route", "/b"), ("tenant", "blue"))
        own = (("http.method", "POST"), ("http.route", "/mine"), ("tenant", "blue"))
        check(found == {route("/a"): 1000, three: 2000, own: 4000, route("/heap"): 16000, route("/thread"): 10000,
                        route("/stack"): 20000, (): 100 + 8000 + 40000 + 100000}, (what, found))


def half(directory):
    for what, argv, settings in list(ways())[:3]:
        found = by_labels(newest(victim(directory, "half", argv, settings)))
        check(found == {(("tenant", "blue"),): 1000, route("/untraced"): 2000, route("/good"): 4000,
                        (): 100 * (255 + 8 + 2)}, (what, found))


def hostile(directory):
    for what, argv, settings in ways():
        found = by_labels(newest(victim(directory, "hostile", argv, settings)))
        edge = found.pop(route("/edge"))
        check(edge == 2 * 1000 + 2000 + 4000, (what, edge))
        check(found.pop(()) % 100 == 0, (what, found))
        check(found.pop(route("a\0b")) == 5000, (what, found))
        check(len(found) == 1 and list(found.values()) == [3000], (what, found))
        key, value = list(found)[0][0]
        check(key == "http.route" and '"<b>\n\x1b[31m' in value, (what, found))


def names(directory):
    where = victim(directory, "names", [PROGRAM], {})
    all_reports = [report for report in reports(os.path.join(where, "report")) if not report["final"]]
    known = [by_labels(report) == {route("/a"): 1000} for report in all_reports]
    check(known == [False] * 15 + [True, False], known)
    check(all(by_labels(report) == {(): 1000} for report in all_reports[:15]), "names from nowhere")
    check(by_labels(all_reports[-1]) == {route("/a"): 1000, (("peer", "database"),): 2000}, by_labels(all_reports[-1]))
    check([call["peer"] for call in all_reports[-1]["calls"]] == ["database"], all_reports[-1]["calls"])


def modules(directory):
    """Loaded and unloaded, twenty times."""
    for library in LIBRARIES:
        if os.path.exists(library):
            found = by_labels(newest(victim(directory, "modules", [PLAIN, library], {})))
            check(found == {route("/a"): 2000, (): 1000}, (library, found))


def forks(directory):
    where = victim(directory, "forks", [PROGRAM], {"HEAPGAUGE_CHILDREN": "full"})
    check(by_labels(newest(where)) == {route("/a"): 9000}, by_labels(newest(where)))
    children = [path for path in glob.glob(os.path.join(where, "*", "**", "reports.jsonl"), recursive=True)
                if os.path.dirname(path) != os.path.join(where, "report")]
    check(len(children) == 1, children)
    child = by_labels(reports(os.path.dirname(children[0]))[-1])
    check(child == {route("/a"): 3000, route("/child"): 4000}, child)


def storm(directory):
    for what, argv, settings in list(ways())[:3]:
        report = newest(victim(directory, "storm", argv, settings))
        routes = sums(report, "http.route")
        check(len(routes) == 5 and all(label["live_bytes"] == 8 * 400 * 100 for label in routes.values()), (what, routes))


def sampled(directory):
    """By samples: what is kept under a context, within five sigma."""
    where = victim(directory, "storm", [PROGRAM], {"HEAPGAUGE_SAMPLE_INTERVAL": "8KiB"})
    for label in sums(newest(where), "http.route").values():
        check(abs(label["live_bytes"] - 320000) < 5 * label["live_bytes_stderr"], label)


main({name: value for name, value in globals().items() if callable(value)})
