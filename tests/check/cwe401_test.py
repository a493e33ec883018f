"""heapgauge check on bad and good code for CWE 401: all that is bad is told, once each, and nothing that is good."""

import argparse
import json
import os
import subprocess
from concurrent.futures import ThreadPoolExecutor


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--command", required=True)
    parser.add_argument("--host", required=True)
    args = parser.parse_args()
    environment = {k: v for k, v in os.environ.items() if not k.startswith("HEAPGAUGE_")}
    listed = subprocess.run([args.host], capture_output=True, text=True, check=True).stdout.split()
    flows = dict(zip(listed[::2], map(int, listed[1::2])))
    assert len(flows) == 14, flows

    def check(way):
        flow, kind = way
        done = subprocess.run([args.command, "check", "--format", "json", "--error-exitcode", "0", "--", args.host, flow, kind],
                              env=environment, capture_output=True, text=True, timeout=240, check=False)
        return flow, kind, json.loads(done.stdout)

    wrong = []
    with ThreadPoolExecutor(2) as pool:
        for flow, kind, page in pool.map(check, [(flow, kind) for flow in flows for kind in ("bad", "good")]):
            expected = flows[flow] if kind == "bad" else 0
            if page["lost_objects"] != expected:
                wrong.append((flow, kind, page["lost_objects"], [c["function"] for c in page["callsites"]]))
    print(f"{2 * len(flows)} ways of {flows['Plain']} kinds of memory")
    assert not wrong, wrong


main()
