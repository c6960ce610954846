"""A fake API server's process: the port it answers on, and the etcd cluster its objects lie in."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from kubo_sdk.testing.fakes.api_answers import ApiAnswers, status
from kubo_sdk.testing.fakes.etcd_data import EtcdData
from kubo_sdk.testing.fakes.units import FakeUnit, StartFailed, flags, kubernetes_version
from kubo_sdk.testing.fakes.wire import Dropped, Listener, Reply, Request, server_context

if TYPE_CHECKING:
    from kubo_sdk.testing.fakes.machine import FakeMachine

METRIC = "apiserver_requested_deprecated_apis"
HEALTH = ("/readyz", "/livez", "/livez/ping", "/healthz")


class ApiProcess:
    """Runs from the start of kube-apiserver's unit to its end.  It answers while it has an etcd with a leader."""

    def __init__(self, machine: FakeMachine, unit: FakeUnit, text: str) -> None:
        self._machine, self._unit = machine, unit
        settings, files = flags(text), machine.files
        self._version = kubernetes_version(text) or machine.cloud.kubernetes_version(machine)
        self._etcd = [url.removeprefix("https://").rpartition(":")[0] for url in settings["etcd-servers"].split(",")]
        try:
            context = server_context(
                files[settings["tls-cert-file"]],
                files[settings["tls-private-key-file"]],
                files[settings["client-ca-file"]],
                required=False,
            )
        except KeyError as missing:
            raise StartFailed(f"open {missing}: no such file or directory") from None
        self.address = (machine.address, int(settings["secure-port"]))
        self.listener = Listener(address=self.address, handle=self._answer, context=context)
        machine.cloud.doorman.open(self.listener)
        machine.cloud.api_at[self.address] = self

    def ready(self) -> bool:
        return self._machine.serves(self._unit) and self._data() is not None

    def pause(self) -> None:
        self._machine.cloud.break_off(self.listener)

    def stop(self) -> None:
        cloud = self._machine.cloud
        if cloud.api_at.get(self.address) is self:
            del cloud.api_at[self.address]
        cloud.doorman.shut(self.listener)

    def _data(self) -> EtcdData | None:
        """The etcd it talks to: the first of its servers that answers."""
        for address in self._etcd:
            member = self._machine.cloud.etcd_at.get(address)
            if member is not None and member.serves:
                return member.data
        return None

    def _answer(self, request: Request) -> Reply:
        cloud = self._machine.cloud
        if cloud.faults.is_dead or not self._machine.serves(self._unit):
            raise Dropped
        with cloud.lock:
            data = self._data()
            if request.path in HEALTH:
                well = data is not None or request.path.startswith("/livez")
                return Reply(body=b"ok") if well else Reply(status=500, body=b"[-]etcd failed: reason withheld")
            if not request.client:
                return status(401, "Unauthorized", "Unauthorized")
            if data is None:
                return status(500, "InternalError", "etcdserver: request timed out")
            return ApiAnswers(
                store=data.objects,
                nodes=self._machine.site.nodes,
                version=self._version,
                now=cloud.clock.today,
                lock=cloud.lock,
                alive=lambda: self.listener.is_open,
                metrics=_metrics(self._machine.site.deprecated_requests),
            ).answer(request)


def _metrics(requests: Iterable[tuple[str, str, str, str]]) -> bytes:
    """What an API server counts, in the text form of Prometheus."""
    names = ("group", "version", "resource", "removed_release")
    labels = (",".join(map('{}="{}"'.format, names, each)) for each in sorted(requests))
    lines = (f"# TYPE {METRIC} gauge", *(f"{METRIC}{{{each}}} 1" for each in labels))
    return "".join(f"{line}\n" for line in lines).encode()
