"""The shell programs that look at a machine and change whose it is.

They need a POSIX shell, GNU tar and coreutils, util-linux and systemd; Debian and Ubuntu have no less.  Everything that
is kept lies below `HOME`, readable by root alone::

    claim/record       one line of JSON: whose it is (`Claim`)
    claim/id           what names this claim; nobody gets it again
    claim/settled      whoever claimed it knows that no other machine was claimed for the same slot
    claim/releasing    it is being given back, and good for nothing until that has ended
    claim/before/      how the machine was: etc.tar, directories, links, mounts, addresses, routes, settings, tables
    notes/MACHINE      the record of another machine of the cluster, for the time when that one does not answer

A claim appears by one rename, under a lock that one program at a time holds.
"""

from __future__ import annotations

HOME = "/var/lib/kubo-static"

TAKEN = 100
USED = 101
LOST = 102
BUSY = 103
LEFT_OVER = 104

PROLOGUE = r"""
set -uf
umask 077
export LC_ALL=C
home=/var/lib/kubo-static
claim=$home/claim
before=$claim/before

fail() { echo "$2" >&2; exit "$1"; }
lock() { exec 9>/run/kubo-static.lock; flock -w 120 9 || fail 103 "it has been changed for two minutes"; }
own_id() { id=-; if [ -e "$claim/id" ]; then read -r id <"$claim/id"; fi; }
"""

# What stands on a machine that nobody has claimed, and must not be there.
_USED = r"""
used() {
  for place in /var/lib/kubo /var/lib/kubelet /etc/kubernetes; do
    if [ -d "$place" ] && [ -n "$(ls -A "$place")" ]; then echo "$place is not empty"; return; fi
  done
}
"""

_LOOK = (
    _USED
    + r"""
look() {
  read -r boot </proc/sys/kernel/random/boot_id
  read -r line </proc/1/stat
  set -- ${line##*) }
  shift 19
  echo "mark $boot.$1"
  while read -r key value _; do if [ "$key" = MemTotal: ]; then break; fi; done </proc/meminfo
  echo "size $(nproc) $((value / 1024))"
  if [ -e "$claim/record" ]; then
    if [ -e "$claim/releasing" ]; then echo "state releasing"
    elif [ -e "$claim/settled" ]; then echo "state settled"
    else echo "state claimed"; fi
    echo "claim $(cat "$claim/record")"
    if [ -d "$home/notes" ]; then echo "notes" $(ls "$home/notes"); fi
  else
    why=$(used)
    if [ -n "$why" ]; then echo "used $why"; fi
  fi
}
"""
)

LOOK = PROLOGUE + _LOOK + "look\n"

# $1 is the id of the claim, standard input its record.
CLAIM = (
    PROLOGUE
    + _LOOK
    + r"""
lock
if [ -e "$claim" ]; then look; exit 100; fi
why=$(used)
if [ -n "$why" ]; then look; exit 101; fi
rm -rf "$home"
trap 'if [ ! -e "$claim" ]; then rm -rf "$home"; fi' EXIT
mkdir -p "$home/new/before"
cd "$home/new"
cat >record
[ -s record ] || fail 1 "the record did not arrive"
echo "$1" >id
# 1: a file changed meanwhile.
tar -C / --one-file-system -cf before/etc.tar etc 2>before/log || [ $? -eq 1 ] || fail 1 "$(tail -n 1 before/log)"
{
  find /etc /opt /var/lib/kubo /var/lib/kubelet -xdev -type d 2>/dev/null
  find /var /var/lib /var/log /var/cache /opt -maxdepth 1 -type d
} >before/directories
stat -c '%a %u:%g %n' /var/lib/kubo /var/lib/kubelet /var/lib/containerd /var/lib/etcd /opt/kubo /var/log/containers \
  /var/log/pods >before/modes 2>/dev/null
ls /sys/class/net >before/links
while read -r _ place _; do echo "$place"; done </proc/mounts >before/mounts
ip -o address show dev lo >before/addresses
ip -4 route show >before/routes
cat /proc/swaps >before/swaps
cd /proc/sys
for name in net/ipv4/ip_forward net/ipv4/conf/all/forwarding net/ipv4/conf/all/route_localnet \
  net/bridge/bridge-nf-call-iptables net/bridge/bridge-nf-call-ip6tables \
  net/netfilter/nf_conntrack_max net/netfilter/nf_conntrack_tcp_timeout_established \
  net/netfilter/nf_conntrack_tcp_timeout_close_wait net/ipv4/vs/conntrack \
  vm/overcommit_memory vm/panic_on_oom kernel/panic kernel/panic_on_oops \
  kernel/keys/root_maxkeys kernel/keys/root_maxbytes fs/inotify/max_user_instances fs/inotify/max_user_watches; do
  if [ -e "$name" ]; then echo "$name $(cat "$name")"; fi
done >"$home/new/before/settings"
cd "$home/new"
if command -v nft >/dev/null; then nft list tables >before/tables || rm -f before/tables; fi
sync .
mv -T "$home/new" "$claim"
look
"""
)

# $1 is the id of the claim; standard input holds a line MACHINE RECORD for each machine to remember.
SETTLE = (
    PROLOGUE
    + r"""
lock
own_id
[ "$id" = "$1" ] && [ ! -e "$claim/releasing" ] || fail 102 "the claim is no more"
mkdir -p "$home/notes"
while read -r name record; do
  echo "$record" >"$home/notes/.$name"
  mv -f "$home/notes/.$name" "$home/notes/$name"
done
: >"$claim/settled"
"""
)

# $1 is the id of the claim of the machine that remembers, $2 the other machine, standard input its record or nothing.
NOTE = (
    PROLOGUE
    + r"""
still_here() { own_id; [ "$id" = "$1" ] && [ ! -e "$claim/releasing" ]; }
still_here "$1" || exit 0
lock
still_here "$1" || exit 0
mkdir -p "$home/notes"
cat >"$home/notes/.$2"
if [ -s "$home/notes/.$2" ]; then mv -f "$home/notes/.$2" "$home/notes/$2"
else rm -f "$home/notes/.$2" "$home/notes/$2"; fi
"""
)

# $* are the machines that do not answer.
RECALL = (
    PROLOGUE
    + r"""
for name; do
  if [ -s "$home/notes/$name" ]; then echo "$name $(cat "$home/notes/$name")"; fi
done
"""
)

# $1 is the id of the claim.  The way back to whoever asked breaks with the machine.
RESTART = (
    PROLOGUE
    + r"""
own_id
[ "$id" = "$1" ] || fail 102 "the claim is no more"
timeout 10 sync
exec systemctl reboot --force --force
"""
)

# $1 is the id of the claim, all else the command.  The same round trip tells whether the machine was given back.
GUARD = (
    r"id=-; if [ -e /var/lib/kubo-static/claim/id ]; then read -r id </var/lib/kubo-static/claim/id; fi; "
    r'[ "$id" = "$1" ] || { echo "kubo-static: the claim is no more" >&2; exit 102; }; shift; exec "$@"'
)
