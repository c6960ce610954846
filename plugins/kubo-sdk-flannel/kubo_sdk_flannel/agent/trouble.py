"""What may go wrong between an agent and the store of its network, and how the agent speaks of it."""

from __future__ import annotations

import sys


class StoreTrouble(Exception):
    """The store of the network did not do what was asked; the data plane stays and the agent asks again."""


class Unreachable(StoreTrouble):
    """No answer, or none that counts."""


class Refused(StoreTrouble):
    """A clear no."""


class NetworkChanged(Exception):
    """The network's configuration is another one now; the agent starts again with it."""


def say(text: str) -> None:
    """One line for the journal."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()
