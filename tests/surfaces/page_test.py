"""The page in a real browser: as a file and served.  No error, no request elsewhere, its graph zooms and is searched, the keyboard
is enough, and an accessibility checker finds nothing serious, in both themes and on a narrow screen.

usage: page_test.py COMMAND LIBRARY VIEWERS [unittest options]
"""
import os
import sys

LIBRARY = os.path.abspath(sys.argv.pop(2))
VIEWERS = sys.argv.pop(2)
import served
import viewers
from browser import Browser
from served import wait_for

FRAMES = "[...document.querySelectorAll('#graph .node')].map(node => node.getAttribute('aria-label'))"


class Page(served.ServedTest):
    lib = LIBRARY

    def browser(self, **size):
        browser = Browser(**size)
        self.addCleanup(browser.close)
        return browser

    def no_errors(self, browser):
        self.assertEqual([entry for entry in browser.log() if entry["level"] in ("SEVERE", "WARNING")], [])

    def file(self):
        """A report with some history as a page; its URL."""
        process = self.victim()
        wait_for(lambda: (self.here / "out/reports.jsonl").exists() and len(self.reports()) >= 4, "four reports")
        process.kill()  # at its end Python frees what it has
        process.wait()
        done = self.heapgauge("report", "out", "--format", "html", "-o", "page.html")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertLess((self.here / "page.html").stat().st_size, 1 << 20)
        return f"file://{self.here}/page.html"

    def test_file(self):
        url, report = self.file(), self.reports()[-1]
        browser = self.browser()
        browser.open(url)
        self.assertIn(report["verdict"], browser.run("return document.getElementById('verdict').textContent"))
        self.assertEqual(browser.run("return document.getElementById('evidence').textContent"), report["evidence"])
        first = report["callsites"][0]
        self.assertIn(first["evidence"], browser.run("return document.querySelector('#callsites tbody').textContent"))
        self.assertGreaterEqual(browser.run("return document.querySelectorAll('#chart path').length"), 2)

        # Whatever weight is chosen: the whole is the sum of the stacks that the page has.
        frames = browser.run(f"return {FRAMES}")
        self.assertTrue(frames[0].startswith("all, "), frames[0])
        self.assertGreater(len(frames), 3)
        browser.run("document.querySelector('#weight').value = 'allocated'; document.querySelector('#weight').dispatchEvent(new Event('change'))")
        self.assertNotEqual(browser.run(f"return {FRAMES}")[0], frames[0])

        # Two moments.
        browser.run("document.querySelector('#weight').value = 'difference'; document.querySelector('#weight').dispatchEvent(new Event('change'))")
        self.assertFalse(browser.run("return document.querySelector('#moments').hidden"))
        self.assertGreaterEqual(browser.run("return document.querySelectorAll('#from option').length"), 3)
        self.no_errors(browser)

        requests = [entry["message"] for entry in browser.log("performance") if '"Network.requestWillBeSent"' in entry["message"]]
        self.assertEqual([message for message in requests if "http://" in message or "https://" in message], [])

    def test_zoom_search_keyboard(self):
        url = self.file()
        browser = self.browser()
        browser.open(url)
        frames = browser.run(f"return {FRAMES}")
        narrow = browser.run("return [...document.querySelectorAll('#graph .node')].findIndex((node, i, all) => i > 0 &&"
                             " +node.querySelector('rect').getAttribute('width') < 0.7 * +all[0].querySelector('rect').getAttribute('width'))")
        self.assertGreater(narrow, 0, frames)
        name = frames[narrow]
        width = "+[...document.querySelectorAll('#graph .node')].find(node => node.getAttribute('aria-label') === arguments[0]).querySelector('rect').getAttribute('width')"
        before = browser.run(f"return {width}", name)
        browser.run("[...document.querySelectorAll('#graph .node')].find(node => node.getAttribute('aria-label') === arguments[0])"
                    ".dispatchEvent(new MouseEvent('click', {bubbles: true}))", name)
        self.assertGreater(browser.run(f"return {width}", name), before)
        browser.click("#reset")
        self.assertEqual(browser.run(f"return {FRAMES}"), frames)

        function = frames[1].split(",")[0][:12]
        browser.type("#search", function)
        self.assertGreaterEqual(browser.run("return document.querySelectorAll('#graph .node.found').length"), 1)
        self.assertIn(" frames, ", browser.run("return document.getElementById('found').textContent"))
        browser.run("document.querySelector('#search').value = ''; document.querySelector('#search').dispatchEvent(new Event('input'))")
        browser.type("#search", "no such function anywhere")
        self.assertIn("Nothing is called", browser.run("return document.getElementById('found').textContent"))

        browser.run("document.querySelector('#graph .node[tabindex=\"0\"]').focus()")
        press = "document.activeElement.dispatchEvent(new KeyboardEvent('keydown', {key: arguments[0], bubbles: true, cancelable: true}))"
        browser.run(press, "ArrowDown")
        self.assertEqual(browser.run("return document.activeElement.getAttribute('aria-label')"), frames[1])
        browser.run(press, "Enter")
        self.assertEqual(browser.run("return document.activeElement.getAttribute('aria-label')"), frames[1])
        browser.run(press, "Escape")
        self.assertEqual(browser.run(f"return {FRAMES}"), frames)
        browser.run("document.querySelector('#callsites .site').click()")
        self.assertEqual(browser.run("return document.querySelectorAll('#callsites .details').length"), 1)
        self.no_errors(browser)

    def test_accessible(self):
        modules = viewers.installed(VIEWERS)
        if not modules:
            self.skipTest("no axe-core")
        url = self.file()
        axe = (modules / "axe-core/axe.min.js").read_text(encoding="utf-8")
        browser = self.browser()
        for width in (1280, 390):
            if width < 1280:
                browser.narrow(width)
            for dark in (False, True):
                browser.dark(dark)
                browser.open(url)
                browser.run("document.querySelector('#callsites .site').click()")
                self.assertLessEqual(browser.run("return document.documentElement.scrollWidth"), width)
                browser.run(axe + "; window.axe = axe;")
                found = browser.run_later("const done = arguments[arguments.length - 1]; axe.run().then(result => done(result.violations))")
                serious = [(one["id"], [node["html"][:200] for node in one["nodes"]]) for one in found if one["impact"] in ("serious", "critical")]
                self.assertEqual(serious, [], f"{width} pixels, {'dark' if dark else 'light'}")

    def test_served(self):
        process = self.victim(HEAPGAUGE_HTTP="127.0.0.1:0")
        url = self.url()
        wait_for(lambda: (self.here / "out/reports.jsonl").exists() and len(self.reports()) >= 2, "two reports")
        browser = self.browser()
        browser.open(url)
        foot = "return document.getElementById('foot').textContent"
        before = browser.run(foot)
        self.assertIn("Report ", before)
        browser.wait(f"return document.getElementById('foot').textContent !== {before!r}", "a newer report on the page")
        self.assertEqual(browser.run("return document.querySelectorAll('nav a[href=\"report.json\"]').length"), 1)
        self.no_errors(browser)
        process.stdin.close()
        process.wait()
        browser.wait("return document.getElementById('state').textContent.includes('does not answer')", "the word that the server is gone")

    def test_hostile_names(self):
        program = "kept = []\ndef f(): kept.append(bytearray(100000))\nfor _ in range(300): f()\n"
        process = self.victim(output="<b>&\"'x", program=program + served.GROWING)
        wait_for(lambda: (self.here / "<b>&\"'x/reports.jsonl").exists(), "a report")
        process.stdin.close()
        process.wait()
        file = self.here / "<b>&\"'x/reports.jsonl"
        hostile = '"function":"</script><img src=x onerror=document.title=1>'
        file.write_text(file.read_text(encoding="utf-8").replace('"function":"', hostile), encoding="utf-8")
        done = self.heapgauge("report", "<b>&\"'x", "--format", "html", "-o", "page.html")
        self.assertEqual(done.returncode, 0, done.stderr)
        browser = self.browser()
        browser.open(f"file://{self.here}/page.html")
        self.assertIn("<img src=x", browser.run("return document.querySelector('#callsites').textContent"))
        self.assertEqual(browser.run("return document.querySelectorAll('img').length"), 0)
        self.no_errors(browser)


served.main()
