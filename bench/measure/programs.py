"""The programs that the whole-program benches run: our workloads, each at a size of a few tenths of a CPU second, and
real programs at a fixed task of about a second."""
import os
import shutil
import sys

# name: (executable, usual scale, further arguments)
PROGRAMS = {
    "bignum_churn": ("bignum_churn", 1_500_000, ()),
    "cube_cover": ("cube_cover", 18, ()),
    "body_tree": ("body_tree", 40, ()),
    "random_objects": ("random_objects", 4_000_000, (1,)),
    "random_objects_2": ("random_objects", 4_000_000, (2,)),
    "block_batches": ("block_batches", 12_000, (1,)),
    "block_batches_2": ("block_batches", 12_000, (2,)),
    "server_threads": ("server_threads", 12_000_000, (2,)),
    "handover": ("handover", 8_000_000, (2,)),
    "mixed_stress": ("mixed_stress", 6_000_000, (2,)),
    "cache_scratch": ("cache_scratch", 500_000, (2,)),
    "large_blocks": ("large_blocks", 300, ()),
    "calloc_large": ("calloc_large", 2_000, ()),
    "thread_churn": ("thread_churn", 20_000, ()),
    "growing_vectors": ("growing_vectors", 4_000_000, ()),
    "string_maps": ("string_maps", 12_000, ()),
    "deep_trees": ("deep_trees", 150, ()),
}

HERE = os.path.dirname(os.path.abspath(__file__))
# Words counted into a dictionary, objects made and dropped, a list sorted by a key.
PYTHON_WORK = """
import json, random
random.seed(1)
words = [str(random.randrange(50000)) * 3 for _ in range(200000)]
counts = {}
for word in words:
    counts.setdefault(word, []).append(len(word))
text = json.dumps({k: sum(v) for k, v in counts.items()})
print(len(json.loads(text)), sorted(words, key=lambda w: w[::-1])[0])
"""
SQLITE_WORK = """
CREATE TABLE item (id INTEGER PRIMARY KEY, name TEXT, price REAL);
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300000)
  INSERT INTO item SELECT i, 'item ' || hex(i * 2654435761 % 4294967296), i * 0.37 FROM n;
CREATE INDEX by_name ON item (name);
SELECT count(*), sum(price) FROM item WHERE name LIKE 'item 3%';
"""
# name: command, whose first word has to be installed
REAL_PROGRAMS = {
    "python3": ["python3", "-c", PYTHON_WORK],
    "g++": ["g++", "-std=c++20", "-O1", "-c", f"{HERE}/../workloads/string_maps.cc", "-o", "/dev/null"],
    "sqlite3": ["sqlite3", ":memory:", SQLITE_WORK],
}


def add_arguments(parser):
    parser.add_argument("--programs", default="all", help="comma-separated; all: " + ", ".join(PROGRAMS) + "; real: " +
                        ", ".join(REAL_PROGRAMS))
    parser.add_argument("--scale", type=float, default=1, help="multiplies the size of every program")


def commands(build, arguments):
    """[(name, command)] as the arguments ask for them."""
    groups = {"all": list(PROGRAMS), "real": list(REAL_PROGRAMS)}
    names = [name for word in arguments.programs.split(",") for name in groups.get(word, [word])]
    unknown = [name for name in names if name not in PROGRAMS and name not in REAL_PROGRAMS]
    if unknown:
        sys.exit(f"unknown program {unknown[0]}; there are {', '.join([*PROGRAMS, *REAL_PROGRAMS])}, all and real")
    result = []
    for name in names:
        if name in REAL_PROGRAMS:
            tool = shutil.which(REAL_PROGRAMS[name][0])
            if tool is None:
                print(f"left out: {name}, which is not installed")
            else:
                result.append((name, [tool, *REAL_PROGRAMS[name][1:]]))
            continue
        executable, scale, more = PROGRAMS[name]
        result.append((name, [f"{build}/bin/{executable}", str(max(1, round(scale * arguments.scale))), *map(str, more)]))
    return result
