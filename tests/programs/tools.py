"""Tools that everybody has, on work that makes them allocate: the same output, byte for byte, and a complete report.
What a tool's exact report counts is what its 4KiB report estimates."""

import hashlib
import os
import random

import programs
from programs import harness

SQL = """
create table t(id integer primary key, name text, price real, note blob);
with recursive n(i) as (select 1 union all select i + 1 from n where i < 30000)
  insert into t select i, 'name ' || (i * 7919 % 10007), i / 7.0, zeroblob(i % 300) from n;
create index by_name on t(name, price);
select count(*), sum(price), max(name) from t;
select name, count(*) c, group_concat(id) from t group by name order by c desc, name limit 20;
update t set name = upper(name) || printf('%08d', id) where id % 3 = 0;
delete from t where id % 5 = 0;
select hex(zeroblob(200000)) like '00%', length(hex(randomblob(100000)));
select json_group_array(json_object('id', id, 'name', name)) from (select * from t limit 2000);
vacuum;
pragma integrity_check;
select no_such_column from t;
"""
PERL = r"""
use strict; use warnings; use threads;
my %h; $h{"key$_"} = [map { $_ x 3 } 1 .. $_ % 40] for 1 .. 6000;
my $text = join ',', map { "$_=" . scalar @{$h{$_}} } sort keys %h;
print length($text), ' ', scalar(() = $text =~ /key(\d)\d*=(\d+)/g), "\n";
my @t = map { my $n = $_; threads->create(sub { my %x; $x{$_ % 97} .= $_ x $n for 1 .. 4000; scalar keys %x }) } 1 .. 4;
print join(' ', map { $_->join } @t), "\n";
my $pid = fork // die; if (!$pid) { my @a = map { "x$_" } 1 .. 1000; exit 4 } waitpid $pid, 0; print $? >> 8, "\n";
print `echo from a shell`; eval { die { code => 5 } }; print $@->{code}, "\n"; $SIG{ALRM} = sub { print "alarm\n" };
kill ALRM => $$; local $_ = 'a' x 100000; s/a/bb/g; print length, "\n"; exit 6;
"""
GIT = r"""
set -e
export HOME="$PWD" GIT_CONFIG_NOSYSTEM=1
export GIT_AUTHOR_DATE='2024-01-01 00:00 +0000' GIT_COMMITTER_DATE='2024-01-01 00:00 +0000'
export GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@b GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@b
git init -q -b trunk origin && cd origin
for i in 1 2 3 4 5 6; do for j in 1 2 3 4 5 6 7 8 9; do seq $i$j 3000 >file$j; done
git add . && git commit -qm "number $i"; done
git checkout -q -b side HEAD~2 && echo side >other && git add . && git commit -qm side && git checkout -q trunk
git merge -q -m merge side && git gc -q && cd ..
git clone -q "file://$PWD/origin" copy && cd copy
git log --stat --format='%H %s' && git diff HEAD~3 | git patch-id
git fsck 2>&1 && git rev-list --all --objects | sort
git blame file3 | tail -n 3 && git grep -c 99 | sort && git archive HEAD | tar -t | sort && git status --porcelain
"""


def random_text(path, seed, size):
    words = [bytes(random.Random(seed + i).choices(b"abcdefghijklmnopqrstuvwxyz", k=3 + i % 9)) for i in range(500)]
    with open(path, "wb") as file:
        file.write(b" ".join(random.Random(seed).choices(words, k=size // 8)))


def sqlite(place):
    return [programs.program("sqlite3"), "-batch", os.path.join(place, "db"), SQL], 1


def perl(_):
    return [programs.program("perl"), "-e", PERL], 6


def packed(place, name, *flags):
    """Packs with threads, unpacks, and prints both: the packed bytes do not depend on who comes first."""
    path = os.path.join(place, "text")
    random_text(path, 7, 6 << 20)
    tool = programs.program(name)
    line = f"{tool} {' '.join(flags)} -c text >packed && sha256sum <packed && {tool} -dc packed | sha256sum"
    return ["/bin/sh", "-c", line], 0


def xz(place):
    return packed(place, "xz", "-2", "-T2", "--block-size=1MiB")


def zstd(place):
    return packed(place, "zstd", "-7", "-T2", "-q")


def git(_):
    programs.program("git")
    return [programs.program("bash"), "-c", GIT], 0


TOOLS = {"sqlite3": sqlite, "perl": perl, "xz": xz, "zstd": zstd, "git": git}
# One process of these does all, always with the same requests.
REPEATABLE = ("sqlite3",)


def body():
    wanted = programs.options(__doc__, lambda parser: parser.add_argument("--tool", choices=TOOLS, required=True))
    with harness.Rig(wanted) as rig:
        def ran(mode):
            place = rig.directory()
            argv, status = TOOLS[wanted.tool](place)
            env = dict(programs.ROOMY, HEAPGAUGE_SYMBOLIZE="names")
            run = rig.run(argv, mode, env, place)
            # git and sqlite3 name the place they work in.
            run.stdout, run.stderr = (text.replace(place.encode(), b"PLACE") for text in (run.stdout, run.stderr))
            harness.check(run.status == status, f"{mode}: {wanted.tool} ends with {run.status}: {run.stderr!r}")
            return run

        bare = ran("bare")
        harness.check(len(bare.stdout) > 20, f"{wanted.tool} prints {bare.stdout!r}")
        print(f"bare: {len(bare.stdout)} bytes, sha256 {hashlib.sha256(bare.stdout).hexdigest()}")
        allocated = {}
        for mode in wanted.mode:
            run = ran(mode)
            programs.unharmed(run, bare)
            reports = harness.last_reports(run.directory).values()
            harness.check(reports or mode == "default", f"{mode}: no report")
            for report in reports:
                programs.whole(run, report)
            totals = [report["totals"] for report in reports if report["exe"].endswith(wanted.tool)]
            allocated[mode] = max((one["allocated_bytes"] for one in totals), default=0)
            print(f"{mode}: {len(reports)} reports, {allocated[mode]:.0f} bytes allocated")
        if wanted.tool in REPEATABLE and "exact" in allocated:
            for mode, estimate in allocated.items():
                harness.check(harness.near(estimate, allocated["exact"], harness.INTERVALS[mode]),
                              f"{mode}: {estimate:.0f} bytes were allocated, exactly {allocated['exact']:.0f}")


harness.main(body)
