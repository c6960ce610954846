"""What an etcd machine is told when its member goes on alone with its data.  Pure text; everything may be told again.

A member may have applied more than its log calls certain: how far the majority had come is written down with the next
entry, and there was none.  etcd's own ``force-new-cluster`` cuts the log off there and goes on with other entries, so a
member that joins and replays that log gets other data than the survivor has.  Therefore the survivor starts that way
only to apply what is certain, unseen by clients, and ends in order.  Then its database is made the beginning of a new
log, which is what those who join are given.

The new data is built beside the old.  ``DATA.given-up`` is the old one while the two change places, so what was done
tells by itself how far it came.
"""

from __future__ import annotations

from kubo_sdk.nodes import accounts
from kubo_sdk.nodes.etcd import JOIN_FILE, LOOPBACK, MEBIBYTE, UNIT, client_url
from kubo_sdk.nodes.etcd_restore import LOG_BYTES, NO_ROOM

# It elects itself, and reads what it has.
ALONE_SECONDS = 120
# Killed as usual, it would leave what it applied last out of its database.
DROP_IN = f"/run/systemd/system/{UNIT}.d/recover.conf"

# $1 data directory, $2 etcdctl or etcdutl; the rest are its flags.  Standard input is the file for the start alone.
RECOVER = f"""
set -eu
umask 077
export ETCDCTL_API=3
data=$1 tool=$2
shift 2
in_order() {{
  rm -f {DROP_IN}
  if [ "$1" = yes ]; then
    mkdir -p -m 0755 "$(dirname {DROP_IN})"
    printf '[Service]\\nKillSignal=SIGTERM\\n' >{DROP_IN}
  fi
  systemctl daemon-reload
}}
if [ ! -e "$data.given-up" ]; then
  rm -rf "$data.recovered" "$data.building"
  need=$(($(stat -c %s "$data/member/snap/db") + {LOG_BYTES}))
  free=$(df --output=avail -B1 "$data" | tail -n 1)
  if [ "$free" -lt "$need" ]; then
    echo "$data has $((free / {MEBIBYTE})) MB free, and $((need / {MEBIBYTE})) MB are needed" >&2
    exit {NO_ROOM}
  fi
  systemctl stop {UNIT}
  systemctl reset-failed {UNIT} 2>/dev/null || true
  cat >{JOIN_FILE}.new
  mv {JOIN_FILE}.new {JOIN_FILE}
  trap 'in_order no' EXIT
  in_order yes
  if ! timeout {ALONE_SECONDS} systemctl start {UNIT}; then
    systemctl stop {UNIT}
    rm -f {JOIN_FILE}
    echo "it does not start with the data it has; journalctl -u {UNIT} tells why" >&2
    exit 1
  fi
  systemctl stop {UNIT}
  in_order no
  trap - EXIT
  "$tool" snapshot restore "$data/member/snap/db" --skip-hash-check=true --data-dir="$data.building" "$@" >&2
  chown -R {accounts.ETCD}:{accounts.ETCD} "$data.building"
  sync -f "$data.building"
  mv "$data.building" "$data.recovered"
  mv "$data" "$data.given-up"
fi
systemctl stop {UNIT}
if [ -e "$data.recovered" ]; then
  rm -rf "$data"
  mv "$data.recovered" "$data"
  sync -f "$data"
fi
rm -rf "$data.given-up"
rm -f {JOIN_FILE}
systemctl reset-failed {UNIT} 2>/dev/null || true
systemctl --no-block start {UNIT}
"""


def recovery_file() -> str:
    """For the start of a survivor alone: nobody but its own machine may ask it, as nothing may be written then."""
    return f"ETCD_FORCE_NEW_CLUSTER=true\nETCD_LISTEN_CLIENT_URLS={client_url(LOOPBACK)}\n"
