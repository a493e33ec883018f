"""redis-server under the real redis-cli and redis-benchmark, and what happens to it over days in a minute: the same
replies as bare, background saves and log rewrites by forked children, a clean end, and a second start that finds every
key.  Its report holds redis' own functions."""

import os

import programs
import redis_server
from programs import harness

COMMANDS = [
    *(f"SET key:{i} {'v' * (i * 37 % 2000)}" for i in range(400)),
    *(f"APPEND key:{i} more" for i in range(0, 400, 7)), *(f"STRLEN key:{i}" for i in range(400)),
    *(f"INCR counter:{i % 5}" for i in range(50)), "INCRBYFLOAT counter:0 1.5", "INCR key:1",
    *(f"RPUSH list {i * 7919 % 1000}" for i in range(300)), "SORT list LIMIT 0 20 DESC", "LRANGE list 10 30",
    *(f"HSET hash field:{i} {'h' * (i % 90)}" for i in range(600)), "HLEN hash", "HGET hash field:89",
    *(f"ZADD board {i * 31 % 97} member:{i}" for i in range(300)), "ZRANGE board 0 20 WITHSCORES",
    "ZSCORE board member:3",
    *(f"SADD odd {2 * i + 1}" for i in range(700)), *(f"SADD small {i}" for i in range(40)), "SINTERCARD 2 odd small",
    "SINTERSTORE both odd small", "SMISMEMBER both 1 2 3", "SETBIT bits 800001 1", "BITCOUNT bits",
    "PFADD visitors a b c d e f", "PFCOUNT visitors", "XADD stream 1-1 name value", "XADD stream 1-2 name other",
    "XRANGE stream - +", "GEOADD places 13.361389 38.115556 Palermo 15.087269 37.502669 Catania",
    "GEODIST places Palermo Catania", "SETRANGE wide 3000000 end", "STRLEN wide", "COPY wide wider", "DEL wide",
    "MULTI", "SET inside yes", "GET inside", "EXEC", "OBJECT ENCODING hash", "OBJECT ENCODING key:9",
    "EVAL \"local t = {} for i = 1, 20000 do t[i] = 'x' .. i end return #table.concat(t)\" 0",
    "EVAL \"return redis.call('NO')\" 0", "DBSIZE", "SET gone soon PX 1", "NOSUCHCOMMAND", "FLUSHDB ASYNC EXTRA",
]


def life(rig, mode, benchmark):
    """Two servers after one another on the same data.  What redis said, and the report of each."""
    directory = rig.directory()
    data = os.path.join(directory, "data")
    said = []

    def first(process):
        server.wait(process)
        # --no-raw: types and errors are in the answer.
        said.append(server.script(COMMANDS, "--no-raw"))
        harness.wait_until(lambda: server.say("EXISTS", "gone") == b"0\n", 10, "a key to expire")
        said.append(server.digest())
        server.background_save()
        programs.tool(benchmark, "-s", server.socket, "-q", "-n", "8000", "-r", "3000", "-d", "150", "-P", "8", "-c",
                      "20", "-t", "set,get,incr,lpush,rpop,sadd,hset,spop,zadd,zpopmin,lrange_100,mset")
        server.rewrite_log()
        server.background_save()
        said.append(server.say("GET", "key:37"))
        kept.append(server.digest())
        server.shutdown()

    def second(process):
        server.wait(process)
        harness.check(server.digest() == kept[0], f"{mode}: keys did not survive a restart")
        server.terminate(process)

    server = redis_server.Redis(data, "--appendonly", "yes")
    kept = []
    env = dict(programs.ROOMY, HEAPGAUGE_SYMBOLIZE="names")
    reports = []
    for number, part in enumerate((first, second)):
        place = os.path.join(directory, str(number))
        os.mkdir(place)
        pids = []

        def during(process, part=part, pids=pids):
            pids.append(process.pid)
            part(process)

        run = rig.run(server.argv(), mode, env, place, during=during)
        programs.unharmed(run)
        harness.check(run.stderr == b"", f"{mode}: redis says {run.stderr!r}")
        harness.check(b"bye bye" in run.stdout, f"{mode}: no clean end: {run.stdout!r}")
        if mode != "bare":
            reports.append(programs.report_of(run, pids[0]))
    return said, reports


def body():
    wanted = programs.options(__doc__)
    benchmark = programs.program("redis-benchmark")
    with harness.Rig(wanted) as rig:
        expected, _ = life(rig, "bare", benchmark)
        for mode in wanted.mode:
            said, reports = life(rig, mode, benchmark)
            for one, other in zip(said, expected):
                harness.check(one == other, f"{mode}: redis replies {one!r}\nbare: {other!r}")
            if mode == "default":
                continue  # a few samples in all
            names = programs.functions(reports[0])
            for name in ("main", "aeMain", "processCommand", "call"):
                harness.check(name in names, f"{mode}: {name} is on no stack: {sorted(names)}")
            # The second one has its keys from the file.
            names = programs.functions(reports[1])
            harness.check("loadDataFromDisk" in names or "loadAppendOnlyFiles" in names, f"{mode}: {sorted(names)}")


harness.main(body)
