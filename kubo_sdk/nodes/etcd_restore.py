"""What an etcd machine is told when its data is replaced by a snapshot.  Pure text; everything may be told again.

The new data is built beside the old while that still serves: ``DATA.TOKEN`` where DATA is the data directory and every
token begins with ``restore-``.  Then the two change places, and ``DATA.restored`` keeps the token.  So what was done
tells by itself how far it came.
"""

from __future__ import annotations

from kubo_sdk.nodes import accounts
from kubo_sdk.nodes.etcd import JOIN_FILE, MEBIBYTE, UNIT

RECEIVED = "/var/lib/kubo/restore"
READY = "ready"
# Beside the database, a new member keeps two segments of its log, 64 MB each.
LOG_BYTES = 128 * MEBIBYTE
SPARE_BYTES = 16 * MEBIBYTE

NO_ROOM = 6
WRONG_PLACE = 7

# $1 data directory, $2 token, $3 bytes of the snapshot.  Tells ``ready`` when the new data is there already, else how
# many bytes of the snapshot are.  What an earlier restore left goes.
LOOK = f"""
set -eu
mkdir -p -m 0700 {RECEIVED}
if [ -e "$1.$2" ]; then echo {READY}; exit; fi
if [ -e "$1.restored" ]; then read -r done <"$1.restored"; if [ "$done" = "$2" ]; then echo {READY}; exit; fi; fi
rm -rf "$1".restore-* "$1.building"
for old in {RECEIVED}/*; do if [ "$old" != "{RECEIVED}/$2.db" ]; then rm -f "$old"; fi; done
have=0
if [ -e "{RECEIVED}/$2.db" ]; then have=$(stat -c %s "{RECEIVED}/$2.db"); fi
parent=$(dirname "$1")
mkdir -p "$parent"
need() {{
  free=$(df --output=avail -B1 "$1" | tail -n 1)
  if [ "$free" -lt "$2" ]; then
    echo "$1 has $((free / {MEBIBYTE})) MB free, and $(($2 / {MEBIBYTE})) MB are needed" >&2
    exit {NO_ROOM}
  fi
}}
data=$(($3 + {LOG_BYTES})) received=$(($3 - have + {SPARE_BYTES}))
if [ "$(stat -c %d "$parent")" = "$(stat -c %d {RECEIVED})" ]; then
  need "$parent" $((data + received))
else
  need "$parent" "$data"
  need {RECEIVED} "$received"
fi
echo "$have"
"""

# $1 data directory.
DISCARD = f"""
set -eu
rm -rf "$1".restore-* "$1.building" {RECEIVED}
"""

# $1 token, $2 offset.  Standard input follows what is there up to the offset.
RECEIVE = f"""
set -eu
umask 077
file={RECEIVED}/$1.db
touch "$file"
if [ "$(stat -c %s "$file")" -lt "$2" ]; then echo "its first $2 bytes are not there" >&2; exit {WRONG_PLACE}; fi
truncate -s "$2" "$file"
cat >>"$file"
"""

# $1 data directory, $2 token, $3 SHA-256, $4 etcdctl or etcdutl; the rest are its flags.
BUILD = f"""
set -eu
umask 077
export ETCDCTL_API=3
data=$1 token=$2 sum=$3 tool=$4
shift 4
file={RECEIVED}/$token.db
if [ -e "$data.$token" ]; then exit; fi
if [ "$(sha256sum <"$file")" != "$sum  -" ]; then rm -f "$file"; echo "the snapshot arrived damaged" >&2; exit 1; fi
"$tool" snapshot status "$file" --write-out=json >&2
rm -rf "$data.building"
"$tool" snapshot restore "$file" --data-dir="$data.building" "$@" >&2
chown -R {accounts.ETCD}:{accounts.ETCD} "$data.building"
sync -f "$data.building"
mv "$data.building" "$data.$token"
rm -f "$file"
"""

# $1 data directory, $2 token.  The mark comes first: while the new data still waits beside, it means nothing.
REPLACE = f"""
set -eu
systemctl stop {UNIT}
if [ -e "$1.$2" ]; then
  echo "$2" >"$1.restored.new"
  mv "$1.restored.new" "$1.restored"
  rm -rf "$1"
  mv "$1.$2" "$1"
  sync -f "$1"
fi
rm -f {JOIN_FILE}
systemctl reset-failed {UNIT} 2>/dev/null || true
systemctl --no-block start {UNIT}
"""
