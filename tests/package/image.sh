#!/usr/bin/env bash
# The contents of the image FROM scratch: at most 15 MiB; an init container's program runs in it with nothing else there and
# fills a volume; a program of a fresh root, which has a C library and nothing more, is preloaded from that volume, and its
# report has source lines.
# Usage: image.sh SOURCE_DIR BUILD_DIR WORK_DIR
set -euo pipefail
source=$1
build=$2
work=$3
fail() { echo "FAIL: $*" >&2; exit 1; }
export LC_ALL=C
unshare -rmpf true 2>/dev/null || { echo "SKIP: no root can be entered"; exit 77; }
rm -rf "$work"
mkdir -p "$work/image" "$work/app"/{bin,proc,tmp,opt/heapgauge,dev}
"$source/lib/packaging/root_image" "$build" "$work/out"
tar -C "$work/image" -xf "$work/out/heapgauge.tar"
size=$(du -s --apparent-size -B1 "$work/image" | cut -f1)
[ "$size" -le $((15 << 20)) ] || fail "the image has $size bytes"
for line in 'FROM scratch' 'ADD heapgauge.tar /' 'ENTRYPOINT ["/bin/heapgauge-copy"]'; do
  grep -qxF "$line" "$work/out/Dockerfile" || fail "no '$line' in the Dockerfile"
done

# inside ROOT COMMAND...: with the namespaces of a container, and /proc where ROOT has it
inside() {
  local root=$1
  shift
  unshare -rmpf sh -c 'root=$1; shift; [ ! -d "$root/proc" ] || mount -t proc proc "$root/proc" || exit 99; exec chroot "$root" "$@"' \
    - "$root" "$@"
}

# As an init container: nothing but the image, and a volume.
mkdir "$work/image/volume"
inside "$work/image" /bin/heapgauge-copy /volume/heapgauge || fail "heapgauge-copy: status $?"
inside "$work/image" /bin/heapgauge-copy /volume/heapgauge || fail "once more: status $?"
for part in bin lib libexec share; do
  diff -r "$work/image/$part" "$work/image/volume/heapgauge/$part" || fail "$part was not copied whole"
done
inside "$work/image" /bin/heapgauge --version | grep -q heapgauge || fail "the command does not run in the image"
status=0
said=$(inside "$work/image" /bin/heapgauge-copy 2>&1) || status=$?
[ "$status" -eq 2 ] && [[ $said == usage:* ]] || fail "without a directory: status $status, $said"
status=0
said=$(inside "$work/image" /bin/heapgauge-copy /bin/heapgauge 2>&1) || status=$?
[ "$status" -eq 1 ] && [ "$(wc -l <<<"$said")" -eq 1 ] || fail "to a file: status $status, $said"

# A container of somebody's: a program, the C library, nothing else; the volume mounted.
cp -a "$work/image/volume/heapgauge/." "$work/app/opt/heapgauge"
cat >"$work/shop.c" <<'END'
#include <stdlib.h>
static void* volatile g_kept;
static void KeepOrder(void) { g_kept = malloc(1000); }
int main(void) {
  for (int i = 0; i < 5000; ++i) KeepOrder();
  return 7;
}
END
"${CC:-cc}" -g -O1 -Wl,--no-as-needed -o "$work/app/bin/shop" "$work/shop.c" -lm  # libm is a part of glibc
for file in $(ldd "$work/app/bin/shop" | grep -o '/[^ ]*'); do
  mkdir -p "$work/app$(dirname "$file")"
  cp -L "$file" "$work/app$file"
done
status=0
inside "$work/app" /opt/heapgauge/bin/heapgauge run --sample-interval 1 --output /tmp/run -- /bin/shop >"$work/said" 2>&1 || status=$?
[ "$status" -eq 7 ] || fail "heapgauge run: status $status: $(cat "$work/said")"
grep -q 'KeepOrder .*shop.c:3' "$work/app/tmp/run/report.txt" || fail "no line in $(cat "$work/app/tmp/run/report.txt")"
status=0
LD_PRELOAD='' inside "$work/app" /opt/heapgauge/bin/heapgauge report /tmp/run | grep -q KeepOrder || fail "no report"
# As a pod's specification does it, by the environment alone.
unshare -rmpf sh -c 'mount -t proc proc "$1/proc" && exec env HEAPGAUGE_SAMPLE_INTERVAL=1 HEAPGAUGE_OUTPUT=/tmp/env \
  LD_PRELOAD=/opt/heapgauge/lib/libheapgauge.so chroot "$1" /bin/shop' - "$work/app" 2>"$work/said" || status=$?
[ "$status" -eq 7 ] || fail "LD_PRELOAD: status $status: $(cat "$work/said")"
grep -q 'KeepOrder .*shop.c:3' "$work/app/tmp/env/report.txt" || fail "LD_PRELOAD: no line: $(cat "$work/said")"
