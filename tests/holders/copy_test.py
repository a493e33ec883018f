"""heapgauge holders --exact: what is found in a copy of the process, what that costs, and when none is made; and the C API.

Nothing is measured in seconds: the program goes on until the answer is there, or until PATIENCE_S is over.
"""

import argparse
import json
import os
import subprocess
import tempfile
import time

PATIENCE_S = 120


def children(pid):
    found = []
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/children", encoding="utf-8") as file:
            found += file.read().split()
    return found


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--lib", required=True)
    parser.add_argument("--host", required=True)
    parser.add_argument("--command", required=True)
    parser.add_argument("how")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        out = os.path.join(folder, "out")
        base = {k: v for k, v in os.environ.items() if not k.startswith("HEAPGAUGE_")}
        base["XDG_RUNTIME_DIR"] = folder
        all_of_it = args.how == "kept_all"
        api = args.how == "api"
        host = subprocess.Popen(
            [args.host, {"kept_all": "kept", "api": "asks"}.get(args.how, args.how)], stdout=subprocess.PIPE, text=True,
            env=dict(base, HEAPGAUGE_OUTPUT=out, HEAPGAUGE_REPORT_INTERVAL="300ms", HEAPGAUGE_SYMBOLIZE="names",
                     HEAPGAUGE_SAMPLE_INTERVAL="1" if all_of_it else "16KiB", HEAPGAUGE_HOLDERS="ask",
                     LD_PRELOAD=os.path.join(args.lib, "libheapgauge.so")))

        def reports():
            try:
                with open(os.path.join(out, "reports.jsonl"), encoding="utf-8") as lines:
                    return [json.loads(line) for line in lines.read().split("\n")[:-1]]
            except FileNotFoundError:
                return []

        def of_line(callsites):
            return next((c for c in callsites if c["function"].startswith("make_session_load")), None)

        def exact(*words):
            return subprocess.run([args.command, "holders", str(host.pid), "--exact", "--json", *words], env=base, capture_output=True,
                                  text=True, timeout=PATIENCE_S, check=False)

        def wait_for(what):
            end = time.monotonic() + PATIENCE_S
            while not what():
                assert time.monotonic() < end, "it does not come"
                assert host.poll() is None, f"the host ended with {host.returncode}"
                time.sleep(0.1)

        try:
            if api:
                # It says itself what it was answered, and the report that it waited for has the holder.
                assert host.stdout.readline() == "0\n"
                held = of_line(reports()[-1]["callsites"])["held"]
                # Who asks has the newest session on its stack, too.
                assert held and held["lost_objects"] == 0 and held["holders"][0]["name"] in ("g_sessions", "main"), held
                return
            wait_for(lambda: len(reports()) >= 8 and of_line(reports()[-1]["callsites"]))
            if args.how == "large":
                done = exact()
                assert done.returncode == 2 and not done.stdout and "may stand still" in done.stderr, done
                assert "20 ms are the most" in done.stderr, done
                done = subprocess.run([args.command, "holders", out, "--exact"], env=base, capture_output=True, text=True, check=False)
                assert done.returncode == 2 and "--exact" in done.stderr, done
                return
            named = False
            for turn in range(10):
                if turn >= 3 and named:
                    break
                done = exact("make_session")
                print(done.stderr)
                assert done.returncode == 0, done
                said = done.stderr.splitlines()
                assert "a copy of " in said[0] and " ms" in said[0] and "the copy was made in" in said[-1], said
                callsite = of_line(json.loads(done.stdout)["callsites"])
                held = callsite["held"]
                print(json.dumps(held, indent=1))
                assert held["checked_objects"] > 0 and host.poll() is None, held
                if args.how in ("lost", "storm"):
                    assert held["lost_share"] >= 0.9 or held["checked_objects"] < 10, held
                    named = named or held["checked_objects"] >= 10
                else:
                    assert held["lost_objects"] == 0, held
                    named = named or not args.how.startswith("kept")
                # While it is linked in, the newest session is held from the stack, and all others by it.
                named = named or (bool(held["holders"]) and held["holders"][0]["name"] == "g_sessions" and held["holders"][0]["share"] >= 0.9)
                if all_of_it:
                    # All that was old enough, not a choice of it.
                    assert held["checked_objects"] > 1024 or held["checked_objects"] > 0.5 * callsite["live_objects"], callsite
                if args.how != "storm":
                    assert children(host.pid) == [], "the copy is still there"
            assert named, "never held by g_sessions, or never enough to tell"
            if args.how == "lost":  # without a name, what has lost something is shown
                done = exact()
                assert done.returncode == 0 and of_line(json.loads(done.stdout)["callsites"]), done
        finally:
            host.kill()
            host.wait()


main()
