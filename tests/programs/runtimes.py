"""java and node: their own heaps, compiled code without unwind tables, guard pages and signal handlers, many threads.
The same output and status as bare; each is skipped where it is not installed."""

import os

import programs
from programs import harness

HERE = os.path.dirname(os.path.abspath(__file__))


def java(rig):
    # Compiled once, bare; -Xmx: what it may take does not depend on the machine.
    classes = rig.directory()
    compiler = programs.program("javac")
    programs.tool(compiler, "-d", classes, os.path.join(HERE, "Work.java"))
    argv = [programs.program("java"), "-Xmx200m", "-Xss512k", "-XX:-UsePerfData", "-cp", classes, "Work"]
    return argv, 8, "libjvm.so"


def node(_):
    return [programs.program("node"), os.path.join(HERE, "work.mjs")], 6, "node"


RUNTIMES = {"java": java, "node": node}


def body():
    wanted = programs.options(__doc__, lambda parser: parser.add_argument("--runtime", choices=RUNTIMES, required=True))
    with harness.Rig(wanted) as rig:
        argv, status, module = RUNTIMES[wanted.runtime](rig)
        env = dict(programs.ROOMY, HEAPGAUGE_SYMBOLIZE="names")
        bare = rig.run(argv, "bare", env)
        harness.check(bare.status == status, f"ends with {bare.status}: {bare.stdout!r} {bare.stderr!r}")
        for mode in wanted.mode:
            run = rig.run(argv, mode, env)
            programs.unharmed(run, bare)
            largest = max(harness.last_reports(run.directory).values(),
                          key=lambda report: report["totals"]["allocated_bytes"])
            programs.whole(run, largest)
            harness.check(largest["final"] and module in programs.modules(largest),
                          f"{mode}: stacks with {sorted(programs.modules(largest))}")
            print(f"{mode}: {largest['sampling']['samples']} samples, {largest['totals']}")


harness.main(body)
