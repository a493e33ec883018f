"""Unwind tables and frame pointers are foreign input: whatever they say, the host neither crashes nor hangs in one of
its own allocations."""

import os
import random
import re
import struct
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import harness

PT_GNU_EH_FRAME = 0x6474E550
ODD_FRAMES = 15
UNWINDERS = ({}, {"HEAPGAUGE_UNWIND": "dwarf"}, {"HEAPGAUGE_UNWIND": "fp"})


class Module:
    """The bytes of a built module, with its tables found."""

    def __init__(self, path):
        with open(path, "rb") as file:
            self.bytes = bytearray(file.read())
        self.headers = struct.unpack_from("<Q", self.bytes, 32)[0]
        count = struct.unpack_from("<H", self.bytes, 56)[0]
        for i in range(count):
            at = self.headers + i * 56
            kind, _, offset, address, _, size = struct.unpack_from("<IIQQQQ", self.bytes, at)
            if kind == PT_GNU_EH_FRAME:
                self.segment, self.header, self.address, self.size = at, offset, address, size
        distance = struct.unpack_from("<i", self.bytes, self.header + 4)[0]
        self.frames = self.header + 4 + distance  # same distance in the file and in memory: one segment
        self.count = struct.unpack_from("<I", self.bytes, self.header + 8)[0]
        self.end = self.frames
        while struct.unpack_from("<I", self.bytes, self.end)[0] != 0:
            self.end += 4 + struct.unpack_from("<I", self.bytes, self.end)[0]

    def rows(self):
        return [self.header + 12 + 8 * i for i in range(self.count)]

    def records(self):
        """(place, is it a CIE) of each record."""
        at = self.frames
        while at < self.end:
            yield at, struct.unpack_from("<I", self.bytes, at + 4)[0] == 0
            at += 4 + struct.unpack_from("<I", self.bytes, at)[0]

    def changed(self, *changes):
        copy = bytearray(self.bytes)
        for at, form, *values in changes:
            struct.pack_into(form, copy, at, *values)
        return bytes(copy)


def lies(module):
    """What a table can say that is not so, a module for each."""
    yield "count", module.changed((module.header + 8, "<I", 0xFFFFFFFF))
    yield "count_over", module.changed((module.header + 8, "<I", 100_000))
    yield "no_count", module.changed((module.header + 8, "<I", 0))
    for encoding in (0x00, 0x03, 0x1B, 0x9B, 0xFF, 0x50):
        for place in (1, 2, 3):
            yield f"encoding_{place}_{encoding:x}", module.changed((module.header + place, "B", encoding))
    for what, distance in (("far", 0x7FFFFFFF), ("before", -0x80000000), ("near", 0x1FF000), ("hole", 0x2FFC), ("odd", 3)):
        yield f"frames_{what}", module.changed((module.header + 4, "<i", distance))
        yield f"rows_{what}", module.changed(*((row + 4, "<i", distance) for row in module.rows()))
        yield f"functions_{what}", module.changed(*((row, "<i", distance) for row in module.rows()))
    for what, address in (("far", 1 << 40), ("last", 2**64 - 4), ("page_end", module.address | 0xFFF), ("none", 0)):
        yield f"segment_{what}", module.changed((module.segment + 16, "<Q", address))
    for length in (0xFFFFFFFF, 0xFFFFFFFE, 0x7FFFFFFF, 0x00100000, 0, 1, 5):
        for of_cie in (True, False):
            yield f"length_{length:x}_{of_cie}", module.changed(
                *((at, "<I", length) for at, is_cie in module.records() if is_cie == of_cie))
    for distance in (0xFFFFFFFF, 0x7FFFFFFF, 4, 1, 0x100000):
        yield f"cie_{distance:x}", module.changed(
            *((at + 4, "<I", distance) for at, is_cie in module.records() if not is_cie))
    for letters in (b"zRRRRRRRRRRR", b"\xff" * 12, b"zPPPPPPPPPPP", b"eh\0\0\0\0\0\0\0\0\0\0", b"zR\0\x80\x80\x80\x80\x80\x80\x80\x80\x80",
                    b"zR\0\x01\x78\x10\xff\xff\xff\xff\xff\x0f", b"zS\0\x01\x78\x10\x01\x1b\x0c\x07\x08\x90"):
        yield f"letters_{letters.hex()}", module.changed(
            *((at + 9, "12s", letters) for at, is_cie in module.records() if is_cie))
    for byte in (0x00, 0x0A, 0x0F, 0x80, 0xFF, 0x44):
        yield f"instructions_{byte:x}", module.changed(
            *((at + 17, "B" * 7, *[byte] * 7) for at, is_cie in module.records() if not is_cie))
    dice = random.Random(1)
    for number in range(60):
        places = [dice.randrange(module.header, module.end) for _ in range(dice.choice((1, 2, 4, 40)))]
        yield f"random_{number}", module.changed(
            *((at, "B", dice.choice((0, 1, 0x7F, 0x80, 0xFF, dice.randrange(256)))) for at in places))


def libunwind_has_its_say(rig):
    """It is asked in its own mode alone; there it agrees on ordinary stacks, and generated code is not its business."""
    for unwinder in UNWINDERS:
        run = rig.run([rig.victim("odd_tables")], "exact", {"HEAPGAUGE_LOG": "info", **unwinder})
        said = "\n".join(run.said)
        answers = re.search(r"libunwind walked (\d+) stacks as heapgauge did; (\d+) more", said)
        harness.check((answers is not None) == ("dwarf" in unwinder.values()), f"{unwinder}: {said}")
        harness.check(answers is None or (int(answers[1]) > 0 and int(answers[2]) > 0), said)


def body():
    options = harness.arguments(__doc__)
    with harness.Rig(options, settings=harness.NAMES_ONLY) as rig:
        modules = []
        for name, content in lies(Module(rig.victim("libcalled_back.so"))):
            modules.append(os.path.join(rig.top, f"{name}.so"))
            with open(modules[-1], "wb") as file:
                file.write(content)
        odd = [rig.victim(f"libodd_frame{i}.so") for i in range(ODD_FRAMES)]
        for some in (odd, *(modules[i:i + 40] for i in range(0, len(modules), 40))):
            command = [rig.victim("odd_tables"), *some]
            bare = rig.run(command, "bare")
            harness.check(bare.status == 0 and int(bare.stdout) > 0, f"bare: {bare.status} {bare.stderr!r}")
            for env in UNWINDERS:
                for mode in ("4KiB", "exact"):
                    run = rig.run(command, mode, env)
                    if run.status != 0 and len(some) > 1:
                        for one in some:  # which one?
                            alone = rig.run([command[0], one], mode, env)
                            print(os.path.basename(one), alone.status, file=sys.stderr)
                    harness.same_behaviour(bare, run)
        libunwind_has_its_say(rig)


harness.main(body)
