"""`go tool pprof` reads what is written, and agrees with the report: on files, with a base, and on a difference.

usage: pprof_test.py COMMAND VICTIM [unittest options]
"""
import json
import os
import pathlib
import re
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "cli"))
VICTIM = os.path.abspath(sys.argv.pop(2))
from support import CommandTest, clean_environment, main


class Pprof(CommandTest):
    def setUp(self):
        super().setUp()
        ran = self.heapgauge("run", "--output", "out", "--sample-interval", "1", "--report-interval", "200ms", "--", VICTIM)
        self.assertEqual(ran.returncode, 0, ran.stderr)
        self.reports = [json.loads(line) for line in (self.here / "out/reports.jsonl").open(encoding="utf-8")]
        self.assertGreater(len(self.reports), 3)

    def pprof(self, *arguments):
        environment = clean_environment(PPROF_TMPDIR=str(self.here), HOME=str(self.here))
        result = subprocess.run(["go", "tool", "pprof", "-symbolize=none", *map(str, arguments)], cwd=self.here, env=environment,
                                capture_output=True, text=True, timeout=120, check=False)
        self.assertEqual(result.returncode, 0, result.stderr)
        return result.stdout

    def top(self, index, *arguments, unit="B"):
        """function -> its own value"""
        text = self.pprof("-top", f"-unit={unit}", "-nodefraction=0", f"-sample_index={index}", *arguments)
        rows = re.findall(r"^ *(-?[\d.]+)[A-Za-z]* +\S+ +\S+ +\S+ +\S+  (\S+)", text, flags=re.M)
        return {name: float(value) for value, name in rows if float(value) != 0}

    def figures(self, report, key):
        sums = {}
        for site in report["sites"]:
            name = site["frames"][site["callsite"]]["function"]
            sums[name] = sums.get(name, 0) + site[key]
        return {name: value for name, value in sums.items() if value != 0}

    def test_the_newest_profile_is_the_newest_report(self):
        last = self.reports[-1]
        for index, key in (("inuse_space", "live_bytes"), ("inuse_objects", "live_objects"),
                           ("alloc_space", "allocated_bytes")):
            self.assertEqual(self.top(index, "out/heap.pb.gz"), self.figures(last, key), index)
        text = self.pprof("-top", "out/heap.pb.gz")
        self.assertIn(f"File: {os.path.basename(VICTIM)}\n", text)
        self.assertIn(f"Build ID: {last['build_id']}", text)
        self.assertIn("Type: inuse_space", text)

    def test_a_line_that_shrinks_is_there(self):
        shrinking = next(report for report in self.reports[1:]
                         if any(site["growth_bytes"] < 0 and site["live_bytes"] > 0 for site in report["sites"]))
        made = self.heapgauge("report", "out", "--at", shrinking["sequence"], "--format", "pprof", "-o", "one.pb.gz")
        self.assertEqual(made.returncode, 0, made.stderr)
        self.assertEqual(self.top("inuse_space", "one.pb.gz"), self.figures(shrinking, "live_bytes"))
        grown = self.top("growth_space", "one.pb.gz")
        self.assertTrue(all(value > 0 for value in grown.values()), grown)
        self.assertNotIn("-", re.sub(r"\S+://\S+", "", self.pprof("-raw", "one.pb.gz").split("Locations")[0].split("Samples:")[1]))

    def test_a_difference_is_the_difference(self):
        first, last = self.reports[0], self.reports[-1]
        for report, name in ((first, "a"), (last, "b")):
            self.heapgauge("report", "out", "--at", report["sequence"], "--format", "pprof", "-o", f"{name}.pb.gz")
        self.heapgauge("diff", "--at", first["sequence"], "out", "--format", "pprof", "-o", "diff.pb.gz")
        before, after = self.figures(first, "live_bytes"), self.figures(last, "live_bytes")
        expected = {name: after.get(name, 0) - before.get(name, 0) for name in {*before, *after}}
        expected = {name: value for name, value in expected.items() if value}
        self.assertLess(min(expected.values()), 0)
        self.assertEqual(self.top("inuse_space", "diff.pb.gz"), expected)
        self.assertEqual(self.top("inuse_space", "-diff_base=a.pb.gz", "b.pb.gz"), expected)

    def test_it_reads_its_own_rewriting(self):
        """What go writes is a profile to us, too."""
        self.pprof("-proto", "-output=again.pb.gz", "out/heap.pb.gz")
        read = json.loads(self.heapgauge("report", "again.pb.gz", "--format", "json").stdout)
        self.assertEqual(self.figures(read, "live_bytes"), self.figures(self.reports[-1], "live_bytes"))
        self.assertTrue(self.pprof("-traces", "out/heap.pb.gz"))


main()
