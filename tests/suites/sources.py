"""Where a suite's sources come from: a tree that is given, or a source package of the distribution."""

import glob
import os
import shutil
import subprocess

# What each package is unpacked from: its archive, and the part of it that is wanted.
PACKAGES = {"glibc": ("glibc", None), "jemalloc": ("jemalloc", None), "mimalloc": ("mimalloc", None),
            "libcxx": ("llvm-toolchain-14", "*/libcxx/test/*")}
ELSEWHERE = {"libc-test": "no package has it; give its tree (git clone git://nsz.repo.hu:49100/repo/libc-test)"}


class Unavailable(Exception):
    """A sentence why there are no sources."""


def _run(command, where, log):
    done = subprocess.run(command, cwd=where, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, check=False)
    if done.returncode != 0:
        raise Unavailable(f"{os.path.basename(command[0])} failed, see {log.name}")


def _archives(package, where, log):
    """Downloads by a list of sources of our own: most machines have none of `deb-src`.  No rights are needed."""
    apt = os.path.join(where, "apt")
    os.makedirs(os.path.join(apt, "lists/partial"), exist_ok=True)
    release = dict(line.rstrip().split("=", 1) for line in open("/etc/os-release", encoding="utf-8") if "=" in line)
    name = release.get("VERSION_CODENAME", "").strip('"')
    if release.get("ID") != "debian" or not name:
        raise Unavailable("the sources are taken from Debian alone; give a tree")
    listed = os.path.join(apt, "sources.list")
    with open(listed, "w", encoding="utf-8") as file:
        file.write(f"deb-src http://deb.debian.org/debian {name} main\n"
                   f"deb-src http://deb.debian.org/debian-security {name}-security main\n")
    options = [f"-oDir::Etc::sourcelist={listed}", "-oDir::Etc::sourceparts=-", f"-oDir::State::lists={apt}/lists",
               "-oDir::Cache::pkgcache=", "-oDir::Cache::srcpkgcache=", "-oAcquire::Retries=2", "-oAPT::Sandbox::User=root"]
    _run(["apt-get", *options, "update"], where, log)
    _run(["apt-get", *options, "source", "--download-only", package], where, log)


def tree_of(suite, given, work):
    """The unpacked tree; Unavailable says why there is none."""
    if given:
        if not os.path.isdir(given):
            raise Unavailable(f"{given} is no directory")
        return os.path.realpath(given)
    if suite in ELSEWHERE:
        raise Unavailable(ELSEWHERE[suite])
    package, part = PACKAGES[suite]
    where = os.path.join(work, "sources", suite)
    tree = os.path.join(where, "tree")
    if os.path.isdir(tree):
        return tree
    for tool in ("apt-get", "dpkg-source", "tar"):
        if shutil.which(tool) is None:
            raise Unavailable(f"there is no {tool}; give a tree")
    os.makedirs(where, exist_ok=True)
    with open(os.path.join(where, "fetch.log"), "w", encoding="utf-8") as log:
        _archives(package, where, log)
        unfinished = tree + ".unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        if part is None:
            description, = glob.glob(os.path.join(where, "*.dsc"))
            _run(["dpkg-source", "--no-check", "-x", description, unfinished], where, log)
        else:
            os.makedirs(unfinished)
            archive, = glob.glob(os.path.join(where, f"{package}_*.orig.tar.*z"))
            _run(["tar", "-xf", archive, "-C", unfinished, "--strip-components=1", "--wildcards", part], where, log)
        os.rename(unfinished, tree)
    return tree
