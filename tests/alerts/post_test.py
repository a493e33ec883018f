"""The helper against receivers that are slow, unreachable, lying, redirecting or overloaded."""

import socket
import threading

from support import Receiver, answer, ask_helper, check, main


def accepted():
    with Receiver(lambda handler, number: answer(handler, 200)) as receiver:
        said, _ = ask_helper(url=receiver.url, body='[{"labels":{}}]')
        check(said == "delivered", said)
        path, headers, body = receiver.requests[0]
        check(len(receiver.requests) == 1, "posted more than once")
        check(path == "/api/v2/alerts", path)
        check(body == b'[{"labels":{}}]', body)
        check(headers["Content-Type"] == "application/json", headers)


def overloaded_at_first():
    with Receiver(lambda handler, number: answer(handler, 503 if number < 3 else 200)) as receiver:
        said, took = ask_helper(url=receiver.url)
        check(said == "delivered", said)
        check(len(receiver.requests) == 3, f"{len(receiver.requests)} posts")
        check(took >= 1.4, f"no pauses: {took} s for three tries")


def refused_for_good():
    with Receiver(lambda handler, number: answer(handler, 400, b"bad \x1b[31mlabel\n set")) as receiver:
        said, _ = ask_helper(url=receiver.url)
        check(len(receiver.requests) == 1, "what is refused was posted again")
        check("answers 400" in said and "label" in said, said)
        check("\x1b" not in said and "\n" not in said, repr(said))


def redirecting():
    with Receiver(lambda handler, number: answer(handler, 200)) as other:
        with Receiver(lambda handler, number: answer(handler, 302, Location=other.url)) as receiver:
            said, _ = ask_helper(url=receiver.url)
            check("redirect" in said and other.url in said, said)
            check(not other.requests, "the redirect was followed")


def unreachable():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        said, took = ask_helper(url=f"http://127.0.0.1:{unused.getsockname()[1]}/", retry_ms=2500)
        check("no answer from" in said, said)
        check(1.0 < took < 30, f"{took} s")


def no_http():
    """A port where something else listens, and talks without end."""
    listener = socket.create_server(("127.0.0.1", 0))

    def talk():
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            try:
                while True:
                    connection.sendall(b"SSH-2.0-OpenSSH_9.2 " * 1000)
            except OSError:
                connection.close()

    threading.Thread(target=talk, daemon=True).start()
    said, _ = ask_helper(url=f"http://127.0.0.1:{listener.getsockname()[1]}/", retry_ms=1000)
    check("answers without end" in said or "no answer from" in said, said)
    listener.close()


def silent():
    """Accepts and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        said, took = ask_helper(url=f"http://127.0.0.1:{listener.getsockname()[1]}/", retry_ms=1000)
        check("no answer from" in said, said)
        check(took < 60, f"{took} s")


def odd_addresses():
    for url in ["ftp://host/", "http://", "localhost:9093"]:
        said, _ = ask_helper(url=url)
        check("is no http" in said, f"{url}: {said}")


def body(_):
    for case in [accepted, overloaded_at_first, refused_for_good, redirecting, unreachable, no_http, silent,
                 odd_addresses]:
        print(case.__name__, flush=True)
        case()


if __name__ == "__main__":
    main(body)
