"""Every variable with wrong values: one line that names the variable, the value and what is accepted; the host runs on
as before, and tracking goes on with the default."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import harness

WRONG = {
    "SAMPLE_INTERVAL": ["0", "-1", "12parsecs", "1e6", "lots", "2TiB", "512 KiB KiB", "99999999999999999999999999"],
    "REPORT_INTERVAL": ["0", "-5s", "10ms", "1fortnight", "soon", "400d"],
    "UNWIND": ["maybe", "dwarf,fp", "1"],
    "MAX_FRAMES": ["0", "257", "-3", "many", "1.5", "64KiB"],
    "SYMBOLIZE": ["line", "yes"],
    "MEMORY_LIMIT": ["1KiB", "0", "none", "9999TiB"],
    "CPU_BUDGET": ["0%", "101%", "-1%", "half"],
    "START": ["maybe", "2"],
    "FOLLOW": ["all", "exec,fork"],
    "LOG": ["verbose", "2"],
    "OUTPUT": ["/" + "x" * 5000],
}


def body():
    options = harness.arguments(__doc__)
    with harness.Rig(options, settings=harness.NAMES_ONLY) as rig:
        victim = os.path.realpath(rig.victim("realloc_zero"))
        bare = rig.run([victim], "bare")
        for suffix, values in WRONG.items():
            name = "HEAPGAUGE_" + suffix
            for value in values:
                # What the wrong value falls back to, this run says the same way.
                env = {name: value, "HEAPGAUGE_CONTROL": "off"}
                run = rig.run([victim], "4KiB", env)
                harness.same_behaviour(bare, run, [f"{name}="])
                line = run.said[0]
                harness.check(value[:200] in line and "accepted" in line and "using" in line, f"unclear: {line}")
                harness.final_account_is_true(run, victim)
        # Names that are none of ours, one line each; a set but empty variable is no error.
        run = rig.run([victim], "exact", {"HEAPGAUGE_SAMPLE_INTERVALL": "1", "HEAPGAUGE_": "x", "HEAPGAUGE_FOLLOW": "",
                                          "HEAPGAUGE": "y", "HEAPGAUGES": "z"})
        harness.same_behaviour(bare, run, ["HEAPGAUGE_SAMPLE_INTERVALL", "HEAPGAUGE_ is not"])
        harness.check(harness.final_account_is_true(run, victim) == 1, "no account after unknown names")
        # Escape sequences in a value never reach the terminal raw.
        run = rig.run([victim], "exact", {"HEAPGAUGE_UNWIND": "\x1b]0;owned\x07\x1b[31m\x9b31m"})
        harness.check(len(run.said) == 1 and "\x1b" not in run.said[0] and "\x07" not in run.said[0]
                      and "\x9b" not in run.said[0],
                      f"raw control characters: {run.said}")
        # Several at once: a line each.
        run = rig.run([victim], "exact", {"HEAPGAUGE_UNWIND": "no", "HEAPGAUGE_FOLLOW": "no", "HEAPGAUGE_LOG": "no"})
        harness.same_behaviour(bare, run, ["HEAPGAUGE_UNWIND=no", "HEAPGAUGE_FOLLOW=no", "HEAPGAUGE_LOG=no"])


harness.main(body)
