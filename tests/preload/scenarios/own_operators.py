"""A host that replaces some of the twenty forms of operator new and delete: each call leads to the same ones as bare.

The subsets come from a library that has all of them: what a run is to be without is taken out of its symbol table.
Programs with forms of their own keep a header before each block, so that one mistaken for malloc's ends them.
"""
import os
import random
import struct
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import harness

FORMS = ("_Znwm", "_ZnwmRKSt9nothrow_t", "_Znam", "_ZnamRKSt9nothrow_t",
         "_ZnwmSt11align_val_t", "_ZnwmSt11align_val_tRKSt9nothrow_t", "_ZnamSt11align_val_t",
         "_ZnamSt11align_val_tRKSt9nothrow_t", "_ZdlPv", "_ZdlPvm", "_ZdlPvRKSt9nothrow_t", "_ZdaPv", "_ZdaPvm",
         "_ZdaPvRKSt9nothrow_t", "_ZdlPvSt11align_val_t", "_ZdlPvmSt11align_val_t",
         "_ZdlPvSt11align_val_tRKSt9nothrow_t", "_ZdaPvSt11align_val_t", "_ZdaPvmSt11align_val_t",
         "_ZdaPvSt11align_val_tRKSt9nothrow_t")
# What programs replace as a rule, and the single forms: a default that skips one of these shows.
USUAL = [{0, 8}, {0, 2, 8, 11}, {0, 8, 9, 11, 12}, {0, 4, 8, 14}, {2, 11}, {1, 10}, {8}, {14}, set(range(20))]
KEPT = 4_000_000


def without(image, names):
    """The library with these names taken out of its dynamic symbol table."""
    image = bytearray(image)
    table, = struct.unpack_from("<Q", image, 0x28)
    count, = struct.unpack_from("<H", image, 0x3C)
    sections = [struct.unpack_from("<IIQQQQIIQQ", image, table + 64 * i) for i in range(count)]
    symbols = next(section for section in sections if section[1] == 11)  # SHT_DYNSYM
    strings = sections[symbols[6]][4]
    left = set(names)
    for at in range(symbols[4], symbols[4] + symbols[5], 24):
        name_at = strings + struct.unpack_from("<I", image, at)[0]
        name = image[name_at:image.index(0, name_at)].decode()
        if name in left:
            left.discard(name)
            struct.pack_into("<HQ", image, at + 6, 0, 0)
    harness.check(not left, f"the library does not define {left}")
    return bytes(image)


def subsets():
    chance = random.Random(9)
    yield from USUAL
    for _ in range(12):
        yield {form for form in range(len(FORMS)) if chance.random() < 0.5}


def compare(rig, victim, order, what):
    """`order`: what is preloaded, with None for heapgauge."""
    bare = rig.run([victim], "bare", {"LD_PRELOAD": ":".join(part for part in order if part)})
    harness.check(bare.status == 0, f"{what}, bare: {bare.status} {bare.stderr!r}")
    for mode in ("default", "exact"):
        run = rig.run([victim], mode, {"LD_PRELOAD": ":".join(part or rig.preload(mode) for part in order)})
        run.mode = f"{what}, {mode}"
        harness.same_behaviour(bare, run)
        if mode != "exact":
            continue
        # Where it went through no foreign heap it is known, to whomever it is ascribed.
        report = next(iter(harness.last_reports(run.directory).values()))
        live = sum(site["live_bytes"] for site in report["sites"]
                   if any(frame["module"] == victim for frame in site["frames"]))
        harness.check(KEPT <= live < KEPT + 100_000, f"{what}: it holds {KEPT} bytes, the report says {live}")


def body():
    def extra(parser):
        parser.add_argument("--what", choices=("library", "programs"), required=True)

    options = harness.arguments(__doc__, extra)
    with harness.Rig(options, settings=harness.NAMES_ONLY) as rig:
        if options.what == "programs":
            for name in sorted(os.listdir(options.bin)):
                if name.startswith("own_operators_"):
                    compare(rig, os.path.realpath(rig.victim(name)), [None], name)
            return
        with open(rig.victim("libown_operators_all.so"), "rb") as file:
            whole = file.read()
        victims = [name for name in ("own_operators", "own_operators_libcxx") if os.path.exists(rig.victim(name))]
        for kept in subsets():
            path = os.path.join(rig.top, "libsome.so")
            with open(path, "wb") as file:
                file.write(without(whole, [name for form, name in enumerate(FORMS) if form not in kept]))
            for victim in victims:
                compare(rig, os.path.realpath(rig.victim(victim)), [path, None], f"{victim}, {sorted(kept)} before us")
                compare(rig, os.path.realpath(rig.victim(victim)), [None, path], f"{victim}, {sorted(kept)} behind us")


harness.main(body)
