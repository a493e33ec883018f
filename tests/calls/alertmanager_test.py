"""The distribution's Alertmanager holds a circle, and lets it go when it is over.
alertmanager_test.py HEAPGAUGE VICTIM EXAMPLES CASE"""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

from net import Net
from support import check, main

VICTIM = sys.argv[2]
SERVICE = VICTIM.replace("labels_victim", "labels_service")
PROGRAM = shutil.which("prometheus-alertmanager")
TURNS = ["gateway", "auth", "session", "auth", "session", "auth"]


def wait_for(what, condition, seconds=90):
    """Generous: the machine may be busy."""
    deadline = time.monotonic() + seconds
    while not condition():
        check(time.monotonic() < deadline, f"{what}: not within {seconds} s")
        time.sleep(0.1)


def holds_and_resolves(directory):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{probe.getsockname()[1]}"
    configuration = os.path.join(directory, "alertmanager.yml")
    with open(configuration, "w", encoding="utf-8") as file:
        file.write("route:\n  receiver: nobody\nreceivers:\n- name: nobody\n")

    def held():
        """{the process that sent it: the alert}; None: no answer."""
        try:
            with urllib.request.urlopen(f"{address}/api/v2/alerts", timeout=10) as reply:
                return {alert["labels"]["instance"]: alert for alert in json.load(reply)}
        except (urllib.error.URLError, ConnectionError):
            return None

    manager = subprocess.Popen(
        [PROGRAM, f"--config.file={configuration}", f"--storage.path={directory}/store",
         f"--web.listen-address={address[len('http://'):]}", "--cluster.listen-address="],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for("alertmanager", lambda: held() is not None)
        settings = {"HEAPGAUGE_ALERT_URL": f"{address}/api/v2/alerts", "HEAPGAUGE_REPORT_INTERVAL": "500ms"}
        with Net(SERVICE, directory, **settings) as net:
            net.go(["gateway", "auth", "session", "auth"], size=1 << 20, wait=True)  # a callback, not yet a circle
            sequence = net["auth"].report()["sequence"]
            wait_for("reports", lambda: net["auth"].report()["sequence"] >= sequence + 2)
            check(held() == {}, held())
            net.go(TURNS, size=1 << 20, wait=True)
            wait_for("the alerts of both members", lambda: len(held()) == 2)
            for alert in held().values():
                check(alert["labels"]["alertname"] == "HeapgaugeCircle"
                      and alert["labels"]["members"] == "auth,session", alert)
                check("auth and session call each other in a circle" in alert["annotations"]["summary"], alert)
                check(alert["status"]["state"] == "active", alert)
            # Nobody goes round any more, but the memory waits: they hold, as the ones they were.
            began = {name: alert["startsAt"] for name, alert in held().items()}
            sequence = net["auth"].report()["sequence"]
            wait_for("reports", lambda: net["auth"].report()["sequence"] >= sequence + 6)
            check({name: alert["startsAt"] for name, alert in held().items()} == began, held())
            for name in ("auth", "session"):
                net[name].tell("drop")
            wait_for("the alerts resolved", lambda: held() == {})
    finally:
        manager.terminate()
        manager.wait(30)


if PROGRAM is None:
    print("prometheus-alertmanager is not installed")
    sys.exit(77)
main({"holds_and_resolves": holds_and_resolves})
