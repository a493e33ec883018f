#!/usr/bin/env bash
# Makes the Debian packages of a build, without compiling anything again; lintian has no error to tell; what is in them is
# what `cmake --install` has; dpkg installs them into a fresh root, where nothing is but what they depend on; they are used
# there, and leave nothing behind when they are removed.
# Usage: debian.sh BUILD_DIR WORK_DIR SOURCE_DIR
set -euo pipefail
. "$(dirname "$0")/../install/common.sh"
. "$(dirname "$0")/fresh_root.sh"
export LC_ALL=C PATH=$PATH:/usr/sbin:/sbin
build=$1
work=$2
source=$3
rm -rf "$work"
mkdir -p "$work"

"$source/lib/packaging/debian_packages" --pack "$build" "$work/packages"
cd "$work/packages"
for package in heapgauge libheapgauge0 libheapgauge-dev heapgauge-dbgsym libheapgauge0-dbgsym; do
  ls "${package}"_*.deb >/dev/null || fail "no package $package"
done
lintian --no-cfg --fail-on error ./*.deb >"$work/lintian" 2>&1 || { cat "$work/lintian" >&2; fail "lintian has errors"; }

# What `cmake --install` has: the same names, the same contents; programs are stripped, so their build IDs are compared.
build_id() {
  { readelf -n "$1" 2>/dev/null || true; } | sed -n 's/.*Build ID: //p'
}
cmake --install "$build" --prefix "$work/prefix" >/dev/null
for package in heapgauge_* libheapgauge0_* libheapgauge-dev_*; do dpkg-deb -x "$package" "$work/unpacked"; done
find "$work/unpacked" -name '*.[0-9].gz' -path '*/man/*' -exec gunzip {} +
list() {
  (cd "$1" && find . ! -type d ! -path './share/doc/*' ! -path './share/lintian/*' | sort)
}
diff <(list "$work/prefix") <(list "$work/unpacked/usr") || fail "the packages have other files than cmake --install"
while IFS= read -r file; do
  installed=$work/prefix/$file
  packed=$work/unpacked/usr/$file
  if [ -L "$installed" ]; then
    [ "$(readlink "$installed")" = "$(readlink "$packed")" ] || fail "$file leads elsewhere"
  elif id=$(build_id "$installed") && [ -n "$id" ]; then
    [ "$id" = "$(build_id "$packed")" ] || fail "$file is of another build"
  else
    cmp "$installed" "$packed" || fail "$file has other contents"
  fi
done < <(list "$work/prefix")

# The symbols that were stripped are in packages of their own, by build ID.
for package in heapgauge-dbgsym_* libheapgauge0-dbgsym_*; do dpkg-deb -x "$package" "$work/symbols"; done
for program in bin/heapgauge libexec/heapgauge/heapgauge-symbolize; do
  id=$(build_id "$work/unpacked/usr/$program")
  sections=$(readelf -SW "$work/symbols/usr/lib/debug/.build-id/${id:0:2}/${id:2}.debug" 2>/dev/null)
  [[ $sections == *.debug_info* ]] ||
    fail "$program has no debug symbols"
done
rm -rf "$work/symbols"

# Installed and used: first without the development package, so there is no library whose name has no version; by a program
# that knows nothing of heapgauge.
root=$work/root
install() {
  as_root dpkg --root="$root" --force-unsafe-io -i "$@" >>"$work/dpkg.log" 2>&1 ||
    { cat "$work/dpkg.log" >&2; fail "dpkg does not install $*"; }
}
fresh_root "$root" dash libc-bin coreutils -- heapgauge_* libheapgauge0_* libheapgauge-dev_*
find "$root" | sort >"$work/before"
install libheapgauge0_* heapgauge_*
cp "$source/LICENSE" "$root/tmp/text"
seen=$(root_seen_from_inside "$root")
in_root "$root" "$seen" /usr/bin/heapgauge run --output "$seen/tmp/report" --sample-interval 4KiB -- \
  "$seen/usr/bin/sort" "$seen/tmp/text" >"$work/sorted" 2>"$work/stderr" || fail "heapgauge run: $(cat "$work/stderr")"
cmp "$work/sorted" <(sort "$source/LICENSE") || fail "another answer under heapgauge run"
[ -s "$root/tmp/report/report.txt" ] || fail "heapgauge run left no report"
in_root "$root" "$seen" /usr/bin/heapgauge report "$seen/tmp/report" >"$work/report" || fail "heapgauge report reads no report"
grep -q sort "$work/report" || fail "the report does not name the program: $(cat "$work/report")"

# Then by one that is built with the development package.
install libheapgauge-dev_*
mapfile -t flags < <(PKG_CONFIG_LIBDIR=$(library_dir "$root")/pkgconfig pkg-config --cflags --libs heapgauge | xargs -n1)
"${CC:-cc}" -o "$root/tmp/plain_c" "$source/examples/plain_c/main.c" "${flags[@]}"
HEAPGAUGE_OUTPUT=$seen/tmp/linked in_root "$root" "$seen" /tmp/plain_c || fail "the linked program ended with status $?"
[ -s "$root/tmp/linked/report.txt" ] || fail "the linked program left no report"

# Removed.
as_root dpkg --root="$root" --force-unsafe-io --purge heapgauge libheapgauge0 libheapgauge-dev >>"$work/dpkg.log" 2>&1 ||
  { cat "$work/dpkg.log" >&2; fail "dpkg does not remove them"; }
left=$(find "$root" | sort | comm -13 "$work/before" - | grep -v -e "^$root/tmp/" -e "^$root/var/" -e '/etc/ld.so.cache$' || true)
[ -z "$left" ] || fail "left behind: $left"
as_root rm -rf "$root"
rm -rf "$work/unpacked" "$work/prefix" "$work/packages"
echo "packed, installed, used and removed"
