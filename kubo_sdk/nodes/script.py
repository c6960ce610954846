"""The shell programs a machine runs.  Their text never changes; everything they work with comes by standard input.

They need a POSIX shell, GNU tar and coreutils, and systemd 247 or newer.  A file is put in place by a rename, its
directory's other files untouched.  Between ``begin`` and ``end`` the machine keeps ``manifest.next``, so a change that
was cut off at any point is seen, and made again in full, by the next one.  A change that is on trial keeps everything
that was there before it below ``previous``, until `PROVE` forgets that or `ROLL_BACK` puts it back.
"""

from __future__ import annotations

OUTDATED = 3
INTERRUPTED = 4
NO_SYSTEMD = 5
NOTHING_KEPT = 6

_COMMON = r"""
set -euf
umask 022
export LC_ALL=C
state=/var/lib/kubo
units=/etc/systemd/system

generation() {
  id=-
  if [ -e "$1" ]; then read -r _ _ id <"$1"; fi
}

await_systemd() {
  tries=0
  until [ -S /run/systemd/private ]; do
    tries=$((tries + 1))
    if [ "$tries" -gt 600 ]; then echo "systemd does not answer" >&2; exit 5; fi
    sleep 0.05
  done
}

# Makes systemd read all its units again, which costs it as much as starting a daemon, if it has one of $* in memory.  A
# unit it has not, it reads when it is asked to start it.
reload() {
  await_systemd
  if [ -n "$(systemctl --all --plain --no-legend list-units "$@")" ]; then systemctl daemon-reload; fi
}

ask_systemd() {
  if ! systemctl --no-block "$@"; then
    systemctl daemon-reload
    systemctl --no-block "$@"
  fi
}

# Forgets how often these units ended so far.  A restart does not, of a unit that systemd is about to start itself.
count_anew() { systemctl reset-failed "$@" 2>/dev/null || true; }

# Starts the units of the list $1 that do not run with what the manifest $2 says.  A unit is marked with a dash before
# it is asked to start: what is cut off in between, the next change restarts.
start_units() {
  fresh= again= marks=
  while read -r kind digest name target; do
    if [ "$kind" != unit ] || [ "$target" = - ]; then continue; fi
    case " $1 " in *" $name "*) ;; *) continue ;; esac
    was=
    if [ -e "$state/started/$name" ]; then read -r was <"$state/started/$name" || true; fi
    if [ "$was" = "$digest" ]; then continue; fi
    if [ -n "$was" ]; then again="$again $name"; else fresh="$fresh $name"; fi
    echo - >"$state/started/$name"
    if [ ! -L "$units/$target.wants/$name" ]; then
      if [ ! -d "$units/$target.wants" ]; then mkdir -p "$units/$target.wants"; fi
      ln -sf "$units/$name" "$units/$target.wants/$name"
    fi
    marks="$marks $name:$digest"
  done <"$2"
  if [ -z "$marks" ]; then return; fi
  await_systemd
  if [ -n "$again" ]; then ask_systemd restart $again; fi
  if [ -n "$fresh" ]; then ask_systemd start $fresh; fi
  for mark in $marks; do echo "${mark##*:}" >"$state/started/${mark%:*}"; done
  echo "restarted$again"
  echo "started$fresh"
}
"""

PUSH = (
    _COMMON
    + r"""
stage=$state/stage
trap 'rm -rf "$stage"' EXIT
mkdir -p "$state/started"
rm -rf "$stage"
mkdir -m 0700 "$stage"
cd "$stage"
tar -xpmf - --no-same-owner

generation "$state/manifest"; have=$id
generation "$state/manifest.next"; have="$have $id"

# Puts aside what the machine carries, once: what is there while a change is on trial has yet to prove itself.
keep() {
  count_anew $(ls "$state/started")
  if [ -e "$state/previous/manifest" ] || [ -e "$state/manifest.next" ] || [ ! -e "$state/manifest" ]; then return; fi
  rm -rf "$state/previous"
  mkdir -m 0700 "$state/previous"
  while read -r kind _ path _; do
    if [ "$kind" = file ] && [ -e "$path" ]; then echo "$path"; fi
  done <"$state/manifest" >"$state/previous/files"
  tar -cPf "$state/previous/tree.tar" --no-recursion -T "$state/previous/files"
  ls "$state/started" >"$state/previous/started"
  cp -a "$state/manifest" "$state/previous/manifest.new"
  mv -f "$state/previous/manifest.new" "$state/previous/manifest"
}

has_account() {
  while IFS=: read -r name _; do
    if [ "$name" = "$1" ]; then return; fi
  done </etc/passwd
  false
}

while read -r verb first rest <&3; do
  case $verb in
    base) if [ "$first $rest" != "$have" ]; then exit 3; fi ;;
    account) has_account "$first" || systemd-sysusers $rest ;;
    own) chown "$first:" $rest ;;
    keep) keep ;;
    begin) mv -f manifest "$state/manifest.next" ;;
    forget) for name in $first $rest; do echo - >"$state/started/$name"; done ;;
    directories) mkdir -p $first $rest ;;
    move) mv -f -t "$first" $rest ;;
    stop) await_systemd; systemctl stop $first $rest ;;
    remove) rm -f $first $rest ;;
    reload) reload $first $rest ;;
    start) start_units "$first $rest" "$state/manifest.next" ;;
    end) mv -f "$state/manifest.next" "$state/manifest" ;;
  esac
done 3<control
"""
)

START = (
    _COMMON
    + r"""
if [ -e "$state/manifest.next" ] || [ ! -e "$state/manifest" ]; then exit 4; fi
read -r names
start_units "$names" "$state/manifest"
"""
)

PROVE = r"""
set -eu
cd /var/lib/kubo
rm -f previous/manifest
rm -rf previous stage
"""

# The manifest that is begun stays until the end: cut off before, the machine counts as changed half.
ROLL_BACK = (
    _COMMON
    + r"""
if [ ! -e "$state/previous/manifest" ]; then
  rm -rf "$state/previous"
  exit 6
fi
cd "$state"

# The names of kind $1 in the manifests that follow, between spaces.
listed() {
  kind=$1 found=
  shift
  for list; do
    if [ ! -e "$list" ]; then continue; fi
    while read -r what _ name _; do if [ "$what" = "$kind" ]; then found="$found $name"; fi; done <"$list"
  done
  echo "$found "
}

# The names in $2 that are not in $1.
beyond() {
  for name in $2; do
    case "$1" in *" $name "*) ;; *) echo "$name" ;; esac
  done
}

if [ ! -e manifest.next ]; then
  cp -a previous/manifest manifest.new
  mv -f manifest.new manifest.next
fi
units_before=$(listed unit previous/manifest)
files_before=$(listed file previous/manifest)
new_units=$(beyond "$units_before " "$(listed unit manifest manifest.next)")
new_files=$(beyond "$files_before " "$(listed file manifest manifest.next)")
if [ -n "$new_units" ]; then
  await_systemd
  systemctl stop $new_units
  while read -r kind _ name target; do
    if [ "$kind" = unit ] && [ "$target" != - ]; then
      case " $(echo $new_units) " in *" $name "*) rm -f "started/$name" "$units/$target.wants/$name" ;; esac
    fi
  done <<END
$(cat manifest manifest.next)
END
fi
if [ -n "$new_files" ]; then rm -f $new_files; fi
rm -rf stage
mkdir -m 0700 stage
tar -xpPf previous/tree.tar -C stage --same-owner --transform 's,^/,,'
while read -r kind _ path _; do
  if [ "$kind" = file ] && [ -e "stage$path" ]; then mkdir -p "${path%/*}"; mv -f "stage$path" "$path"; fi
done <previous/manifest
rm -rf stage
await_systemd
systemctl daemon-reload
count_anew $(cat previous/started)
start_units "$(echo $(cat previous/started))" previous/manifest
cp -a previous/manifest manifest.new
mv -f manifest.new manifest
rm -f manifest.next
rm -f previous/manifest
rm -rf previous
"""
)

READ = r"""
set -u
cd /var/lib/kubo 2>/dev/null || exit 0
if [ -e manifest ]; then cat manifest; fi
if [ -e manifest.next ]; then echo next; cat manifest.next; fi
if [ -e previous/manifest ]; then echo previous; cat previous/manifest; fi
if [ -e prepared ]; then read -r digest <prepared && echo "prepared $digest"; fi
for file in started/*; do
  if [ -e "$file" ]; then read -r digest <"$file"; echo "started $digest ${file#*/}"; fi
done
"""
