"""In a C host, libstdc++ first arrives as a dependency of the core, which also uses libunwind; both libunwind and
libgcc_s define _Unwind_*.  The loader must bind libstdc++ to libgcc_s, as it would without us."""

import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import harness

BINDING = re.compile(r"binding file (\S+) \[\d+\] to (\S+) \[\d+\]: normal symbol `(_Unwind_\w+)'")


def bindings(rig, mode):
    run = rig.run([rig.victim("plugin_host"), rig.victim("libthrowing_plugin.so")], mode,
                  {"LD_DEBUG": "bindings", "LD_DEBUG_OUTPUT": "bindings"})
    harness.check(run.status == 0, f"{mode}: {run.status} {run.stderr!r}")
    found = []
    for name in os.listdir(run.directory):
        if name.startswith("bindings."):
            with open(os.path.join(run.directory, name), encoding="utf-8", errors="replace") as file:
                found += BINDING.findall(file.read())
    return found


def body():
    options = harness.arguments(__doc__)
    with harness.Rig(options) as rig:
        for mode in ("bare", "default", "exact"):
            relevant = [(user, provider, symbol) for user, provider, symbol in bindings(rig, mode)
                        if "libstdc++" in user or "libthrowing_plugin" in user]
            raisers = {symbol for user, provider, symbol in relevant if "libstdc++" in user}
            harness.check("_Unwind_RaiseException" in raisers, f"{mode}: libstdc++ binds only {raisers}")
            for user, provider, symbol in relevant:
                harness.check("libgcc_s" in provider, f"{mode}: {user} has {symbol} from {provider}")


harness.main(body)
