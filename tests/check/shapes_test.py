"""heapgauge check on the shapes that leak checkers are tested with, and LeakSanitizer's API."""

import argparse
import json
import os
import subprocess
from concurrent.futures import ThreadPoolExecutor

NODE = 64
# Lost objects, and of them directly and in rings.
SHAPES = {
    "coroutine": (0, 0, 0),
    "register": (0, 0, 0),
    "interior": (0, 0, 0),
    "kernel": (0, 0, 0),
    "signal_stack": (0, 0, 0),
    "not_joined": (0, 0, 0),
    "joined": (1, 1, 0),
    "detached": (1, 1, 0),
    "argument": (1, 1, 0),
    "first_leaves": (64, 64, 0),
    "first_leaves_others": (65, 65, 0),
    "to_itself": (1, 1, 0),
    "unaligned": (1, 1, 0),
    "hidden": (1, 1, 0),
    "dead_stack": (1, 1, 0),
    "tree": (31, 1, 0),
    "inner_tree": (8, 1, 0),
    "ring_2": (2, 0, 2),
    "ring_5": (5, 0, 5),
    "ring_100": (100, 0, 100),
    "ring_with_tail": (4, 0, 2),
    "held_ring": (0, 0, 0),
    "large": (1, 1, 0),
    "ring_by_map": (4, 0, 4),
    "ring_by_function good": (3, 0, 3),  # the second overwrites what dead slots still have
    "ring_by_function ring_by_map good": (7, 0, 7),
    "weak_back": (0, 0, 0),
    "bad": (7, 7, 0),
    "good": (0, 0, 0),
}
# Lost and suppressed objects, and the status of the program itself.
API = {
    "ignore": (0, 0, 0),
    "disable": (0, 0, 0),
    "disable_and_lose": (1, 0, 0),
    "disable_elsewhere": (1, 0, 0),
    "root_region": (0, 0, 0),
    "recoverable": (1, 0, 41),
    "check_early": (0, 0, 6),
    "check_and_end": (1, 0, 23),
    "suppressed": (0, 1, 0),
}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--command", required=True)
    parser.add_argument("--host", required=True)
    parser.add_argument("--api", action="store_true")
    args = parser.parse_args()
    environment = {k: v for k, v in os.environ.items() if not k.startswith("HEAPGAUGE_")}

    def check(way):
        done = subprocess.run([args.command, "check", "--format", "json", "--error-exitcode", "0", "--", args.host, *way.split()], env=environment,
                              capture_output=True, text=True, timeout=240, check=False)
        return way, done

    with ThreadPoolExecutor(2) as pool:
        for way, done in pool.map(check, API if args.api else SHAPES):
            page = json.loads(done.stdout)
            groups = page["callsites"]
            told = [(c["function"], c["kind"], c["objects"], c["indirect_objects"]) for c in groups]
            print(way, page["lost_objects"], page["suppressed_objects"], done.returncode, told, done.stderr)
            if args.api:
                assert (page["lost_objects"], page["suppressed_objects"], done.returncode) == API[way], (way, API[way], done)
                continue
            objects, direct, rings = SHAPES[way]
            assert page["lost_objects"] == objects, (way, objects, page)
            assert sum(c["objects"] for c in groups if c["kind"] == "lost") == direct, (way, told)
            assert sum(c["objects"] for c in groups if c["kind"] == "ring") == rings, (way, told)
    if args.api:
        assert subprocess.run([args.host, "absent"], env=environment, timeout=60, check=False).returncode == 0
        preloaded = dict(environment, LD_PRELOAD=os.path.join(os.path.dirname(args.command), "../lib/libheapgauge.so"))
        assert subprocess.run([args.host, "absent"], env=preloaded, timeout=60, check=False).returncode == 0


main()
