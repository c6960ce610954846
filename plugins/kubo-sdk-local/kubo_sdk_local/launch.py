"""Runs the launchers: short-lived processes that change namespaces, which a thread of the SDK must not do."""

from __future__ import annotations

import marshal
import subprocess
import sys
from pathlib import Path
from typing import Any

from kubo_sdk.errors import HostError, Unavailable

_SECONDS = 60.0


def launch(program: str, request: dict[str, Any], *, what: str, keep: tuple[int, ...] = ()) -> str:
    """Run ``kubo_sdk_local.launcher.<program>`` with *request* and return what it printed.

    *keep* are file descriptors it inherits.  HostError with its own words when it fails; it cleans up after itself
    and goes on to its end when this process dies.
    """
    # -I and -S: nothing of the user's environment, and a third of the time to start.
    package = str(Path(__file__).parent.parent)
    start = f"import sys; sys.path.insert(0, sys.argv[1]); from kubo_sdk_local.launcher.{program} import main; main()"
    command = [sys.executable, "-I", "-S", "-c", start, package]
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        pass_fds=keep,
        start_new_session=True,
        cwd="/",
    ) as process:
        try:
            printed, said = process.communicate(marshal.dumps(request), timeout=_SECONDS)
        except subprocess.TimeoutExpired as error:
            process.kill()
            raise Unavailable(f"{what} did not end within {_SECONDS:g} s; try again") from error
    if process.returncode:
        lines = said.decode(errors="replace").strip().splitlines() or [f"exit code {process.returncode}"]
        raise HostError(f"{what} failed: {lines[-1]}")
    return printed.decode()
