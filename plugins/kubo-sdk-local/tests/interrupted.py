"""Runs one CPI call and kills itself at a chosen moment.

``python interrupted.py MOMENT ROOT CACHE create|delete``: the moments are counted by the interpreter's audit events,
of which every file opened, directory made and process started is one.  MOMENT 0 prints how many there are.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any

from kubo_sdk.model.instance import ClusterId, Instance, Role
from kubo_sdk.ports.cpi import VmRequest
from kubo_sdk_local.config import LocalConfig
from kubo_sdk_local.cpi import LocalCpi
from kubo_sdk_local.layout import Layout
from kubo_sdk_local.stemcell import Stemcell

DEMO = ClusterId(director="tests", name="demo")
_COUNTED = ("open", "os.", "subprocess.", "shutil.", "fcntl.", "socket.")


def main(moment: int, root: Path, cache: Path, what: str) -> None:
    config = LocalConfig(root=root, cache=cache)
    cpi = LocalCpi(config, Layout(root), Stemcell.of(config))
    (cpi.list_vms(DEMO), cpi.layout.lock(), sys.executable)
    reached = 0

    def count(event: str, _: tuple[Any, ...]) -> None:
        nonlocal reached
        if event.startswith(_COUNTED):
            reached += 1
            if reached == moment:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(count)
    if what == "create":
        instance = Instance(group="worker", index=0, role=Role.WORKER, az="z1")
        cpi.create_vm(VmRequest(cluster=DEMO, instance=instance, token="token of worker/0"))
    else:
        cpi.delete_vm(cpi.list_vms(DEMO)[0].id)
    total = reached
    os.write(1, f"{total}\n".encode())


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]), sys.argv[4])
