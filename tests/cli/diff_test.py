"""`heapgauge diff` and `report --at`: which reports are meant, what each form shows, and what the exit status says."""
import json

from support import CommandTest, main

MIB = 1 << 20


def site(name, live, verdict="steady", stderr=0.0):
    return {"rank": 1, "id": f"{name:0>16}", "verdict": verdict, "confidence": 0.9, "live_bytes": live,
            "live_bytes_stderr": stderr, "live_objects": 10, "allocated_bytes": 2 * live, "callsite": 0,
            "frames": [{"function": name, "file": "/src/shop.cc", "line": 5, "module": "/bin/shop", "module_offset": 80,
                        "inlined": False}]}


def report(sequence, *sites, **more):
    return json.dumps({"schema": "heapgauge.report/1", "sequence": sequence, "pid": 7, "instance": "1.7.1",
                       "exe": "/bin/shop", "time": f"2026-11-22T02:{sequence:02}:00Z",
                       "totals": {"live_bytes": sum(s["live_bytes"] for s in sites),
                                  "live_bytes_stderr": max(s["live_bytes_stderr"] for s in sites)},
                       "sites": list(sites), **more}) + "\n"


class Diff(CommandTest):
    def setUp(self):
        super().setUp()
        (self.here / "night").mkdir()
        (self.here / "night/reports.jsonl").write_text(
            report(1, site("Cart", 10 * MIB)) + report(2, site("Cart", 40 * MIB)) +
            report(3, site("Cart", 12 * MIB), site("Coupon", 5 * MIB, "leak")))
        (self.here / "day.jsonl").write_text(report(9, site("Cart", 10 * MIB, stderr=3.0 * MIB)))

    def diff(self, *arguments, status=0):
        result = self.heapgauge("diff", *arguments)
        self.assertEqual(result.returncode, status, result.stderr)
        return result

    def rows(self, *arguments):
        found = json.loads(self.diff(*arguments, "--format", "json").stdout)
        return {row["function"]: row["growth_bytes"] / MIB for row in found["callsites"]}

    def test_two_moments_of_one_process(self):
        self.assertEqual(self.rows("night", "--at", "1"), {"Coupon": 5, "Cart": 2})
        self.assertEqual(self.rows("night", "--at", "1", "--at", "2"), {"Cart": 30})
        self.assertEqual(self.rows("night", "--at", "peak", "--at", "2026-11-22T02:01"), {"Cart": -30})
        text = self.diff("night", "--at", "1").stdout
        self.assertIn("live heap +7.00 MiB in 2 min", text)
        self.assertRegex(text, r"\+5\.00 MiB +5\.00 MiB +Coupon +shop\.cc:5 +new, LEAK")

    def test_two_processes(self):
        self.assertEqual(self.rows("day.jsonl", "night"), {"Coupon": 5, "Cart": 2})
        self.assertRegex(self.diff("day.jsonl", "night").stdout, r"Cart +shop\.cc:5 +within its error")

    def test_profiles(self):
        for number in (1, 2):
            made = self.heapgauge("report", "night", "--at", number, "--format", "pprof", "-o", f"{number}.pb.gz")
            self.assertEqual(made.returncode, 0, made.stderr)
        self.assertEqual(self.rows("1.pb.gz", "2.pb.gz"), {"Cart": 30})
        self.assertEqual(self.rows("1.pb.gz", "night"), {"Coupon": 5, "Cart": 2})
        shown = self.heapgauge("report", "2.pb.gz")
        self.assertRegex(shown.stdout, r"40\.0 MiB .* Cart  shop\.cc:5")
        (self.here / "cut.pb.gz").write_bytes((self.here / "1.pb.gz").read_bytes()[:40])
        self.assertIn("cut.pb.gz: it is cut short", self.one_line(self.diff("cut.pb.gz", "night", status=2)))

    def test_what_fails(self):
        self.assertIn("Coupon", self.diff("night", "--at", "1", "--fail-on", "leak", status=1).stderr)
        self.diff("night", "--at", "1", "--at", "2", "--fail-on", "leak")
        grown = self.diff("night", "--at", "1", "--fail-on", "growth=4MiB", status=1)
        self.assertIn("growth=4.00 MiB: Coupon", grown.stderr)
        self.assertIn("heapgauge diff", grown.stdout)  # the report is there all the same
        # The sum counts as well; a change within the error of both does not.
        self.assertIn("the live heap", self.diff("night", "--at", "1", "--fail-on", "growth=6MiB", status=1).stderr)
        self.diff("night", "--at", "1", "--fail-on", "growth=8MiB")
        (self.here / "later.jsonl").write_text(report(9, site("Cart", 12 * MIB, stderr=3.0 * MIB)))
        self.diff("day.jsonl", "later.jsonl", "--fail-on", "growth=1MiB")
        both = self.diff("night", "--at", "1", "--at", "2", "--fail-on", "leak", "--fail-on", "growth=1KiB", status=1)
        self.assertIn("Cart", both.stderr)

    def test_folded_and_output(self):
        self.diff("night", "--at", "1", "--format", "folded", "-o", "stacks")
        self.assertEqual((self.here / "stacks").read_text(), f"Cart {10 * MIB} {12 * MIB}\nCoupon 0 {5 * MIB}\n")

    def test_wrong_usage(self):
        for arguments, words in (((), "no A and B"), (("night",), "no B"), (("night", "none"), "none"),
                                 (("night", "--at", "77"), "no report 77 in night: it holds 1 to 3"),
                                 (("night", "--at", "noon"), "--at noon"),
                                 (("night", "--at", "1", "--at", "2", "--at", "3"), "more than twice"),
                                 (("night", "day.jsonl", "--format", "txt"), "did you mean text?"),
                                 (("night", "day.jsonl", "--fail-on", "leaks"), "--fail-on leaks"),
                                 (("night", "day.jsonl", "--fail-on", "growth=lots"), "growth=SIZE"),
                                 (("night", "day.jsonl", "--top", "x"), "--top x")):
            with self.subTest(arguments):
                self.assertIn(words, self.one_line(self.diff(*arguments, status=2)))

    def test_at_of_a_report(self):
        shown = self.heapgauge("report", "night", "--at", "2")
        self.assertIn("heapgauge report 2", shown.stdout)
        self.assertIn("heapgauge report 2", self.heapgauge("report", "night", "--at", "peak").stdout)
        self.assertIn("heapgauge report 1", self.heapgauge("report", "night", "--at", "2026-11-22 02:01:59").stdout)


main()
