"""A python process that long_life.py tells what to do, a line a command; it answers with the same word when that is done.

  work N            N rounds of json, re, zlib, threads and forks; keeps nothing
  unwatched_work N  the same while tracking is stopped
  hold BYTES        allocates blocks of that size in all, by malloc itself, and frees as much of the old ones past 16 MiB
  truth             how many bytes it holds that way
"""

import ctypes
import json
import os
import random
import re
import signal
import sys
import threading
import zlib

LIBC = ctypes.CDLL(None)
LIBC.malloc.restype = ctypes.c_void_p
LIBC.malloc.argtypes = [ctypes.c_size_t]
LIBC.free.argtypes = [ctypes.c_void_p]
MOST_BYTES = 16 << 20
RANDOM = random.Random(7)


def thread(seed):
    rows = [{"id": i, "name": f"name {i * seed % 977}", "price": i * seed / 7} for i in range(800)]
    text = json.dumps(rows, sort_keys=True)
    assert json.loads(text) == rows and len(re.findall(r"name (\d+)", text)) == 800
    assert zlib.decompress(zlib.compress(text.encode(), 3)).decode() == text


def work(rounds):
    for number in range(rounds):
        threads = [threading.Thread(target=thread, args=(seed,)) for seed in range(1, 4)]
        for one in threads:
            one.start()
        for one in threads:
            one.join()
        child = os.fork()
        if child == 0:
            kept = [json.dumps(list(range(n))) for n in range(100)]
            os._exit(len(kept) % 100 + number % 3)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == number % 3


def main():
    held = []
    signal.signal(signal.SIGUSR1, lambda *_: json.dumps(list(range(3000))))
    print("ready", flush=True)
    for line in sys.stdin:
        word, *more = line.split()
        result = ""
        if word == "work":
            work(int(more[0]))
        elif word == "unwatched_work":
            LIBC.heapgauge_stop()
            work(int(more[0]))
            LIBC.heapgauge_start()
        elif word == "hold":
            left = int(more[0])
            while left > 0:
                size = min(left, RANDOM.randrange(100, 20000))
                held.append((LIBC.malloc(size), size))
                left -= size
            while sum(size for _, size in held) > MOST_BYTES:
                LIBC.free(held.pop(RANDOM.randrange(len(held)))[0])
        elif word == "truth":
            result = f" {sum(size for _, size in held)}"
        print(word + result, flush=True)


if __name__ == "__main__":
    main()
