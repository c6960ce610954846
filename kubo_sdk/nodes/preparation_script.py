"""The shell programs that make a machine out of a stock image.  Their text is fixed; orders come by standard input.

`PREPARE` starts `PROGRAM`, its first argument, as a unit of its own: a connection that is lost in the middle does not
take dpkg with it.  Whoever comes next waits for the same unit.  Killed anywhere, also with the machine, it begins again
and finds what it did.  It ends with one line: ``ok``, or ``again`` or ``never`` and a sentence about the machine.
"""

from __future__ import annotations

from kubo_sdk.nodes.machine import STATE
from kubo_sdk.nodes.preparation_apt import INSTALL

# Still going on; and: it ended with a sentence, that has to be said.
GOES_ON = 8
REFUSED = 9

# The machine remembers its preparation here; `script.READ` tells it.
PREPARED = f"{STATE}/prepared"

# $1 is a digest, $2 a directory: whether no packages have to be sent there for that preparation.
HAS_BUNDLE = f'test -d "$2" || test "$(cat {PREPARED} 2>/dev/null)" = "$1"'

# Orders are lines of a word and its value, the first of them the digest.  $1 is the program, $2 for how many seconds to
# wait for its end.
PREPARE = r"""
set -euf
umask 077
export LC_ALL=C
work=/run/kubo-prepare unit=kubo-prepare.service
read -r _ digest
if [ -e /var/lib/kubo/prepared ]; then
  read -r have </var/lib/kubo/prepared || true
  if [ "$have" = "$digest" ]; then exit 0; fi
fi
tries=0
until [ -S /run/systemd/private ]; do
  tries=$((tries + 1))
  if [ "$tries" -gt 150 ]; then
    echo "never no systemd answers on it; take an image that boots with systemd"
    exit 9
  fi
  sleep 0.2
done
goes_on() {
  case $(systemctl show --property=ActiveState --value "$unit") in active|activating|reloading) ;; *) false ;; esac
}
mkdir -p "$work"
exec 9>"$work/lock"
flock 9
left=$2
while goes_on && [ "$(cat "$work/digest")" != "$digest" ]; do
  # Another preparation: dpkg must not be cut off.
  if [ "$left" -le 0 ]; then exit 8; fi
  left=$((left - 1))
  sleep 1
done
if ! goes_on; then
  rm -f "$work/outcome" "$work/step"
  { echo "digest $digest"; cat; } >"$work/orders"
  echo "$digest" >"$work/digest"
  printf %s "$1" >"$work/program"
  systemd-run --quiet --collect --unit="$unit" --property=Type=exec --property=UMask=0022 \
    sh "$work/program" 9>&-
fi
exec 9>&-
left=$((left * 5))
until [ -e "$work/outcome" ] || ! goes_on; do
  if [ "$left" -le 0 ]; then exit 8; fi
  left=$((left - 1))
  sleep 0.2
done
if [ ! -e "$work/outcome" ]; then
  step=$(cat "$work/step" 2>/dev/null || echo "it began")
  echo "again its preparation was cut off while $step; run this again, or look at journalctl -u $unit on it"
  exit 9
fi
cat "$work/outcome"
if [ "$(cat "$work/outcome")" != ok ]; then exit 9; fi
"""

PROGRAM = (
    r"""
set -euf
export LC_ALL=C DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 APT_LISTCHANGES_FRONTEND=none
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
work=/run/kubo-prepare state=/var/lib/kubo log=/run/kubo-prepare/log policy=/usr/sbin/policy-rc.d
errors=/run/kubo-prepare/errors step=

# One line, and no password that stands in an address.
ended() {
  allow_starts
  rm -f "$work/orders" "$work/apt.conf"
  printf '%s\n' "$*" | tr -s '\n' ' ' | sed -E 's,//[^/@ ]*@,//,g; s/ *$//' >"$work/outcome.new"
  mv -f "$work/outcome.new" "$work/outcome"
}
# Ends with a sentence about the machine: "again" where trying again may help, "never" where somebody must do something.
refuse() { ended "$@"; exit 0; }
# Says what is done from here on, for the sentence when a command fails.
begin() {
  step=$*
  : >"$errors"
  : >"$log"
  echo "$step" >"$work/step"
}

# A command failed that nothing above explains.
failed() {
  code=$?
  trap - EXIT
  set +e
  if [ -e "$work/outcome" ]; then return; fi
  cat "$errors" >&3
  last=$(cat "$log" "$errors" | grep -v '^ *$' | tail -n 1 | cut -c -300)
  for place in /etc /usr /var /opt; do
    if [ "$(df -Pk "$place" | awk 'NR == 2 { print $4 }')" -lt 64 ]; then
      refuse never "its disk is full at $place, seen while $step; give it a larger one"
    fi
  done
  refuse again "$step failed: ${last:-exit code $code}; look at journalctl -u kubo-prepare on it"
}
exec 3>&2 2>>"$errors"
trap failed EXIT
begin "reading its orders"

now=0 source=apt packages= lock_seconds=600 clock_seconds=60 room_mb=1024
http_proxy= https_proxy= no_proxy= key= bundle=
: >"$work/apt"
while read -r word rest; do
  case $word in
    digest) digest=$rest ;;
    now) now=$rest ;;
    source) source=$rest ;;
    bundle) bundle=$rest ;;
    packages) packages=$rest ;;
    apt) echo "$rest" >>"$work/apt" ;;
    key) key_form=${rest%% *} key=${rest#* } ;;
    room_mb) room_mb=$rest ;;
    lock_seconds) lock_seconds=$rest ;;
    clock_seconds) clock_seconds=$rest ;;
    http_proxy) http_proxy=$rest ;;
    https_proxy) https_proxy=$rest ;;
    no_proxy) no_proxy=$rest ;;
  esac
done <"$work/orders"
read -r uptime _ </proc/uptime
began=${uptime%.*}

check_system() {
  ID=unknown VERSION_ID= VERSION_CODENAME= PRETTY_NAME="an unknown system"
  if [ -r /etc/os-release ]; then . /etc/os-release; fi
  major=${VERSION_ID%%.*}
  case $ID in
    debian) oldest=12 ;;
    ubuntu) oldest=22 ;;
    *) refuse never "it runs $PRETTY_NAME; take an image of Debian 12 or 13, or Ubuntu 22.04 or 24.04" ;;
  esac
  if [ "${major:-$oldest}" -lt "$oldest" ]; then
    refuse never "it runs $PRETTY_NAME, which is too old; take Debian 12 or 13, or Ubuntu 22.04 or 24.04"
  fi
}

await_cloud_init() {
  if ! command -v cloud-init >/dev/null; then return; fi
  code=0
  timeout 600 cloud-init status --wait >"$log" 2>&1 || code=$?
  if [ "$code" = 124 ]; then
    refuse never "cloud-init did not end within 10 minutes; look at /var/log/cloud-init.log on it"
  fi
}

# Certificates made now must not lie in the machine's future.  A machine that has just booted may not have asked yet.
check_clock() {
  tries=0
  while :; do
    read -r uptime _ </proc/uptime
    off=$(($(date +%s) - now - ${uptime%.*} + began))
    if [ "${off#-}" -le 120 ]; then return; fi
    tries=$((tries + 1))
    if [ "$tries" -gt "$clock_seconds" ]; then
      if [ "$off" -lt 0 ]; then where=behind; else where="ahead of"; fi
      refuse never "its clock is ${off#-} s $where the director's; let it reach a time server"
    fi
    sleep 1
  done
}

check_room() {
  for place in /usr /var /opt; do
    free=$(df -Pm "$place" | awk 'NR == 2 { print $4 }')
    if [ "$free" -lt "$room_mb" ]; then
      refuse never "it has $free MB left on $place and needs $room_mb; give it a larger disk"
    fi
  done
}

# The kernel of a container is somebody else's: what reaches beyond its own network stays as it is there.
prepare_kernel() {
  printf '%s\n' br_netfilter overlay vxlan nf_conntrack >/etc/modules-load.d/kubo.conf
  cat >/etc/sysctl.d/90-kubo.conf <<END
net.ipv4.ip_forward = 1
net.bridge.bridge-nf-call-iptables = 1
net.bridge.bridge-nf-call-ip6tables = 1
vm.overcommit_memory = 1
vm.panic_on_oom = 0
kernel.panic = 10
kernel.panic_on_oops = 1
fs.inotify.max_user_instances = 8192
fs.inotify.max_user_watches = 524288
END
  if systemd-detect-virt --quiet --container || grep -qs '^KUBO_LOCAL=1' /etc/kubo/machine.env; then
    sysctl -q -w net.ipv4.ip_forward=1
    return
  fi
  for module in br_netfilter overlay vxlan nf_conntrack; do
    if ! modprobe "$module" 2>"$log"; then
      refuse never "its kernel $(uname -r) has no module $module; take an image with the usual cloud or generic kernel"
    fi
  done
  if ! sysctl -q -p /etc/sysctl.d/90-kubo.conf 2>"$log"; then
    refuse never "its kernel does not take a setting: $(tail -n 1 "$log")"
  fi
  swapoff -a
  sed -i -E 's/^([^#]\S*\s+\S+\s+swap\s.*)$/# kubo: \1/' /etc/fstab
}

prepare_files() {
  mkdir -p /etc/kubo /opt/kubo/releases "$state" /var/lib/containerd /var/lib/kubelet
  if ! getent group kube >/dev/null; then groupadd --system kube; fi
  if ! getent passwd kube >/dev/null; then
    useradd --system --gid kube --home-dir "$state" --no-create-home --shell /usr/sbin/nologin kube
  fi
  if ! grep -qs '^KUBO_CGROUP=' /etc/kubo/machine.env; then
    if [ "$(stat -f -c %T /sys/fs/cgroup)" = cgroup2fs ]; then version=v2; else version=v1; fi
    echo "KUBO_CGROUP=$version" >>/etc/kubo/machine.env
  fi
  if [ -d /etc/cloud/cloud.cfg.d ]; then
    # It would write /etc/hosts anew at every boot.
    echo 'manage_etc_hosts: false' >/etc/cloud/cloud.cfg.d/99-kubo.cfg
  fi
  # Pods cannot ask a resolver that listens on the machine's loopback.
  case $(readlink /etc/resolv.conf || true) in
    */stub-resolv.conf) ln -sf /run/systemd/resolve/resolv.conf /etc/resolv.conf ;;
  esac
}
"""
    + INSTALL
    + r"""
begin "looking at its system"
check_system
begin "waiting for cloud-init"
await_cloud_init
begin "comparing its clock"
check_clock
begin "writing its files and accounts"
prepare_files
begin "setting up its kernel"
prepare_kernel
install_packages
begin "writing down what was done"
echo "$digest" >"$state/prepared.new"
mv -f "$state/prepared.new" "$state/prepared"
ended ok
"""
)
