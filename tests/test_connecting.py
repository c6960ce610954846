"""What a provider connects to is held against its record, and what was connected late was imported late."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import pytest
from attrs import frozen

from kubo_sdk.errors import AuthError, PluginError
from kubo_sdk.hookspecs import hookimpl
from kubo_sdk.model.spec import ClusterSpec, KubernetesSpec
from kubo_sdk.model.version import KubernetesVersion
from kubo_sdk.plugins import Plugins
from kubo_sdk.ports.cluster_dns import ClusterDnsInfo
from kubo_sdk.ports.cpi import CpiInfo
from kubo_sdk.ports.credentials import CredentialStoreInfo
from kubo_sdk.ports.dns import DnsInfo
from kubo_sdk.ports.ingress import IngressInfo
from kubo_sdk.ports.overlay import OverlayInfo
from kubo_sdk.ports.providers import (
    ClusterDnsProvider,
    ConnectContext,
    CpiProvider,
    CredentialStoreProvider,
    DnsProvider,
    IngressProvider,
    OverlayProvider,
    Provider,
)

Install = Callable[..., str]

SPEC = ClusterSpec(name="demo", kubernetes=KubernetesSpec(version=KubernetesVersion(1, 20, 2)))
CONTEXT = ConnectContext(spec=SPEC, state_dir=Path(), cache_dir=Path(), base_dir=Path())

METHODS = {
    "cpi": "prepare create_vm delete_vm list_vms reboot_vm open_shell dispose",
    "credential_store": "get list_versions put generate generate_many delete find",
    "dns": "list_records put_record delete_record",
    "overlay": "ensure_network manifests",
    "ingress": "ensure_endpoint delete_endpoint list_endpoints",
    "cluster_dns": "manifests",
}
RECORDS: dict[str, type[Provider[Any]]] = {
    "cpi": CpiProvider,
    "credential_store": CredentialStoreProvider,
    "dns": DnsProvider,
    "overlay": OverlayProvider,
    "ingress": IngressProvider,
    "cluster_dns": ClusterDnsProvider,
}


@frozen(kw_only=True)
class NoOptions:
    """No options."""


def connected(port: str, info: object, *, without: str = "") -> object:
    """An object with the methods of *port*, whose ``info()`` is *info*."""

    class Connected:
        def info(self) -> object:
            return info

    for name in METHODS[port].split():
        if name != without:
            setattr(Connected, name, lambda *_arguments: None)
    return Connected()


def raised(error: Exception) -> NoReturn:
    raise error


RAISED_IN_LINE = raised.__code__.co_firstlineno + 1


def connect(port: str, thing: Any, **promises: Any) -> object:
    """Connects a provider of *port* that hands over *thing*, or raises it."""

    def open_it(_config: NoOptions, _context: ConnectContext) -> Any:
        return raised(thing) if isinstance(thing, Exception) else thing

    record = RECORDS[port](name="mine", summary="", config=NoOptions, connect=open_it, **promises)

    class Plugin:
        """Offers it."""

    setattr(Plugin, f"kubo_{port}_providers", staticmethod(hookimpl(lambda: [record])))
    plugins = Plugins(Plugin, load_installed=False)
    return plugins.connect(getattr(plugins, port)("mine"), NoOptions(), CONTEXT)


FITTING = {
    "cpi": (CpiInfo(zones=True), ("zones",)),
    "credential_store": (CredentialStoreInfo(key_algorithms=("rsa-2048",)), ("rsa-2048",)),
    "dns": (DnsInfo(), ("publishes",)),
    "overlay": (OverlayInfo(etcd_prefixes=("/net/",), kubernetes_user="net"), ("etcd", "kubernetes_user")),
    "ingress": (IngressInfo(runs_on_proxies=True), ("runs_on_proxies",)),
    "cluster_dns": (ClusterDnsInfo(kubernetes_user="names"), ("kubernetes_user",)),
}


@pytest.mark.parametrize("port", FITTING)
def test_what_keeps_its_promises_is_handed_over(port: str) -> None:
    info, capabilities = FITTING[port]
    thing = connected(port, info)
    assert connect(port, thing, capabilities=capabilities) is thing


@pytest.mark.parametrize("port", FITTING)
def test_a_record_may_name_more_than_one_connected_object_can(port: str) -> None:
    """An overlay that keeps its leases in etcd or on Nodes names both; its options decide."""
    info, _ = FITTING[port]
    assert connect(port, connected(port, info), capabilities=RECORDS[port].known_capabilities)


@pytest.mark.parametrize("port", FITTING)
def test_a_capability_that_the_record_does_not_name_is_refused(port: str) -> None:
    info, capabilities = FITTING[port]
    with pytest.raises(PluginError) as caught:
        connect(port, connected(port, info))
    told = f"its info() claims {', '.join(sorted(capabilities))}, which the capabilities of its record do not name"
    remedy = f"add {', '.join(map(repr, sorted(capabilities)))} to the capabilities, or let info() claim less"
    assert str(caught.value).endswith(f"{told}; {remedy}")


@pytest.mark.parametrize("port", FITTING)
def test_an_object_without_a_method_of_its_port_is_refused_before_anything_calls_it(port: str) -> None:
    info, capabilities = FITTING[port]
    lacking = METHODS[port].split()[-1]
    with pytest.raises(PluginError, match=f"it connected to a Connected without {lacking};"):
        connect(port, connected(port, info, without=lacking), capabilities=capabilities)


WRONG = {
    "nothing": ("dns", None, "it connected to a NoneType without delete_record, info, list_records, put_record"),
    "info of another port": ("dns", connected("dns", CpiInfo()), "its info() is a CpiInfo where a DnsInfo belongs"),
    "another contract": (
        "dns",
        connected("dns", DnsInfo(contract=2)),
        "its info() keeps contract 2 and its record says 1",
    ),
    "disks without methods": (
        "cpi",
        connected("cpi", CpiInfo(disks=True)),
        "its info() claims disks, and it has no attach_disk, create_disk, delete_disk, detach_disk, list_disks",
    ),
    "a late import that fails": (
        "dns",
        ModuleNotFoundError("No module named 'acme'"),
        f"it cannot connect: ModuleNotFoundError: No module named 'acme' ({__file__}:{RAISED_IN_LINE})",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_provider_that_breaks_its_word_is_refused_in_one_sentence(case: str) -> None:
    port, thing, reason = WRONG[case]
    with pytest.raises(PluginError) as caught:
        connect(port, thing, capabilities=RECORDS[port].known_capabilities)
    called = {"cpi": "CPI", "dns": "DNS provider"}[port]
    origin = f"the {called} 'mine' (plugin 'Plugin' of the object 'Plugin')"
    assert str(caught.value) == f"{origin}: {reason}; repair or reinstall it"


def test_the_sentence_names_plugin_distribution_and_version(install: Install) -> None:
    source = """
        from attrs import frozen
        from kubo_sdk import hookimpl
        from kubo_sdk.ports.providers import DnsProvider

        @frozen
        class Config: pass

        @hookimpl
        def kubo_dns_providers():
            return [DnsProvider(name="acme", summary="", config=Config, connect=lambda config, context: None)]
        """
    plugins = Plugins(allow=[install("fake-acme", "dns", source, version="3.4")])
    with pytest.raises(
        PluginError, match=r"the DNS provider 'acme' \(plugin 'dns' of fake-acme 3\.4\): it connected to"
    ):
        plugins.connect(plugins.dns("acme"), object(), CONTEXT)


def test_an_expected_error_of_a_provider_passes_as_it_is() -> None:
    with pytest.raises(AuthError, match="wrong token"):
        connect("dns", AuthError("wrong token"))


LISTING = """
import json, sys
from kubo_sdk.cli.main import main
assert main(["plugins", "--json"]) == 0
print(json.dumps(sorted(sys.modules)))
"""


def test_listing_every_plugin_imports_nothing_heavy() -> None:
    found = subprocess.run([sys.executable, "-c", LISTING], capture_output=True, check=True, text=True)
    rows, modules = (json.loads(line) for line in found.stdout.splitlines())
    assert {row["distribution"] for row in rows} >= {"kubo-sdk", "kubo-sdk-flannel", "kubo-sdk-local"}
    assert all(row["contract"] == 1 and row["hooks"] for row in rows if row["port"])
    heavy = {"cryptography", "http.client", "kubo_sdk.cluster", "pyroute2", "rich", "sqlite3", "ssl", "yaml"}
    assert heavy & set(modules) == set()
