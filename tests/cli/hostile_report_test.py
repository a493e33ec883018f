"""`heapgauge report` reads what somebody made to harm it: no crash, no endless time or memory, one line of error or a
report, and nothing on the terminal that it obeys."""

import gzip
import json
import os
import random
import re
import resource
import subprocess
import sys
import tempfile

CONTROLS = re.compile(rb"[\x00-\x09\x0b-\x1f\x7f]|\xc2[\x80-\x9f]")
MOST_BYTES = 1 << 30  # of address space
MOST_S = 30
EVIL = "\x1b]0;stolen\x07\x1b[2J\u009b31m\r\n\x00\u202e"


def fail(text):
    print(f"FAILED: {text}", file=sys.stderr)
    sys.exit(1)


def frame():
    return {"function": EVIL, "file": EVIL, "line": 1, "module": EVIL, "module_offset": 1, "inlined": False}


def site(**more):
    return {"rank": 1, "id": EVIL, "verdict": EVIL, "confidence": 0.5, "evidence": EVIL, "live_bytes": 1,
            "labels": {EVIL: EVIL}, "frames": [frame()], **more}


def report(**more):
    return {"schema": "heapgauge.report/1", "sequence": 1, "time": EVIL, "pid": 1, "exe": EVIL, "host": EVIL,
            "build_id": EVIL, "verdict": EVIL, "evidence": EVIL, "sites": [site()], "modules": {EVIL: EVIL}, **more}


def line(value):
    return json.dumps(value).encode() + b"\n"


def replaced(key, text):
    """A report whose number `key` is written as `text`."""
    return line(report(**{key: 4711})).replace(b"4711", text)


def cases():
    yield "terminal commands in every text", line(report()), True
    yield "deep arrays", b"[" * 20_000_000, False
    yield "deep objects", b'{"a":' * 5_000_000, False
    yield "deep below a key", line(report())[:-2] + b', "x": ' + b"[" * 5_000_000 + b"]" * 5_000_000 + b"}\n", False
    yield "brackets in a text are no depth", line(report(evidence="[{" * 100_000)), True
    for text in (b"1e999", b"-1e999", b"99999999999999999999999999", b"1" * 100_000, b"NaN", b"Infinity", b"-0", b"0x10",
                 b"1e-999", b"18446744073709551616", b"-9223372036854775809", b"null", b'"7"', b"[]", b"{}", b"true"):
        for key in ("sequence", "pid", "uptime_s", "sites_total"):
            yield f"{key} {text[:20]!r}", replaced(key, text), None
    big = 1.7e308
    yield "huge figures", line(report(sites=[site(live_bytes=big, growth_bytes_per_s=-big, age_max_s=big, live_objects=big,
                                                  allocated_bytes=big, confidence=big, growth_low=-big)],
                                      totals={"live_bytes": big, "growth_bytes_per_s": big},
                                      forecast={"limit_bytes": 2**63, "limit_source": EVIL, "seconds_to_limit": big,
                                                "seconds_low": -big, "seconds_high": None})), True
    yield "an index beyond the frames", line(report(sites=[site(callsite=10**6)])), True
    yield "a site without frames", line(report(sites=[site(frames=[])])), True
    yield "thirty thousand frames", line(report(sites=[site(frames=[frame()] * 30_000)])), True
    yield "five thousand sites", line(report(sites=[site()] * 5_000)), True
    yield "a name of three megabytes", line(report(exe="x" * 3_000_000)), True
    yield "templates without end", line(report(sites=[site(frames=[dict(frame(), function="a<" * 200_000)])])), True
    yield "one line of 140 MB", b" " * 1_000 + b"x" * 140_000_000, False
    yield "broken UTF-8", line(report(exe="QQQQ")).replace(b"QQQQ", b"\xff\xfe\xc0\xaf\xed\xa0\x80"), None
    yield "zeros", bytes(3_000_000), False
    yield "a profile", gzip.compress(bytes(20_000_000), 9), False
    yield "nothing", b"", False
    noise = random.Random(1)
    whole = line(report())
    for number in range(40):
        damaged = bytearray(whole)
        for _ in range(noise.randrange(1, 30)):
            damaged[noise.randrange(len(damaged) - 1)] = noise.randrange(256)
        yield f"damage {number}", bytes(damaged), None


def limits():
    resource.setrlimit(resource.RLIMIT_AS, (MOST_BYTES, MOST_BYTES))


def main():
    command = sys.argv[1]
    with tempfile.TemporaryDirectory() as directory:
        path = os.path.join(directory, "reports.jsonl")
        for what, content, readable in cases():
            with open(path, "wb") as file:
                file.write(content)
            forms = ("text", "json", "folded", "pprof") if readable else ("text",)
            for form in forms:
                try:
                    done = subprocess.run([command, "report", path, "--format", form], check=False,
                                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=MOST_S,
                                          preexec_fn=limits)
                except subprocess.TimeoutExpired:
                    fail(f"{what}: still reading after {MOST_S} s")
                if done.returncode not in ((0,) if readable else (2,) if readable is False else (0, 2)):
                    fail(f"{what}, {form}: status {done.returncode}: {done.stderr[:400]!r}")
                if done.returncode == 2 and (done.stderr.count(b"\n") > 3 or not done.stderr.startswith(b"heapgauge: ")):
                    fail(f"{what}, {form}: {done.stderr[:400]!r}")
                seen = done.stderr + (done.stdout if form != "pprof" else b"")
                found = CONTROLS.search(seen)
                if found:
                    fail(f"{what}, {form}: shows {seen[max(0, found.start() - 30):found.end() + 30]!r}")
                if b"memory" in done.stderr or b"bad_alloc" in done.stderr:
                    fail(f"{what}, {form}: it took more than {MOST_BYTES >> 20} MiB: {done.stderr[:200]!r}")
    print("ok")


main()
