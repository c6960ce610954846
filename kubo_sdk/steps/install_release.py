"""Sends the release to a machine that cannot see this host's cache: one tar stream, put in place by a rename."""

from __future__ import annotations

import io
import tarfile

from kubo_sdk.planning.plan import Step
from kubo_sdk.steps.context import StepContext

# $1 is the place of the tree.  The rename comes last, so a tree that is there is complete.
_PRESENT = 'test -d "$1"'
_UNPACK = 'set -e; rm -rf "$1.new"; mkdir -p "$1.new"; tar -x -C "$1.new"; rm -rf "$1"; mv "$1.new" "$1"'

INSTALL_SECONDS = 900


def install_release(context: StepContext, step: Step) -> None:
    release = context.release()
    shell = context.shell(str(step.instance))
    place = str(release.node_path)
    if shell.run(["sh", "-c", _PRESENT, "sh", place]).exit_code == 0:
        return
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as tree:
        tree.add(release.tree, arcname=".")
    outcome = shell.run(["sh", "-c", _UNPACK, "sh", place], stdin=stream.getvalue(), timeout=INSTALL_SECONDS)
    outcome.check(f"unpacking the release on {step.instance}")
