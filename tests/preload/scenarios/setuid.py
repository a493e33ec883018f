"""A program that runs with more rights than its caller: LD_PRELOAD is the loader's to ignore, and when heapgauge is
linked into the program, the caller's HEAPGAUGE_* and TMPDIR are ignored too, with and without PATH."""

import os
import shutil
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import harness

NOBODY = 65534


def body():
    options = harness.arguments(__doc__)
    if os.geteuid() != 0:
        harness.skip("needs root")
    with harness.Rig(options) as rig:
        os.chmod(rig.top, 0o755)
        programs = os.path.join(rig.top, "programs")
        os.mkdir(programs)
        for name in ("reporting", "reporting_linked"):
            shutil.copy(rig.victim(name), programs)
            os.chown(os.path.join(programs, name), 1, 1)
            os.chmod(os.path.join(programs, name), 0o4755)
        for name in os.listdir(rig.lib):
            # Where anybody may read it; the linked program finds it by its RUNPATH.
            if name.startswith("libheapgauge"):
                source = os.path.join(rig.lib, name)
                if os.path.islink(source):
                    os.symlink(os.readlink(source), os.path.join(programs, name))
                elif os.path.isfile(source):
                    shutil.copy(source, programs)

        def attack(name, environment):
            place = rig.directory()
            os.chmod(place, 0o777)
            env = dict.fromkeys([key for key in os.environ if key != "PATH"])
            env.update({"HEAPGAUGE_OUTPUT": os.path.join(place, "stolen"), "HEAPGAUGE_SAMPLE_INTERVAL": "1",
                        "TMPDIR": place, "VICTIM_TRUTH": None})
            env.update(environment)
            result = rig.run([os.path.join(programs, name), "plain"], "exact", env, place, preexec_fn=become_nobody,
                             library=os.path.join(programs, "libheapgauge.so"))
            harness.check(result.status == 0, f"{name}: exit status {result.status}, {result.stderr!r}")
            harness.check(not os.path.exists(os.path.join(place, "stolen")), f"{name}: HEAPGAUGE_OUTPUT was obeyed")
            return result

        attack("reporting", {})
        for path in ({}, {"PATH": None}):
            result = attack("reporting_linked", {"LD_PRELOAD": None, "HEAPGAUGE_UNWIND": "wrong", **path})
            harness.check(not any("HEAPGAUGE_UNWIND" in line for line in result.said), f"environment read: {result.said}")


def become_nobody():
    os.setgroups([])
    os.setgid(NOBODY)
    os.setuid(NOBODY)


harness.main(body)
