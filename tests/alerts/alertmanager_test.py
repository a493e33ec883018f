"""The distribution's Alertmanager holds the alert, with function and line, and lets it go when the leak is mended."""

import json
import os
import shutil
import socket
import subprocess
import sys
import urllib.error
import urllib.request

from support import Service, check, main, wait_for

PROGRAM = shutil.which("prometheus-alertmanager")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def alerts(address):
    try:
        with urllib.request.urlopen(f"{address}/api/v2/alerts", timeout=10) as reply:
            return json.load(reply)
    except (urllib.error.URLError, ConnectionError):
        return None


def body(directory):
    configuration = os.path.join(directory, "alertmanager.yml")
    with open(configuration, "w", encoding="utf-8") as file:
        file.write("route:\n  receiver: nobody\nreceivers:\n- name: nobody\n")
    address = f"http://127.0.0.1:{free_port()}"
    manager = subprocess.Popen(
        [PROGRAM, f"--config.file={configuration}", f"--storage.path={directory}/store",
         f"--web.listen-address={address[len('http://'):]}", "--cluster.listen-address="],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for("alertmanager", lambda: alerts(address) is not None)
        with Service(directory, HEAPGAUGE_ALERT_URL=f"{address}/api/v2/alerts") as service:
            held = wait_for("the alert in alertmanager", lambda: alerts(address))
            check(len(held) == 1, held)
            labels = held[0]["labels"]
            check(labels["alertname"] == "HeapgaugeLeak", labels)
            check(labels["function"] == "forget_coupon", labels)
            check(os.path.basename(labels["file"]) == "leaking.c" and int(labels["line"]) > 0, labels)
            check("forget_coupon (leaking.c:" in held[0]["annotations"]["summary"], held)
            check(held[0]["status"]["state"] == "active", held)
            service.mend()
            wait_for("the alert resolved", lambda: alerts(address) == [])
            service.end()
    finally:
        manager.terminate()
        manager.wait(30)


if __name__ == "__main__":
    if PROGRAM is None:
        print("prometheus-alertmanager is not installed")
        sys.exit(77)
    main(body)
