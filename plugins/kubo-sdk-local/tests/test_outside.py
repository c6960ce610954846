"""The way out of a cluster: through the host when asked for, and not otherwise."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from ipaddress import IPv4Address
from pathlib import Path

import pytest

from kubo_sdk.model.instance import ClusterId
from kubo_sdk_local import outside, syscalls
from kubo_sdk_local.cpi import LocalCpi
from kubo_sdk_local.netlink import Netlink
from kubo_sdk_local.stemcell import Stemcell

from .conftest import DEMO, SECOND_SUBNET, out, request

FORWARD = Path("/proc/sys/net/ipv4/ip_forward")
BEYOND = "198.51.100.9"


@pytest.fixture
def beyond(network: None) -> Iterator[None]:
    """A host that knows nothing of the cluster's addresses, one link away from this network namespace."""
    here = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    syscalls.unshare(syscalls.CLONE_NEWNET)
    with Netlink() as netlink:
        netlink.add_bridge("far", b"\x0a\x4b\0\0\1\x01")
        netlink.add_veth("link", bridge=netlink.get_index("far"), peer="near", peer_mac=b"\x0a\x4b\0\0\1\x02",
                         peer_namespace=here)  # fmt: skip
        netlink.add_address(netlink.get_index("far"), IPv4Address(BEYOND).packed, 24)
    there = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    syscalls.setns(here, syscalls.CLONE_NEWNET)
    with Netlink() as netlink:
        netlink.set_up(netlink.get_index("near"))
        netlink.add_address(netlink.get_index("near"), IPv4Address("198.51.100.1").packed, 24)
    FORWARD.write_text("0")
    yield
    os.close(here)
    os.close(there)


@pytest.fixture
def iptables(stemcell: Stemcell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A host with iptables: the stemcell's, where this one has none."""
    if shutil.which("iptables") is None:
        program = tmp_path / "bin" / "iptables"
        program.parent.mkdir()
        program.write_text(f'#!/bin/sh\nexec chroot {stemcell.tree} iptables "$@"\n')
        program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")


def reaches(cpi: LocalCpi, address: str) -> bool:
    vm = cpi.create_vm(request())
    return cpi.open_shell(vm).run(["ping", "-c1", "-W1", address]).exit_code == 0


def rules(stemcell: Stemcell) -> str:
    program = ["chroot", str(stemcell.tree), "nft", "list", "ruleset"]
    return subprocess.run(program, capture_output=True, text=True, check=True).stdout


def test_a_machine_stays_inside_unless_asked_for(beyond: None, make_cpi: Callable[..., LocalCpi]) -> None:
    cpi = make_cpi()
    cpi.prepare(DEMO)
    assert not reaches(cpi, BEYOND)
    assert FORWARD.read_text() == "0\n"


def test_a_machine_gets_outside_behind_the_hosts_address_and_all_is_put_back(
    beyond: None, make_cpi: Callable[..., LocalCpi], stemcell: Stemcell
) -> None:
    cpi, other = make_cpi(outside=True), make_cpi(outside=True, subnet=SECOND_SUBNET)
    second = ClusterId(director="tests", name="second")
    cpi.prepare(DEMO)
    other.prepare(second)
    assert reaches(cpi, BEYOND)
    cpi.delete_vm(cpi.list_vms(DEMO)[0].id)
    cpi.dispose(DEMO)
    assert FORWARD.read_text() == "1\n"
    other.dispose(second)
    assert FORWARD.read_text() == "0\n"
    assert "kubo" not in rules(stemcell)


def test_a_closed_forward_chain_of_the_host_is_opened_for_the_cluster_alone(
    beyond: None, make_cpi: Callable[..., LocalCpi], stemcell: Stemcell, iptables: None
) -> None:
    subprocess.run(["iptables", "-P", "FORWARD", "DROP"], check=True)
    cpi = make_cpi(outside=True)
    cpi.prepare(DEMO)
    assert reaches(cpi, BEYOND)
    neighbour = cpi.create_vm(request("worker/1"))
    out(cpi, cpi.list_vms(DEMO)[0], "ping", "-c1", "-W2", neighbour.address)
    for vm in cpi.list_vms(DEMO):
        cpi.delete_vm(vm.id)
    cpi.dispose(DEMO)
    assert "kubo" not in rules(stemcell)
    assert "kb-" not in rules(stemcell)


def test_name_servers_of_the_host_are_handed_on_but_not_those_on_its_loopback(tmp_path: Path) -> None:
    (tmp_path / "stub").write_text("# a comment\nnameserver 127.0.0.53\noptions edns0\nsearch example.org\n")
    (tmp_path / "real").write_text("nameserver 192.0.2.53\nnameserver fe80::1%eth0\n")
    assert outside.nameservers((tmp_path / "stub", tmp_path / "real")) == ("192.0.2.53", "fe80::1")
    assert outside.nameservers((tmp_path / "stub", tmp_path / "absent")) == ()
