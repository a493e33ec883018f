# For the test of the packages: a root with some packages of this machine in it, and dpkg's record of them.

# as_root COMMAND...: as root, or as the root of a user namespace
as_root() {
  if [ "$(id -u)" -eq 0 ]; then "$@"; else unshare -r "$@"; fi
}

# root_seen_from_inside ROOT: nothing, where a root may be entered with a /proc of its own; else ROOT, and in_root runs what
# lies there from outside
root_seen_from_inside() {
  unshare -rmpf --mount-proc="$1/proc" true 2>/dev/null || printf '%s\n' "$1"
}

# in_root ROOT SEEN PROGRAM ARGUMENT...: paths in arguments begin with SEEN
in_root() {
  local root=$1 seen=$2 program=$3
  shift 3
  if [ -z "$seen" ]; then
    unshare -rmpf --mount-proc="$root/proc" chroot "$root" "$program" "$@"
  else
    LD_LIBRARY_PATH=$(dirname "$(find "$root/usr/lib" -name libheapgauge.so.0 -print -quit)") "$root$program" "$@"
  fi
}

# depends_of FIELD: the names in a Depends field; of alternatives, the one that is installed
depends_of() {
  local entry name
  tr ',' '\n' <<<"$1" | while IFS= read -r entry; do
    tr '|' '\n' <<<"$entry" | while IFS= read -r name; do
      name=$(sed 's/(.*//; s/:.*//; s/ //g' <<<"$name")
      [ -n "$name" ] && dpkg-query -W "$name" >/dev/null 2>&1 && echo "$name" && break
    done
  done || true
}

# fresh_root ROOT PACKAGE... -- FILE...: the packages and what the package files depend on, and so on
fresh_root() {
  local root=$1 package file known=" " queue=() entry
  shift
  while [ "$1" != -- ]; do
    queue+=("$1")
    shift
  done
  shift
  for file in "$@"; do
    mapfile -t -O "${#queue[@]}" queue < <(depends_of "$(dpkg-deb -f "$file" Depends)")
  done
  mkdir -p "$root"/{usr/bin,usr/sbin,usr/lib,usr/lib64,etc,proc,dev,tmp,var/lib/dpkg/info,var/lib/dpkg/updates,var/lib/dpkg/triggers}
  for entry in bin sbin lib lib64; do
    if [ -L "/$entry" ]; then ln -s "usr/$entry" "$root/$entry"; else mkdir -p "$root/$entry"; fi
  done
  : >"$root/dev/null"
  chmod 666 "$root/dev/null"
  while [ ${#queue[@]} -gt 0 ]; do
    package=${queue[0]}
    queue=("${queue[@]:1}")
    [[ $known != *" $package "* ]] || continue
    known+="$package "
    mapfile -t -O "${#queue[@]}" queue < <(depends_of "$(dpkg-query -W -f '${Depends}, ${Pre-Depends}' "$package")")
    dpkg-query -L "$package" | grep -v '^/usr/share/\(doc\|man\|locale\|info\)/' | while IFS= read -r file; do
      if [ ! -d "$file" ] && [ -e "$file" ]; then printf '%s\n' "${file#/}"; fi
    done | tar -C / --no-recursion -cf - -T - | tar -C "$root" --keep-directory-symlink --no-same-owner -xf -
    { dpkg-query -s "$package"; echo; } >>"$root/var/lib/dpkg/status"
    : >"$root/var/lib/dpkg/info/$package$(dpkg-query -W -f '${Multi-Arch}:${Architecture}' "$package" | sed -n 's/^same//p').list"
  done
}
