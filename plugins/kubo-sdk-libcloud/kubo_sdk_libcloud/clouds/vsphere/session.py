"""VsphereSession: calls of vCenter through libcloud's driver and pyvmomi below it.

libcloud's driver hides why a login failed, tries once more without any check of the certificate, and can make no
machine with user data, tags or a network of choice.  Its connection is made here, and what it cannot do is asked of
pyvmomi.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from libcloud.compute.drivers.vsphere import VSphereNodeDriver
from pyVim import connect
from pyVmomi import vim

from kubo_sdk.engine.clock import Clock
from kubo_sdk.engine.retry import wait_until
from kubo_sdk.errors import NotFound
from kubo_sdk.model.secret import Secret
from kubo_sdk_libcloud.clouds.drivers import PerThread
from kubo_sdk_libcloud.clouds.transport import REQUEST_SECONDS
from kubo_sdk_libcloud.clouds.vsphere.config import VsphereConfig
from kubo_sdk_libcloud.clouds.vsphere.faults import asking, told

T = TypeVar("T")

TASK_POLL_SECONDS = 0.5


class VsphereSession:
    """Speaks to one vCenter.  Thread-safe: a driver, with a session of its own, per thread."""

    def __init__(self, config: VsphereConfig, secret: Secret, ca_file: Path | None, clock: Clock) -> None:
        self._config = config
        self._secret = secret
        self._ca_file = ca_file
        self._clock = clock
        self._drivers = PerThread(self._driver)

    def call(self, what: str, ask: Callable[[Any], T]) -> T:
        """What *ask* answers, given libcloud's driver.  A session that vCenter has ended is begun again."""
        with asking(f"vSphere: {what}"):
            driver = self._drivers.get()
            try:
                return ask(driver)
            except vim.fault.NotAuthenticated:
                driver.log_in()
                return ask(driver)

    def do(self, what: str, begin: Callable[[Any], Any]) -> Any:
        """The result of the task that *begin* begins, given libcloud's driver."""
        task = self.call(what, begin)

        def ended() -> Any:
            # One question tells state and result together.
            told_now = self.call(what, lambda _driver: task.info)
            return told_now if told_now.state in ("success", "error") else None

        end = wait_until(
            ended,
            what=f"vSphere: {what}",
            timeout=self._config.task_timeout,
            interval=TASK_POLL_SECONDS,
            clock=self._clock,
        )
        if end.state == "error":
            raise told(f"vSphere: {what}", end.error)
        return end.result

    def find(self, path: str, kind: str) -> Any:
        """What is at the inventory path, or None.  *kind* is for messages."""
        return self.call(
            f"look for {kind} {path}", lambda driver: driver.connection.content.searchIndex.FindByInventoryPath(path)
        )

    def at(self, path: str, kind: str) -> Any:
        """What is at the inventory path.  NotFound, with *kind* in it."""
        found = self.find(path, kind)
        if found is None:
            raise NotFound(f"vSphere: there is no {kind} at {path}; `govc find /` tells the paths")
        return found

    def machine(self, uuid: str) -> Any:
        """The virtual machine of that instance UUID, or None."""
        return self.call(
            f"look for machine {uuid}",
            lambda driver: driver.connection.content.searchIndex.FindByUuid(None, uuid, True, True),
        )

    def properties(self, folder: Any, wanted: list[str]) -> list[dict[str, Any]]:
        """Those properties of every virtual machine below *folder*."""

        def collect(driver: Any) -> list[dict[str, Any]]:
            content = driver.connection.content
            with _view(content, folder) as view:
                return list(driver._collect_properties(content, view, vim.VirtualMachine, wanted))  # noqa: SLF001

        return self.call("list the machines", collect)

    def _driver(self) -> Any:
        config, secret = self._config, self._secret
        trust = ssl.create_default_context(cafile=str(self._ca_file) if self._ca_file else None)

        class Driver(VSphereNodeDriver):  # type: ignore[misc]  # libcloud has no types
            def __init__(self) -> None:
                self.log_in()

            def log_in(self) -> None:
                self.connection = connect.SmartConnect(
                    host=config.host,
                    port=config.port,
                    user=config.username,
                    pwd=secret.reveal(),
                    sslContext=trust,
                    httpConnectionTimeout=REQUEST_SECONDS,
                )

        return Driver()


@contextmanager
def _view(content: Any, folder: Any) -> Iterator[Any]:
    """libcloud leaves its views to the end of the session; this one goes at once."""
    view = content.viewManager.CreateContainerView(folder, [vim.VirtualMachine], True)
    try:
        yield view
    finally:
        view.Destroy()
