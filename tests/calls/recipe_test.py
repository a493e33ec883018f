"""The recipe of docs/calls.md for CI, as it stands there, over an integration test of examples/auth_services.
recipe_test.py HEAPGAUGE VICTIM EXAMPLES CASE"""

import os
import re
import subprocess
import sys

from support import check, main

HEAPGAUGE, VICTIM, EXAMPLES = sys.argv[1:4]
DOCS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "docs", "calls.md")
PROGRAM = os.path.join(EXAMPLES, "..", "..", "bin", "auth_service")
MAP = ["auth -> session", "gateway -> auth", "session -> database"]

# What somebody's integration test may be: three services, and requests to them for some seconds.
INTEGRATION = """#!{python}
import concurrent.futures, os, subprocess, time, urllib.request
services = {{}}
for role in ("gateway", "auth", "session"):
    process = subprocess.Popen(["{program}", role, "--work-ms", "300", "--timeout", "2"], stdout=subprocess.PIPE,
                               stderr=subprocess.DEVNULL, text=True, env=os.environ | {{"HEAPGAUGE_SERVICE": role}})
    line = process.stdout.readline()
    services[role] = (process, *(int(word) for word in line.rsplit(":", 1)[1].split(", admin ")))
def tell(role, query):
    urllib.request.urlopen(urllib.request.Request(f"http://127.0.0.1:{{services[role][2]}}/set?{{query}}", b""), timeout=20)
tell("gateway", f"auth={{services['auth'][1]}}")
tell("auth", f"session={{services['session'][1]}}")
tell("session", f"auth={{services['auth'][1]}}&query_ms=300&circle={circle}")
end = time.monotonic() + 2.5
def customer(number):
    while time.monotonic() < end:
        request = urllib.request.Request(f"http://127.0.0.1:{{services['gateway'][1]}}/token", b"",
                                         {{"token": f"opaque-{{number}}"}})
        try:
            urllib.request.urlopen(request, timeout=5)
        except OSError:
            pass
with concurrent.futures.ThreadPoolExecutor(8) as pool:
    list(pool.map(customer, range(8)))
for process, *_ in services.values():
    process.terminate()
for process, *_ in services.values():
    process.wait(60)
"""


def recipe(directory, circle):
    with open(DOCS, encoding="utf-8") as file:
        section = re.search(r"### In CI\n.*?```sh\n(.*?)```", file.read(), re.S)
    with open(os.path.join(directory, "integration_test"), "w", encoding="utf-8") as file:
        file.write(INTEGRATION.format(python=sys.executable, program=os.path.abspath(PROGRAM), circle=circle))
    os.chmod(os.path.join(directory, "integration_test"), 0o755)
    with open(os.path.join(directory, "services.txt"), "w", encoding="utf-8") as file:
        file.writelines(line + "\n" for line in MAP)
    bin_directory = os.path.join(directory, "bin")
    os.mkdir(bin_directory)
    os.symlink(HEAPGAUGE, os.path.join(bin_directory, "heapgauge"))
    return subprocess.run(["sh", "-e", "-c", section.group(1)], cwd=directory, capture_output=True, text=True,
                          env=os.environ | {"PATH": f"{bin_directory}:{os.environ['PATH']}"}, timeout=240, check=False)


def picture(directory):
    with open(os.path.join(directory, "services.dot"), encoding="utf-8") as file:
        return file.read()


def without_circle(directory):
    done = recipe(directory, 0)
    check(done.returncode == 0, f"{done.returncode}: {done.stdout}{done.stderr}")
    for line in MAP:
        client, server = line.split(" -> ")
        check(f'"{client}" -> "{server}"' in picture(directory), picture(directory))
    # A dependency that the kept map does not have ends it, too.
    with open(os.path.join(directory, "services.now"), encoding="utf-8") as file:
        check(file.read().splitlines() == MAP, "map")


def with_circle(directory):
    done = recipe(directory, 1)
    check(done.returncode == 1, f"{done.returncode}: {done.stdout}{done.stderr}")
    check("CIRCLE: auth and session call each other in a circle" in " ".join(done.stdout.split()), done.stdout)
    check('"session" -> "auth"' in picture(directory) and not os.path.exists(os.path.join(directory, "services.now")),
          picture(directory))


main({"without_circle": without_circle, "with_circle": with_circle})
