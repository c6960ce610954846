"""The shell programs that take a large file in pieces.  What arrived stays when the connection is lost, and is checked
as a whole at the end.

A piece is written where it belongs, so the same piece twice, even at the same time, does no harm.
"""

from __future__ import annotations

# What arrived is not what was sent, and was thrown away; there is no room.
DAMAGED = 3
NO_ROOM = 4
# A fetch that ended with a sentence.
REFUSED = 5

# $1 is where the file lies until it is whole, $2 its size, $3 how much room its content takes in megabytes.  Answers
# how many bytes are there.
RESUME = r"""
set -eu
umask 077
mkdir -p "${1%/*}"
have=0
if [ -e "$1" ]; then have=$(stat -c %s "$1"); fi
if [ "$have" -gt "$2" ]; then rm -f "$1"; have=0; fi
free=$(df -Pm "${1%/*}" | awk 'NR == 2 { print $4 }')
need=$((($2 - have) / 1048576 + $3))
if [ "$free" -lt "$need" ]; then
  echo "$free $need"
  exit 4
fi
echo "$have"
"""

# Writes standard input to $1 at byte $2.
RECEIVE = r"""
set -eu
umask 077
exec dd of="$1" bs=1M iflag=fullblock oflag=seek_bytes seek="$2" conv=notrunc status=none
"""

# $1 is the file, $2 its SHA-256, $3 the directory that its tar content becomes, at once or not at all.
UNPACK = r"""
set -eu
umask 022
if [ "$(sha256sum <"$1")" != "$2  -" ]; then
  rm -f "$1"
  exit 3
fi
rm -rf "$3.new"
mkdir -p "$3.new"
tar -x --no-same-owner -f "$1" -C "$3.new"
sync -f "$3.new"
rm -rf "$3"
mv "$3.new" "$3"
find "${3%/*}" -maxdepth 1 -name "${3##*/}.*.part" -delete
"""

# Fetches a release below the address $1 into $2: lines of SHA-256, mode and path by standard input.  What is there and
# right is not fetched again.
FETCH = r"""
set -eu
umask 022
export LC_ALL=C
if [ -d "$2" ]; then exit 0; fi
if ! command -v curl >/dev/null; then echo "it has no curl; install that package"; exit 5; fi
mkdir -p "$2.new"
cd "$2.new"
while read -r word mode path; do
  case $word in
    http_proxy|https_proxy|no_proxy) export "$word=$mode"; continue ;;
  esac
  mkdir -p "$(dirname "$path")"
  if [ -e "$path" ] && [ "$(sha256sum <"$path")" = "$word  -" ]; then continue; fi
  tries=0
  until curl --fail --silent --show-error --location --retry 3 --connect-timeout 20 --speed-limit 1000 \
      --speed-time 60 --continue-at - --output "$path.part" "$1/$path" 2>error </dev/null; do
    tries=$((tries + 1))
    if [ "$tries" -ge 2 ]; then echo "$1/$path cannot be fetched: $(tail -n 1 error)"; exit 5; fi
    rm -f "$path.part"
  done
  if [ "$(sha256sum <"$path.part")" != "$word  -" ]; then
    rm -f "$path.part"
    echo "$1/$path is not the file that the director knows, its SHA-256 is another; copy the release there again"
    exit 3
  fi
  chmod "$mode" "$path.part"
  mv -f "$path.part" "$path"
done
rm -f error
cd /
sync -f "$2.new"
mv "$2.new" "$2"
"""
