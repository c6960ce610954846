"""Lines: connections that stay open from probe to probe, one client for each server."""

from __future__ import annotations

from attrs import field, frozen

from kubo_sdk.clients.connection import Address
from kubo_sdk.clients.etcd import EtcdClient
from kubo_sdk.clients.https import HttpsClient
from kubo_sdk.ports.credentials import Certificate, Credential


@frozen(kw_only=True)
class Lines:
    """A client is made anew when its certificate has a new version.  *patience* bounds every wait, in seconds."""

    patience: float
    _clients: dict[tuple[str, str, Address], HttpsClient] = field(factory=dict, init=False, repr=False)
    _etcd: dict[HttpsClient, EtcdClient] = field(factory=dict, init=False, repr=False)

    def to(self, address: Address, who: Credential) -> HttpsClient:
        """The line to *address* for the holder of the certificate *who*."""
        key = (who.name, who.version, address)
        if key not in self._clients:
            assert isinstance(who.value, Certificate), f"{who.name} is a certificate"
            self._clients[key] = HttpsClient(
                [address],
                ca=who.value.ca,
                certificate=who.value.certificate,
                private_key=who.value.private_key,
                timeout=self.patience,
            )
        return self._clients[key]

    def to_etcd(self, address: Address, who: Credential) -> EtcdClient:
        """The line to the etcd member at *address*.  It stays signed in."""
        https = self.to(address, who)
        return self._etcd.setdefault(https, EtcdClient(https))

    def close(self) -> None:
        for client in self._clients.values():
            client.close()
        self._etcd.clear()
        self._clients.clear()
