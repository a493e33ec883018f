"""The programs that the whole-program benches run: our workloads, each at a size of a few tenths of a CPU second."""
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


def add_arguments(parser):
    parser.add_argument("--programs", default="all", help="comma-separated; all: " + ", ".join(PROGRAMS))
    parser.add_argument("--scale", type=float, default=1, help="multiplies the size of every program")


def commands(build, arguments):
    """[(name, command)] as the arguments ask for them."""
    names = list(PROGRAMS) if arguments.programs == "all" else arguments.programs.split(",")
    unknown = [name for name in names if name not in PROGRAMS]
    if unknown:
        sys.exit(f"unknown program {unknown[0]}; there are {', '.join(PROGRAMS)}")
    result = []
    for name in names:
        executable, scale, more = PROGRAMS[name]
        result.append((name, [f"{build}/bin/{executable}", str(max(1, round(scale * arguments.scale))), *map(str, more)]))
    return result
