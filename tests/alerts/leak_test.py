"""A leak begins and is mended: the alert is raised, reaches file, stderr, command and URL, and is cleared.

The receiver is slow on purpose: reports must come as if it were not."""

import json
import os
import time

from support import Receiver, Service, answer, check, main, wait_for


def slow(handler, number):
    time.sleep(3 if number == 1 else 0)
    answer(handler, 500 if number == 2 else 200)


def body(directory):
    got = os.path.join(directory, "got")
    with Receiver(slow) as receiver, Service(directory, HEAPGAUGE_ALERT_URL=receiver.url,
                                             HEAPGAUGE_ALERT_EXEC=f"cat >> {got}") as service:
        raised = wait_for("an alert", lambda: service.lines("alerts.jsonl"))[0]
        check(raised["schema"] == "heapgauge.alert/1", raised)
        check((raised["status"], raised["kind"]) == ("firing", "leak"), raised)
        check(raised["function"] == "forget_coupon", raised)
        check(os.path.basename(raised["file"]) == "leaking.c" and raised["line"] > 0, raised)
        check(raised["growth_low"] > 0, raised)
        check(raised["report_directory"] == service.output, raised)

        alert = wait_for("a post", receiver.bodies)[0][0]
        check(alert["labels"]["function"] == "forget_coupon", alert)
        check(alert["labels"]["line"] == str(raised["line"]), alert)
        # While the first answer takes three seconds, reports go on.
        before = len(service.lines("reports.jsonl"))
        wait_for("more reports", lambda: len(service.lines("reports.jsonl")) >= before + 4, 30)

        service.mend()
        over = wait_for("the alert's end", lambda: service.lines("alerts.jsonl")[1:])[0]
        check(over["status"] == "resolved" and over["site"] == raised["site"], over)
        check(over["starts_at"] == raised["starts_at"] and over["ends_at"], over)

        def ended():
            return [one for all_of_one in receiver.bodies() for one in all_of_one if one["endsAt"] == over["ends_at"]]

        posted = wait_for("a post of the end", ended)[0]
        check(posted["labels"] == alert["labels"], "the end of another alert was posted")
        said = service.end()
        check(said.count("leaks at forget_coupon (leaking.c:") == 2, said)
        check(said.count("heapgauge: over: ") == 1, said)
        check(len(service.lines("alerts.jsonl")) == 2, "an alert flapped")
    with open(got, encoding="utf-8") as file:
        events = [json.loads(line) for line in file]
    check([event["status"] for event in events] == ["firing", "resolved"], events)
    check(events[0] == raised, "the command got something else than alerts.jsonl")


if __name__ == "__main__":
    main(body)
