# For the install tests: source it with `set -euo pipefail` in force.

# What the caller tracks with must not reach the consumers.
for variable in $(compgen -e HEAPGAUGE_ || true); do unset "$variable"; done
unset LD_PRELOAD LD_LIBRARY_PATH DESTDIR

fail() {
  echo "FAILED: $*" >&2
  exit 1
}

# Where the libraries of a prefix lie: lib, lib64 or lib/<triplet>, by CMAKE_INSTALL_LIBDIR.
library_dir() {
  local found
  found=$(find "$1" -name libheapgauge.so -print -quit)
  [ -n "$found" ] || fail "no libheapgauge.so below $1"
  dirname "$found"
}
