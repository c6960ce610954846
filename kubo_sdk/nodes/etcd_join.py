"""What an etcd machine is told beside its files: how its next start differs from all later ones.  Pure text."""

from __future__ import annotations

from collections.abc import Iterable

from kubo_sdk.nodes.etcd import JOIN_FILE, LOOPBACK, UNIT, client_url, environment
from kubo_sdk.nodes.machine import STARTED, STATE

# $1 is the data directory; standard input is the file for the first start.  What is there belongs to no member any
# more.  A machine that was configured before starts its member here, a new one when it is configured.
JOIN = f"""
set -eu
systemctl stop {UNIT} 2>/dev/null || true
rm -rf "$1/member"
mkdir -p "$(dirname {JOIN_FILE})"
cat >{JOIN_FILE}.new
mv {JOIN_FILE}.new {JOIN_FILE}
if [ -e {STATE}/{STARTED}/{UNIT} ]; then systemctl --no-block start {UNIT}; fi
"""

# Until it is started again, the unit does not count as running with what was put on the machine.
FORGET = f"set -eu; echo - >{STATE}/{STARTED}/{UNIT}"


def join_file(members: Iterable[tuple[str, str]]) -> str:
    """For the first start of a member that joins *members*, (name, peer URL) of each, its own among them.

    A learner refuses what the API servers ask of it, so it listens to its own machine alone until it may vote.
    """
    return environment(members, state="existing", client_urls=(client_url(LOOPBACK),))
