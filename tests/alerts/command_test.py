"""The helper and the alert command: its input, its environment, and commands that fail or hang."""

import json
import os
import subprocess
import time

from support import HELPER, ask_helper, check, main


def once_for_each_event(directory):
    out = os.path.join(directory, "got")
    said, _ = ask_helper(exec=f"cat >> {out}", events=['{"n":1}', '{"n":2}'])
    check(said == "delivered", said)
    with open(out, encoding="utf-8") as file:
        check([json.loads(line)["n"] for line in file] == [1, 2], "not one line for each event, in order")


def environment_and_directory(directory):
    """Those of the watched process, less heapgauge."""
    environment = {"PATH": os.environ["PATH"], "SECRET_OF_SERVICE": "42", "HEAPGAUGE_ALERT_EXEC": "x",
                   "LD_PRELOAD": ""}
    service = subprocess.Popen(["sleep", "60"], cwd=directory, env=environment)
    try:
        said, _ = ask_helper(exec="env > got_environment", events=["{}"], host_pid=service.pid)
        check(said == "delivered", said)
    finally:
        service.kill()
        service.wait()
    with open(os.path.join(directory, "got_environment"), encoding="utf-8") as file:
        got = file.read()
    check("SECRET_OF_SERVICE=42\n" in got, got)
    check("HEAPGAUGE_" not in got, got)


def input_not_read(_):
    said, _ = ask_helper(exec="exit 0", events=["x" * 1_000_000])
    check(said == "delivered", said)


def failing(_):
    said, _ = ask_helper(exec="exit 3", events=["{}"])
    check(said == "'exit 3' ended with status 3", said)
    said, _ = ask_helper(exec="/no/such/command", events=["{}"])
    check("ended with status 127" in said, said)
    said, _ = ask_helper(exec="kill -9 $$", events=["{}"])
    check("ended by signal 9" in said, said)


def hanging(directory):
    """Killed with what it started, and the next event still gets its turn."""
    marker = os.path.join(directory, "child")
    command = f"sleep 300 & echo $! >> {marker}; wait"
    said, took = ask_helper(exec=command, events=["{}", "{}"], exec_limit_ms=1500)
    check("took longer than" in said, said)
    check(took < 60, f"{took} s")
    with open(marker, encoding="utf-8") as file:
        children = [int(line) for line in file]
    check(len(children) == 2, children)
    for _ in range(100):
        alive = [pid for pid in children if os.path.exists(f"/proc/{pid}/exe") and os.readlink(f"/proc/{pid}/exe")]
        if not alive:
            return
        time.sleep(0.05)
    check(False, f"left behind: {alive}")


def not_for_people(_):
    done = subprocess.run([HELPER], input=b"hello", capture_output=True, check=False)
    check(done.returncode == 2, done.returncode)
    check(done.stderr.startswith(b"heapgauge-alert: is started by the library"), done.stderr)


def body(directory):
    for case in [once_for_each_event, environment_and_directory, input_not_read, failing, hanging, not_for_people]:
        print(case.__name__, flush=True)
        case(directory)


if __name__ == "__main__":
    main(body)
