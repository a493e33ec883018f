#!/usr/bin/env bash
# The interface of the library is the one that is kept; and every kind of change to it would be seen.
# Usage: abi.sh SOURCE_DIR LIBRARY WORK_DIR
set -euo pipefail
source=$1
library=$2
work=$3
"$source/.ci/abi" "$library"
rm -rf "$work"
mkdir -p "$work"/{.ci,lib/shim,include}
cp "$source/.ci/abi" "$work/.ci/abi"
cp -r "$source/include/heapgauge" "$work/include"
kept=$source/lib/shim/heapgauge.abi
# A function too few, a struct of another size, a member elsewhere, another constant, another version of a name.
for change in "/elf-symbol name='heapgauge_start'/d" "s/\(name='heapgauge_site' size-in-bits=\)'[0-9]*'/\1'8'/" \
    "s/layout-offset-in-bits='64'/layout-offset-in-bits='72'/" "s/\(HEAPGAUGE_NO_MEMORY' value=\)'3'/\1'9'/" \
    "s/\(name='heapgauge_stop' version=\)'HEAPGAUGE_0.1'/\1'HEAPGAUGE_0.0'/"; do
  sed "$change" "$kept" >"$work/lib/shim/heapgauge.abi"
  if cmp -s "$kept" "$work/lib/shim/heapgauge.abi"; then echo "FAIL: $change changes nothing" >&2; exit 1; fi
  if "$work/.ci/abi" "$library" >/dev/null 2>&1; then echo "FAIL: $change is not seen" >&2; exit 1; fi
done
