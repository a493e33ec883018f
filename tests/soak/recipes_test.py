"""The recipes of examples/ci are valid, and each of their steps is run here as the service of CI would run it: on a small
project with a defect and without, with the package from a file in place of a server, and a short soak.

  recipes_test.py BUILD RECIPES SERVICE CLIENT DIRECTORY

Steps that are somebody else's actions are not run: what they are given is read here instead.
"""
import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tarfile
import xml.etree.ElementTree

try:
    import yaml
except ImportError:
    print("SKIP: no python3-yaml")
    sys.exit(77)

BUILD, RECIPES, SERVICE, CLIENT, HERE = (pathlib.Path(os.path.abspath(argument)) for argument in sys.argv[1:])
TESTS = """#include <stdlib.h>
static void* kept;
static void* volatile lost;
static void Lose(void) { for (int i = 0; i < LOST; ++i) lost = malloc(64); lost = NULL; }
int main(void) { kept = malloc(10); Lose(); return kept == NULL; }
"""


def fail(text):
    sys.exit(f"FAIL: {text}")


def project(name, defect):
    """A checkout of somebody's project: make, unit_tests, service, load.sh."""
    where = HERE / name
    where.mkdir(parents=True)
    with socket.socket() as asked:
        asked.bind(("127.0.0.1", 0))
        port = asked.getsockname()[1]
    (where / "unit_tests.c").write_text(TESTS)
    (where / "Makefile").write_text(f"unit_tests: unit_tests.c\n\tcc -g -DLOST={3 if defect else 0} -o $@ $<\n")
    for file, text in (("load.sh", f"exec {CLIENT} {port} 200\n"),
                       ("service", f"exec {SERVICE} {port} {'keep=4096' if defect else 'once=20'}\n")):
        (where / file).write_text("#!/bin/sh\n" + text)
        (where / file).chmod(0o755)
    return where


def package():
    """What root_image makes, by links to the build."""
    path = HERE / "heapgauge.tar"
    with tarfile.open(path, "w") as tar:
        for name in ("bin/heapgauge", "lib/libheapgauge.so", "lib/libheapgauge-core.so",
                     "libexec/heapgauge/heapgauge-symbolize"):
            link = tarfile.TarInfo(name)
            link.type, link.linkname = tarfile.SYMTYPE, str(BUILD / name)
            tar.addfile(link)
    return path


def shell(command, where, environment):
    done = subprocess.run(["bash", "-e", "-o", "pipefail", "-c", command], cwd=where, env=environment, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=300, check=False)
    print(f"$ {command.strip()}\n{done.stdout}-> {done.returncode}")
    if "is not a variable" in done.stdout:
        fail("a variable of the recipe is taken for one of heapgauge's")
    return done.returncode


def environment_of(recipe, **more):
    """The recipe's own variables, less those that a user sets."""
    environment = {"PATH": os.environ["PATH"], "HOME": str(HERE), "LC_ALL": "C"}
    environment.update({name: str(value) for name, value in recipe.items()})
    if set(recipe) != {"HG_PACKAGE", "SOAK_LENGTH"}:
        fail(f"variables of the recipe: {recipe}")
    environment.update(HG_PACKAGE=f"file://{HERE}/heapgauge.tar", SOAK_LENGTH="--iterations 3 --confirm 4", **more)
    return environment


def github(defect):
    recipe = yaml.safe_load((RECIPES / "github.yml").read_text())
    if recipe["permissions"]["security-events"] != "write" or True not in recipe and "on" not in recipe:
        fail("the workflow can't upload SARIF, or starts for nothing")
    for name, job in recipe["jobs"].items():
        if name == "soak" and not defect:
            continue  # the other recipe shows it
        where = project(f"github-{name}-{defect}", defect)
        temporary = where / "temporary"
        temporary.mkdir()
        path, summary = where / "path", where / "summary.md"
        environment = environment_of(recipe["env"], RUNNER_TEMP=str(temporary), GITHUB_PATH=str(path),
                                     GITHUB_STEP_SUMMARY=str(summary))
        failed, uses = [], []
        for step in job["steps"]:
            if failed and step.get("if") != "always()":
                continue
            if "uses" in step:
                uses.append(step["uses"].partition("@")[0])
                files = [value for key, value in step.get("with", {}).items() if key in ("path", "sarif_file")]
                if not all((where / file).exists() for file in files):
                    fail(f"{step['uses']}: {files} are not there")
                continue
            if shell(step["run"], where, environment) != 0:
                failed.append(step["name"])
            if path.exists():
                environment["PATH"] = path.read_text().strip().replace("\n", ":") + ":" + os.environ["PATH"]
        if failed != ([{"lost": "check", "soak": "soak"}[name]] if defect else []):
            fail(f"github, {name}, defect {defect}: failed at {failed}")
        if name == "lost":
            sarif = json.loads((where / "lost.sarif").read_text())
            results = sarif["runs"][0]["results"]
            if sarif["version"] != "2.1.0" or bool(results) != defect or "github/codeql-action/upload-sarif" not in uses:
                fail(f"github: {sarif} for {uses}")
            if defect:
                place = results[0]["locations"][0]["physicalLocation"]
                if place["artifactLocation"]["uri"] != "unit_tests.c" or place["region"]["startLine"] != 4:
                    fail(f"github: lost at {place}")
        elif ("KeepForEver" in summary.read_text()) != defect:
            fail(f"github: the summary says {summary.read_text()}")


def gitlab(defect):
    recipe = yaml.safe_load((RECIPES / "gitlab-ci.yml").read_text())
    template = recipe[".heapgauge"]
    for name, test in (("lost", "Lose"), ("soak", "KeepForEver")):
        if name == "soak" and defect:
            continue  # as above
        where = project(f"gitlab-{name}-{defect}", defect)
        job = {**template, **recipe[name]}
        if recipe[name]["extends"] != ".heapgauge" or job["artifacts"]["when"] != "always":
            fail(f"gitlab: {job}")
        # As the runner does: one shell for all lines.
        status = shell("\n".join(job["before_script"] + job["script"]), where, environment_of(recipe["variables"]))
        if status != (1 if defect else 0):
            fail(f"gitlab, {name}, defect {defect}: status {status}")
        report = where / job["artifacts"]["reports"]["junit"]
        suites = xml.etree.ElementTree.parse(report).getroot()
        failures = list(suites.iter("failure"))
        if bool(failures) != defect or not list(suites.iter("testcase")) or (defect and test not in report.read_text()):
            fail(f"gitlab, {name}: {report.read_text()}")
        for path in job["artifacts"].get("paths", []):
            if not os.listdir(where / path):
                fail(f"gitlab: {path} is empty")


shutil.rmtree(HERE, ignore_errors=True)
HERE.mkdir(parents=True)
package()
for defect in (True, False):
    github(defect)
    gitlab(defect)
