"""stress-ng's own verifying stressors of the allocator, of threads and of children: no verification fails and none ends
otherwise than bare.  And a clock that another preloaded library stops or makes run a thousandfold."""

import os

import programs
from programs import harness

STRESSORS = [
    ["--malloc", "2", "--malloc-ops", "4000", "--malloc-bytes", "32M"],
    ["--pthread", "1", "--pthread-ops", "2000", "--fork", "1", "--fork-ops", "100", "--vfork", "1",
     "--vfork-ops", "200"],
    ["--daemon", "1", "--daemon-ops", "20", "--clone", "1", "--clone-ops", "20", "--context", "1",
     "--context-ops", "500"],
    ["--sigsegv", "1", "--sigsegv-ops", "500", "--sigabrt", "1", "--sigabrt-ops", "20"],
]
FAKETIME = "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1"
SLEEPER = ("my @a = map { 'x' x $_ } 1 .. 2000; select undef, undef, undef, 0.3 for 1 .. 2; "
           "print scalar @a, qq(\\n); exit 3")


def body():
    wanted = programs.options(__doc__)
    stress = programs.program("stress-ng")
    env = dict(programs.ROOMY, HEAPGAUGE_SYMBOLIZE="names")
    with harness.Rig(wanted) as rig:
        for stressor in STRESSORS:
            for mode in ["bare", *wanted.mode]:
                run = rig.run([stress, "--verify", *stressor], mode, env)
                programs.unharmed(run)
                harness.check(b"successful run completed" in run.stdout + run.stderr and b"fail" not in run.stderr,
                              f"{mode}: {run.stdout!r} {run.stderr!r}")
        if not os.path.exists(FAKETIME):
            return
        argv = [programs.program("perl"), "-e", SLEEPER]
        for clock in ("2001-01-01 00:00:00", "+1d x1000"):
            more = dict(env, FAKETIME=clock, HEAPGAUGE_REPORT_INTERVAL="200ms", LD_PRELOAD=FAKETIME)
            bare = rig.run(argv, "bare", more)
            for mode in wanted.mode:
                for both in (f"{rig.preload(mode)}:{FAKETIME}", f"{FAKETIME}:{rig.preload(mode)}"):
                    run = rig.run(argv, mode, dict(more, LD_PRELOAD=both))
                    programs.unharmed(run, bare)
                    # On the hurried clock the wait for the final report is over before it is written.
                    harness.check(mode == "default" or "x1000" in clock or harness.report_directories(run.directory),
                                  f"{mode}: no report")


harness.main(body)
