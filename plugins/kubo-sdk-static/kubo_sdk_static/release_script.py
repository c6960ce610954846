"""The shell program that gives a machine back: everything a cluster put on it goes, what it changed is put back.

It may be cut off anywhere and run again: what it works by goes last.  Packages stay, and so do kernel modules.
"""

from __future__ import annotations

from kubo_sdk_static.scripts import PROLOGUE

_UNITS = r"""
# Everything the core has noted that it put here; see kubo_sdk.nodes.machine.
listed() {
  for list in /var/lib/kubo/manifest /var/lib/kubo/manifest.next /var/lib/kubo/previous/manifest; do
    if [ -e "$list" ]; then
      while read -r kind _ name _; do if [ "$kind" = "$1" ]; then echo "$name"; fi; done <"$list"
    fi
  done | sort -u
}

stop_units() {
  names=$(listed unit)
  # Nothing here is worth waiting for: whoever is to leave gently has left.  A container runtime leaves its containers
  # alone when it is stopped, not so when it is killed.
  systemctl stop --no-block $names 2>/dev/null
  systemctl kill --kill-who=all --signal=KILL $names 2>/dev/null
  systemctl stop $names 'kubo-*' kubepods.slice 2>/dev/null
  for name in $names; do
    set +f
    rm -f /etc/systemd/system/*.wants/"$name"
    set -f
  done
}

is_containers() {
  case $(cat "/proc/$1/cgroup") in *kubepods*|*cri-containerd*) return 0 ;; esac
  read -r program <"/proc/$1/comm"
  case $program in containerd-shim*) grep -q k8s.io "/proc/$1/cmdline" ;; *) return 1 ;; esac
}

end_containers() {
  tries=0
  while :; do
    found=
    for pid in $(ls /proc); do
      case $pid in *[!0-9]*) continue ;; esac
      if [ "$pid" != $$ ] && is_containers "$pid" 2>/dev/null; then found="$found $pid"; fi
    done
    if [ -z "$found" ]; then return; fi
    kill -KILL $found 2>/dev/null
    tries=$((tries + 1))
    if [ "$tries" -gt 200 ]; then fail 104 "the containers' processes do not end:$found"; fi
    sleep 0.1
  done
}
"""

_KERNEL = r"""
was() { grep -qxF -e "$2" "$before/$1"; }

unmount_all() {
  while read -r _ place _; do
    case $place in
      /var/lib/kubelet/*|/var/lib/containerd/*|/run/containerd/*|/var/lib/kubo/*|/run/netns/cni-*|/run/netns) ;;
      *) continue ;;
    esac
    if ! was mounts "$place"; then echo "$place"; fi
  done </proc/mounts | sort -r | while read -r place; do umount "$place" 2>/dev/null || umount -l "$place"; done
}

remove_links() {
  set +f
  rm -f /run/netns/cni-*
  set -f
  for link in $(ls /sys/class/net); do
    case $link in cni0|flannel*|veth*|kube-*|kubo-*) ;; *) continue ;; esac
    if ! was links "$link"; then ip link delete "$link" 2>/dev/null; fi
  done
  ip -o address show dev lo | while read -r number dev family address rest; do
    if ! grep -q -e " $address " "$before/addresses"; then ip address delete "$address" dev lo; fi
  done
}

number() { old=$IFS; IFS=.; set -- $1; IFS=$old; echo $(((($1 * 256 + $2) * 256 + $3) * 256 + $4)); }

# Routes to other machines' pods, where the pod network has them instead of a tunnel.
remove_routes() {
  if [ ! -e /run/flannel/subnet.env ]; then return; fi
  network=$(sed -n 's/^FLANNEL_NETWORK=//p' /run/flannel/subnet.env)
  first=$(number "${network%/*}")
  size=$((1 << (32 - ${network#*/})))
  ip -4 route show | while read -r to rest; do
    case $to in [0-9]*.*) at=$(number "${to%/*}") ;; *) continue ;; esac
    if [ "$at" -lt "$first" ] || [ "$at" -ge $((first + size)) ] || was routes "$to $rest"; then continue; fi
    ip -4 route delete $to
  done
}

# The rules that speak of chains which only a cluster has; a table that was not there goes whole.
remove_rules() {
  if command -v nft >/dev/null && [ -e "$before/tables" ]; then
    nft list tables | while read -r table; do if ! was tables "$table"; then nft delete $table; fi; done
  fi
  for family in iptables ip6tables; do
    command -v $family-save >/dev/null || continue
    ours='KUBE-|KUBO-|CNI-|FLANNEL-'
    if $family-save 2>/dev/null | grep -qE "$ours"; then
      $family-save 2>/dev/null | grep -vE "^:($ours)|-[Ajg] ($ours)|^-A ($ours)" | $family-restore
    fi
  done
  if command -v nft >/dev/null && [ ! -e "$before/tables" ]; then
    for table in 'ip filter' 'ip nat' 'ip mangle' 'ip6 filter' 'ip6 nat' 'ip6 mangle'; do
      if nft list table $table 2>/dev/null | grep -qvE '^(table|\t?chain|\t?}|$)|policy accept'; then continue; fi
      nft delete table $table 2>/dev/null
    done
  fi
}

restore_settings() {
  while read -r name value; do
    if [ "$(cat "/proc/sys/$name" 2>/dev/null)" != "$value" ]; then echo "$value" 2>/dev/null >"/proc/sys/$name"; fi
  done <"$before/settings"
}
"""

_FILES = r"""
in_etc() { tar -tf "$before/etc.tar" "${1#/}" >/dev/null 2>&1; }
restore() { tar -C / -xpf "$before/etc.tar" --same-owner "$@"; }

# A file of /etc that was there before is as it was; every other one goes, and with it the directories it came with.
put_back() {
  back=
  while read -r path; do
    if in_etc "$path"; then back="$back ${path#/}"; else rm -f "$path"; fi
  done
  if [ -n "$back" ]; then restore $back; fi
}

remove_accounts() {
  tar -C / -xOf "$before/etc.tar" etc/passwd >"$before/passwd"
  { echo kube; listed file | sed -n 's,^/etc/sysusers.d/kubo-\(.*\)\.conf$,\1,p'; } | while read -r name; do
    if ! grep -q "^$name:" "$before/passwd" && grep -q "^$name:" /etc/passwd; then userdel "$name" 2>/dev/null; fi
  done
}

# What the preparation wrote beside the packages; see kubo_sdk.nodes.preparation_script.
undo_preparation() {
  printf '%s\n' /etc/modules-load.d/kubo.conf /etc/sysctl.d/90-kubo.conf /etc/cloud/cloud.cfg.d/99-kubo.cfg \
    /etc/kubo/machine.env | put_back
  sed -i 's/^# kubo: //' /etc/fstab
  case $(tar -tvf "$before/etc.tar" etc/resolv.conf 2>/dev/null) in *stub-resolv.conf) restore etc/resolv.conf ;; esac
  policy=/usr/sbin/policy-rc.d
  if grep -qs kubo-prepare "$policy"; then rm -f "$policy"; fi
  if [ -e "$policy.before-kubo" ]; then mv -f "$policy.before-kubo" "$policy"; fi
  # Daemons that started at boot before they came to be ours.
  daemons='(containerd|etcd|haproxy|pdns|pdns-recursor)'
  find /etc -maxdepth 2 -path '/etc/rc?.d/*' | grep -E "/[SK][0-9]+$daemons\$" | xargs -r rm -f
  tar -tf "$before/etc.tar" |
    grep -E "^etc/(systemd/system/[^/]+\.wants/$daemons\.service|rc.\.d/[SK][0-9]+$daemons)\$" |
    while read -r link; do if [ ! -L "/$link" ]; then restore "$link"; fi; done
}

empty() {
  for place; do
    if [ ! -d "$place" ]; then continue; fi
    find "$place" -xdev -mindepth 1 ! -type d -delete
    find "$place" -xdev -mindepth 1 -type d | sort -r | grep -vxFf "$before/directories" | xargs -r -d '\n' rmdir
    if ! was directories "$place"; then rmdir "$place"; continue; fi
    case $place in /etc/*) if in_etc "$place"; then restore "${place#/}"; fi ;; esac
  done
}

# Directories of /etc that nothing is in any more and that were not there before.
remove_directories() {
  while read -r path; do
    place=${path%/*}
    while [ "${place#/etc/}" != "$place" ] && ! was directories "$place" && rmdir "$place" 2>/dev/null; do
      place=${place%/*}
    done
  done
}
"""

# $1 is the id of the claim; nothing happens when it is another one or none.  $2 is "unsettled" when a claim that is
# settled is to be left alone.
RELEASE = (
    PROLOGUE
    + _UNITS
    + _KERNEL
    + _FILES
    + r"""
lock
rm -rf "$home.gone"
own_id
[ "$id" = "$1" ] || exit 0
if [ "${2-}" = unsettled ] && [ -e "$claim/settled" ]; then exit 100; fi
: >"$claim/releasing"
sync "$claim"
cd /

stop_units
end_containers
unmount_all
remove_routes
remove_links
remove_rules
restore_settings

listed file >"$claim/files"
remove_accounts
undo_preparation
put_back <"$claim/files"
remove_directories <"$claim/files"
systemctl daemon-reload
systemctl reset-failed
set +f
empty /etc/kubernetes /etc/etcd /etc/cni /etc/kubo /opt/kubo /opt/containerd /var/lib/kubelet /var/lib/containerd \
  /var/lib/etcd /var/lib/cni /var/lib/kubo-names /var/cache/kubo-* /var/log/kubernetes /var/log/pods /var/log/containers
rm -rf /run/flannel /run/kubo /run/kubo-cluster-dns /run/kubo-pdns /run/kubo-pdns-recursor /run/kubo-prepare
set -f
if [ "$(wc -l <"$before/swaps")" -gt 1 ]; then swapon -a; fi

if grep -q ' /var/lib/kubelet/' /proc/mounts; then fail 104 "something below /var/lib/kubelet is still mounted"; fi
for link in cni0 flannel.1; do
  if [ -e "/sys/class/net/$link" ] && ! was links "$link"; then fail 104 "the interface $link cannot be removed"; fi
done
# What this program works by goes last: first what was put here, then the claim.
empty /var/lib/kubo
while read -r mode owner place; do chmod "$mode" "$place"; chown "$owner" "$place"; done <"$before/modes"
mv -T "$home" "$home.gone"
rm -rf "$home.gone"
"""
)
