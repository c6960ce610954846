"""Subnet leases in etcd v3 as flannel keeps them: a transaction takes one, a new lease renews it, a watch shows all."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Sequence
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

from kubo_sdk_flannel.agent.allocate import choose, own_lease
from kubo_sdk_flannel.agent.etcd import Etcd, Item, read_item
from kubo_sdk_flannel.agent.http import Connection
from kubo_sdk_flannel.agent.settings import Settings
from kubo_sdk_flannel.agent.store import Opened, View
from kubo_sdk_flannel.agent.trouble import NetworkChanged, StoreTrouble, Unreachable, say
from kubo_sdk_flannel.agent.wire import (
    Lease,
    Network,
    lease_key,
    lease_value,
    parse_lease,
    parse_network,
    parse_subnet_env,
)

TRIES = 20  # lost races in a row before the agent takes a breath
RELIST_SECONDS = 600.0
RETRY_SECONDS = 60.0

Pick = Callable[[Sequence[IPv4Network]], IPv4Network]


class EtcdStore:
    """The leases below one prefix.  Used by one thread at a time."""

    def __init__(self, settings: Settings, pick: Pick = random.choice) -> None:
        if settings.etcd is None:
            raise ValueError("these settings name no etcd")
        self._settings = settings.etcd
        self._public_ip = settings.public_ip
        self._subnet_file = settings.subnet_file
        self._pick = pick
        self._etcd = Etcd(settings.etcd)
        self._network: Network | None = None
        self._config = b""
        self._attributes = ("", 0, "")
        self._leases: dict[str, Item] = {}
        self._revision = 0
        self._fresh = False  # the leases were just read and nothing was decided on them yet
        self._own_key = ""
        self._ends = 0.0
        self._renew_at = 0.0
        self._renewing_fails = False

    def open(self) -> Opened | None:
        self._list()
        if not self._config:
            return None
        self._network = parse_network(self._config)
        return Opened(self._network, own_lease(self._parsed(), self._public_ip))

    def join(self, backend: str, vni: int, mac: str) -> View:
        self._attributes = (backend, vni, mac)
        self._acquire()
        return self._view()

    def follow(self, publish: Callable[[View], None]) -> None:
        self._list()
        self._keep_own()
        publish(self._view())
        stream = self._etcd.watch(self._settings.prefix + "/", self._revision + 1)
        try:
            self._read(stream, publish)
        except OSError as error:
            self._etcd.next_endpoint()
            raise Unreachable(f"the watch of etcd ended: {error}") from error
        finally:
            stream.close()

    def expires_at(self) -> float:
        return self._ends

    def _list(self) -> None:
        prefix = self._settings.prefix
        listing = self._etcd.list(prefix + "/")
        self._revision, self._fresh = listing.revision, True
        self._leases = {item.key: item for item in listing.items if item.key.startswith(prefix + "/subnets/")}
        config = next((item.value for item in listing.items if item.key == prefix + "/config"), b"")
        self._take_config(config)

    def _take_config(self, config: bytes) -> None:
        if self._network is not None and config and config != self._config:
            raise NetworkChanged("the network's configuration in etcd changed; starting again with the new one")
        self._config = config or self._config

    def _parsed(self) -> list[Lease]:
        leases = (parse_lease(item.key, item.value) for item in self._leases.values())
        return [lease for lease in leases if lease is not None]

    def _view(self) -> View:
        own = self._own()
        if own is None:
            raise StoreTrouble("this node has no lease")
        return View(own, tuple(lease for lease in self._parsed() if lease.subnet != own.subnet))

    def _own(self) -> Lease | None:
        item = self._leases.get(self._own_key)
        lease = parse_lease(item.key, item.value) if item else None
        return lease if lease and lease.public_ip == self._public_ip else None

    # -- taking a lease

    def _acquire(self) -> None:
        for _ in range(TRIES):
            if not self._fresh:
                self._list()
            self._fresh = False
            if self._try_acquire():
                return
        raise StoreTrouble(f"lost {TRIES} races for a subnet in a row")

    def _try_acquire(self) -> bool:
        """One round of flannel's algorithm; False when somebody else was faster."""
        network = self._configured()
        mine = own_lease(self._parsed(), self._public_ip)
        if mine is not None:
            item = self._leases[lease_key(self._settings.prefix, mine.subnet)]
            if network.fits(mine.subnet):
                return self._put(mine.subnet, {"target": "MOD", "mod_revision": str(item.revision)})
            say(f"the old subnet {mine.subnet} does not fit the network's configuration; giving it up")
            self._etcd.delete_if(item.revision, item.key)
            return False
        taken = [lease.subnet for lease in self._parsed()]
        subnet = choose(network, taken, self._previous(), self._pick)
        return self._put(subnet, {"target": "VERSION", "version": "0"})

    def _put(self, subnet: IPv4Network, compare: dict[str, Any]) -> bool:
        key = lease_key(self._settings.prefix, subnet)
        backend, vni, mac = self._attributes
        value = lease_value(Lease(subnet, self._public_ip, backend, vni, mac))
        granted_at = time.time()
        lease = self._etcd.grant(self._settings.lease_seconds)
        revision = self._etcd.put_if(compare, key, value, lease)
        if revision is None:
            self._etcd.revoke(lease)
            return False
        self._own_key = key
        self._leases[key] = Item(key, value, revision, int(lease))
        self._ends = granted_at + self._settings.lease_seconds
        self._renew_at = time.monotonic() + self._settings.lease_seconds - self._settings.renew_margin
        return True

    def _previous(self) -> IPv4Network | None:
        try:
            return parse_subnet_env(Path(self._subnet_file).read_text())
        except OSError:
            return None

    def _configured(self) -> Network:
        if self._network is None:
            raise StoreTrouble("the network has no configuration yet")
        return self._network

    # -- keeping it

    def _keep_own(self) -> None:
        """Take a lease again where the own one is gone or somebody else's, renew it where that is due."""
        if self._own() is None:
            say("the subnet lease of this node is gone from etcd; taking one again")
            self._acquire()
        elif time.monotonic() >= self._renew_at:
            self._renew()

    def _renew(self) -> None:
        """Put the key again under a new lease, as flannel does; the old one ends empty."""
        item = self._leases[self._own_key]
        lease = parse_lease(item.key, item.value)
        if lease is None or not self._put(lease.subnet, {"target": "MOD", "mod_revision": str(item.revision)}):
            self._list()
            self._acquire()
        say(f"renewed the lease of {self._own_key.rpartition('/')[2]}")

    def _try_renew(self) -> None:
        try:
            self._renew()
            self._renewing_fails = False
        except StoreTrouble as error:
            if not self._renewing_fails:
                say(f"could not renew the subnet lease, trying again: {error}")
            self._renewing_fails = True
            left = self._ends - time.time()
            self._renew_at = time.monotonic() + min(RETRY_SECONDS, max(1.0, left / 10))

    # -- following the others

    def _read(self, stream: Connection, publish: Callable[[View], None]) -> None:
        relist_at = time.monotonic() + RELIST_SECONDS
        while (now := time.monotonic()) < relist_at:
            line = stream.line(min(self._renew_at, relist_at) - now)
            if line is None:
                if time.monotonic() >= self._renew_at:
                    self._try_renew()
                continue
            if not self._take(json.loads(line)):
                return
            publish(self._view())

    def _take(self, message: dict[str, Any]) -> bool:
        """One answer of the watch; False when it ended and the list has to be read again."""
        if "error" in message:
            raise Unreachable(f"the watch of etcd ended: {message['error'].get('message', 'no reason given')}")
        result = message.get("result", {})
        if result.get("canceled"):
            if "compact_revision" in result:
                return False
            raise Unreachable(f"etcd ended the watch: {result.get('cancel_reason', 'no reason given')}")
        for event in result.get("events", ()):
            self._apply(event.get("type") == "DELETE", read_item(event["kv"]))
        self._keep_own()
        return True

    def _apply(self, deleted: bool, item: Item) -> None:
        if item.key == self._settings.prefix + "/config":
            self._take_config(b"" if deleted else item.value)
            return
        known = self._leases.get(item.key)
        if known is not None and known.revision > item.revision:
            return  # an echo from before our own last write
        if deleted:
            self._leases.pop(item.key, None)
        else:
            self._leases[item.key] = item
