"""Machines reached over SSH: what a CPI whose machines run sshd hands out as their `Shell`.

Host keys are pinned, the user's own SSH files are not read, and each machine has one connection that stays open.
Needs the extra ``ssh`` (asyncssh), which is imported when the first machine is entered.
"""

from __future__ import annotations

from kubo_sdk.ssh.connections import SshConnections
from kubo_sdk.ssh.host import SshHost
from kubo_sdk.ssh.keys import new_key_pair, public_key_of
from kubo_sdk.ssh.shell import SshShell

__all__ = ["SshConnections", "SshHost", "SshShell", "new_key_pair", "public_key_of"]
