"""What runs on the machine for each command: a few lines of shell, and the request they wait for.

sshd kills nothing when a connection ends, and cannot kill what sudo started.  So a keeper holds the channel's standard
input for as long as the command runs: when it ends early, the keeper kills the command and all of its process group.
It also hands the command its input, and the input's end only when every byte has arrived; a command never mistakes a
lost connection for the end of its input.  Where the machine is not told that the connection is lost, `timeout` ends it.

The shell is started ahead of the command and waits for its request.  So the request, the input and their answer are one
round trip, and the time that login, sudo and its own start take is nobody's.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from shlex import quote

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
COMPLETE = b"complete\n"

# One line each and without "!": the login shell that reads them may be any.
# Both streams say the marker first, so that what a login prints is not taken for the command's.
_WAITING = "; ".join(
    (
        "cd /; unset OLDPWD",
        "umask 022",
        'printf %s "$1"',
        'printf %s "$1" >&2',
        'n=$(printf "\\n.")',
        "n=${n%.}",
        "IFS= read -r request || exit 0",
        "runner=$0",
        'eval "$request"',
        'exec timeout -s KILL "$limit" sh -c "$runner" sh "$@"',
    )
)
# $1 is the length of the input, what follows it the command.  All of it is one process group, led by `timeout`.
# The keeper says its own number first, which a subshell learns from /proc alone.
_RUNNING = " ".join(
    (
        "exec 3<&0 5>&2 2>/dev/null; length=$1; shift;",
        "{",
        'read -r keeper rest </proc/self/stat; echo "$keeper";',
        '[ "$length" = 0 ] || dd bs=65536 count="$length" iflag=count_bytes,fullblock status=none <&3;',
        'read -r mark <&3; [ "$mark" = complete ] || kill -KILL 0;',
        "exec >&-; read -r mark <&3; kill -KILL 0;",
        "} 5>&- | {",
        'read -r keeper; ( exec "$@" 2>&5 5>&- 3<&- ); code=$?;',
        'kill -KILL "$keeper"; exit "$code";',
        "}",
    )
)

_AT_TERMINAL = 'cd / && exec "$@"'


def waiting_command(user: str, marker: str) -> str:
    """What the login shell of *user* is given: become root, tell *marker* on both streams, wait for a request."""
    environment = f"env -i PATH={PATH} HOME=/root LANG=C.UTF-8"
    command = f"{environment} sh -c {quote(_WAITING)} {quote(_RUNNING)} {quote(marker)}"
    return command if user == "root" else f"sudo -n -- {command}"


def request(command: Sequence[str], length: int, limit: float) -> bytes:
    """The line that starts *command* with *length* bytes of input; killed after *limit* seconds."""
    words = " ".join(_word(argument) for argument in command)
    return f"limit={max(1, math.ceil(limit))}; set -- {length} {words}\n".encode(errors="surrogateescape")


def terminal_command(user: str, command: Sequence[str], term: str | None) -> str:
    """*command* as what a login shell is given, on a terminal of the kind *term* or on none."""
    environment = f"env -i PATH={PATH} HOME=/root LANG=C.UTF-8"
    if term is not None:
        environment += f" TERM={quote(term)}"
    words = " ".join(quote(argument) for argument in command)
    line = f"{environment} sh -c {quote(_AT_TERMINAL)} sh {words}"
    return line if user == "root" else f"sudo -n -- {line}"


def _word(argument: str) -> str:
    """Quoted for a POSIX shell and without a line end, which the request's own line could not hold."""
    return quote(argument).replace("\n", "'\"$n\"'") if argument else "''"
