"""``kubo kubeconfig``: the administrator's kubeconfig, printed or written to a file only its owner can read."""

from __future__ import annotations

import argparse
import os
import tempfile
from pathlib import Path

from kubo_sdk.cli.output import print_json
from kubo_sdk.cli.session import open_cluster
from kubo_sdk.errors import HostError
from kubo_sdk.model.secret import Secret


def run(arguments: argparse.Namespace) -> int:
    secret = open_cluster(arguments).kubeconfig()
    if arguments.output is not None:
        write(secret, arguments.output)
        if arguments.json:
            print_json({"path": str(arguments.output)})
    elif arguments.json:
        print_json({"kubeconfig": secret.reveal()})
    else:
        print(secret.reveal(), end="")
    return 0


def write(secret: Secret, path: Path) -> None:
    """Put *secret* at *path*, whole or not at all, readable by its owner alone."""
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # mode 0600 from the start
        with os.fdopen(handle, "wb") as file:
            file.write(secret.reveal_bytes())
        Path(name).replace(path)
    except OSError as error:
        raise HostError(f"{path} cannot be written: {error.strerror}; choose another path") from None
