"""A real Prometheus scrapes the checkout service while it leaks, evaluates the rules that docs/ ships, and fires; each query of the
dashboard in docs/ is answered.

usage: prometheus_test.py COMMAND LIBRARY CHECKOUT_SERVICE CHECKOUT_LOAD DOCS [unittest options]
"""
import json
import os
import pathlib
import subprocess
import sys
import urllib.parse

LIBRARY, SERVICE, LOAD, DOCS = (os.path.abspath(sys.argv.pop(2)) for _ in range(4))
DOCS = pathlib.Path(DOCS)
import served
from served import ask, clean_environment, free_port, wait_for

# Only services that mark their calls have these.
MAY_BE_EMPTY = ("heapgauge_call_in_flight_bytes", "heapgauge_time_to_limit_seconds")


class Prometheus(served.ServedTest):
    lib = LIBRARY

    def service(self):
        """The checkout service with its leak and customers; where it is served."""
        out = open(self.here / "service.out", "w", encoding="utf-8")
        self.addCleanup(out.close)
        process = subprocess.Popen(
            [SERVICE, "--port", "0", "--leak-coupons", "--coupon-bytes", "32KiB", "--session-ttl", "2s", "--cache-entries", "128"],
            cwd=self.here, stdout=out, stderr=subprocess.DEVNULL,
            env=clean_environment(LD_PRELOAD=LIBRARY, HEAPGAUGE_OUTPUT=str(self.here / "out"), HEAPGAUGE_SAMPLE_INTERVAL="64KiB",
                                  HEAPGAUGE_REPORT_INTERVAL="1s", HEAPGAUGE_HTTP="127.0.0.1:0"))
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        said = lambda: (self.here / "service.out").read_text(encoding="utf-8")
        wait_for(lambda: "listening on" in said(), "the service")
        port = said().split("listening on 127.0.0.1:")[1].split()[0]
        load = subprocess.Popen([LOAD, "--port", port, "--phases", "600s@100", "--coupon-share", "1", "--quiet"],
                                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(load.wait)
        self.addCleanup(load.kill)
        return urllib.parse.urlparse(self.url())

    def prometheus(self, target):
        rules = self.here / "rules.yml"
        rules.write_text((DOCS / "heapgauge.rules.yml").read_text(encoding="utf-8"), encoding="utf-8")
        (self.here / "prometheus.yml").write_text(
            "global: {scrape_interval: 1s, evaluation_interval: 1s}\n"
            "rule_files: [rules.yml]\n"
            f"scrape_configs: [{{job_name: checkout, static_configs: [{{targets: ['{target}']}}]}}]\n", encoding="utf-8")
        url = f"http://127.0.0.1:{free_port()}"
        server = subprocess.Popen(["prometheus", "--config.file=prometheus.yml", "--storage.tsdb.path=data",
                                   f"--web.listen-address={url[7:]}"], cwd=self.here, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(server.wait)
        self.addCleanup(server.kill)

        def ready():
            try:
                return ask(url + "/-/ready").status == 200
            except OSError:
                return False
        wait_for(ready, "Prometheus")
        return url

    def query(self, url, expression):
        got = json.loads(ask(f"{url}/api/v1/query?query={urllib.parse.quote(expression)}").text)
        self.assertEqual(got["status"], "success", (expression, got))
        return got["data"]["result"]

    def test_rules(self):
        for command in (("check", "rules", "heapgauge.rules.yml"), ("test", "rules", "heapgauge.rules.test.yml")):
            done = subprocess.run(["promtool", *command], cwd=DOCS, capture_output=True, text=True, timeout=120)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_scrape_and_fire(self):
        target = self.service().netloc
        url = self.prometheus(target)

        def firing():
            alerts = json.loads(ask(url + "/api/v1/alerts").text)["data"]["alerts"]
            return [alert for alert in alerts if alert["labels"]["alertname"] == "HeapgaugeLeak" and alert["state"] == "firing"]
        alert = wait_for(firing, "the alert on the leak", 240)[0]
        self.assertIn("RejectCoupon", alert["labels"]["function"])
        self.assertEqual(alert["labels"]["instance"], target)
        self.assertIn("RejectCoupon", alert["annotations"]["summary"])
        self.assertTrue(json.loads(ask(url + "/api/v1/targets").text)["data"]["activeTargets"][0]["health"] == "up")

        dashboard = json.loads((DOCS / "grafana.json").read_text(encoding="utf-8"))
        asked = 0
        for panel in dashboard["panels"]:
            for query in panel["targets"]:
                expression = query["expr"].replace("$job", ".*").replace("$instance", ".*").replace("$__rate_interval", "30s")
                self.assertNotIn("$", expression)
                result = self.query(url, expression)
                asked += 1
                if not any(name in expression for name in MAY_BE_EMPTY):
                    self.assertTrue(result, expression)
        self.assertGreater(asked, 10)
        for note in dashboard["annotations"]["list"]:
            self.assertTrue(self.query(url, note["expr"]), note["expr"])

        # The labels of a call site stay as they are: one series, however many reports.
        series = self.query(url, 'count by (site) (count by (site, function) (heapgauge_leak_suspected == 1))')
        self.assertEqual([one["value"][1] for one in series], ["1"] * len(series))


served.main()
