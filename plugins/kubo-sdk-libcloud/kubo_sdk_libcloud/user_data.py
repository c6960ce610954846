"""The user data of a machine: who may log in, and the key by which the machine is known.  Pure."""

from __future__ import annotations

import json
from typing import Any

from kubo_sdk.model.secret import Secret


def user_data(user: str, login_key: str, host_key: Secret, public_host_key: str) -> str:
    """A #cloud-config.  It holds one secret, the machine's own host key; without it nobody could know the machine.

    cloud-init replaces the keys of the image by ours before sshd starts.  JSON is YAML that needs no library.
    """
    account: dict[str, Any] = {"name": user, "ssh_authorized_keys": [login_key]}
    if user != "root":
        account |= {"lock_passwd": True, "shell": "/bin/bash", "sudo": "ALL=(ALL) NOPASSWD:ALL"}
    config = {
        "users": [account],
        "disable_root": user != "root",
        "ssh_pwauth": False,
        "ssh_deletekeys": True,
        "ssh_keys": {"ed25519_private": host_key.reveal(), "ed25519_public": public_host_key},
        "ssh": {"emit_keys_to_console": False},
    }
    return f"#cloud-config\n{json.dumps(config, indent=1)}\n"
