"""heapgauge holders, of a process and of a directory; and HEAPGAUGE_HOLDERS=ask, which acts when it is asked alone."""

import argparse
import json
import os
import subprocess
import tempfile
import time

PATIENCE_S = 120


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--lib", required=True)
    parser.add_argument("--host", required=True)
    parser.add_argument("--command", required=True)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        out = os.path.join(folder, "out")
        base = {k: v for k, v in os.environ.items() if not k.startswith("HEAPGAUGE_")}
        base["XDG_RUNTIME_DIR"] = folder
        preload = os.path.join(args.lib, "libheapgauge.so")

        def start(how, holders, directory):
            return subprocess.Popen(
                [args.host, how],
                env=dict(base, HEAPGAUGE_OUTPUT=directory, HEAPGAUGE_REPORT_INTERVAL="300ms", HEAPGAUGE_SYMBOLIZE="names",
                         HEAPGAUGE_SAMPLE_INTERVAL="16KiB", HEAPGAUGE_HOLDERS=holders, LD_PRELOAD=preload))

        def holders(*words):
            return subprocess.run([args.command, "holders", *words], env=base, capture_output=True, text=True, timeout=PATIENCE_S,
                                  check=False)

        def reports(directory):
            try:
                with open(os.path.join(directory, "reports.jsonl"), encoding="utf-8") as lines:
                    return [json.loads(line) for line in lines.read().split("\n")[:-1]]
            except FileNotFoundError:
                return []

        def of_line(callsites):
            return next((c for c in callsites if c["function"].startswith("make_session_load")), None)

        def wait_for(what):
            end = time.monotonic() + PATIENCE_S
            while not what():
                assert time.monotonic() < end, "it does not come"
                time.sleep(0.1)

        asked = start("kept", "ask", out)
        refuses = start("kept", "off", out + "2")
        try:
            wait_for(lambda: len(reports(out)) >= 12 and of_line(reports(out)[-1]["callsites"]))
            assert all(c["held"] is None for r in reports(out) for c in r["callsites"]), "it was not asked"

            done = holders(str(asked.pid), "make_session", "--json")
            assert done.returncode == 0, done
            page = json.loads(done.stdout)
            assert page["schema"] == "heapgauge.holders/1" and page["pid"] == asked.pid, page
            assert len(page["callsites"]) == 1, page
            held = page["callsites"][0]["held"]
            print(json.dumps(held, indent=1))
            first = held["holders"][0]
            assert first["kind"] == "global" and first["name"] == "g_sessions" and first["share"] >= 0.9, held
            assert held["lost_share"] <= 0.05 and held["checked_objects"] > 0, held

            done = holders(str(asked.pid))
            print(done.stdout)
            assert done.returncode == 0 and "kept in g_sessions (holders_host .bss)" in " ".join(done.stdout.split()), done

            # The answer stands in the reports that come.
            wait_for(lambda: (of_line(reports(out)[-1]["callsites"]) or {}).get("held"))
            done = holders(out, "--json")
            assert done.returncode == 0, done
            callsite = of_line(json.loads(done.stdout)["callsites"])
            assert callsite["held"]["holders"][0]["name"] == "g_sessions", callsite
            done = holders(out, callsite["id"])
            assert done.returncode == 0 and "g_sessions" in done.stdout, done
            assert holders(out, f"#{callsite['rank']}").stdout == done.stdout

            for words, said in [((str(asked.pid), "no_such_function"), "no_such_function"), ((out, "no_such"), "no_such"), ((), "PID"),
                                ((os.path.join(folder, "none"),), "none"), ((str(refuses.pid),), "HEAPGAUGE_HOLDERS"),
                                (("1",), "1")]:
                done = holders(*words)
                assert done.returncode == 2 and said in done.stderr and not done.stdout, (words, done)
        finally:
            for process in (asked, refuses):
                process.kill()
                process.wait()


main()
