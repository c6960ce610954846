"""``kubo kubectl``: becomes the release's kubectl, with a kubeconfig that exists in this process alone."""

from __future__ import annotations

import argparse
import os
import signal
from pathlib import Path

from kubo_sdk.cli.session import open_cluster
from kubo_sdk.errors import HostError
from kubo_sdk.model.secret import Secret


def run(arguments: argparse.Namespace) -> int:
    cluster = open_cluster(arguments)
    program = cluster.release().tree / "bin" / "kubectl"
    become(program, [*arguments.program, *arguments.passed_on], cluster.kubeconfig())
    return 0


def become(program: Path, arguments: list[str], kubeconfig: Secret) -> None:
    """Replace this process with *program*.

    The kubeconfig lies in memory (a memfd), reached through this process's own entry in /proc: readable by its owner
    alone, and gone with the process however that ends.
    """
    if not hasattr(os, "memfd_create"):
        raise HostError("kubo kubectl needs Linux; write a file with: kubo kubeconfig --output PATH")
    handle = os.memfd_create("kubeconfig", 0)  # no close-on-exec: kubectl reads it
    os.write(handle, kubeconfig.reveal_bytes())
    environment = {**os.environ, "KUBECONFIG": f"/proc/{os.getpid()}/fd/{handle}"}
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # Python ignores it, and what it ignores is inherited
    try:
        os.execve(program, [str(program), *arguments], environment)  # noqa: S606 - no shell is wanted
    except OSError as error:
        raise HostError(f"{program} cannot be run: {error.strerror}; run: kubo up") from None
