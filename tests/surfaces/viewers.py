"""The viewers that people have, from their registry: installed once into a build directory.

usage: viewers.py DIRECTORY       installs; exit status 77 when there is no npm or it can't fetch them
"""
import pathlib
import shutil
import subprocess
import sys

PACKAGES = ("axe-core@4.10.3", "speedscope@1.25.0", "@firefox-devtools/profiler-cli@0.10.0")
SKIPPED = 77


def installed(directory):
    """Where the packages lie, None if they do not."""
    modules = pathlib.Path(directory) / "node_modules"
    names = (package.rsplit("@", 1)[0] for package in PACKAGES)
    return modules if all((modules / name / "package.json").exists() for name in names) else None


def main():
    directory = pathlib.Path(sys.argv[1])
    if installed(directory):
        return 0
    if not shutil.which("npm"):
        print("no npm: what needs viewers from its registry is skipped")
        return SKIPPED
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "package.json").write_text('{"private": true}\n', encoding="utf-8")
    done = subprocess.run(["npm", "install", "--no-package-lock", "--no-audit", "--no-fund", "--ignore-scripts", *PACKAGES],
                          cwd=directory, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=300)
    print(done.stdout)
    return 0 if done.returncode == 0 and installed(directory) else SKIPPED


if __name__ == "__main__":
    sys.exit(main())
