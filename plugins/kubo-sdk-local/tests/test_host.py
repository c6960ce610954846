"""What a host is refused for: one clear sentence, and nothing changed."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

import pytest

from kubo_sdk.errors import ConfigError, Conflict, HostError
from kubo_sdk.model.instance import ClusterId
from kubo_sdk_local import host, network, syscalls
from kubo_sdk_local.config import LocalConfig
from kubo_sdk_local.cpi import LocalCpi
from kubo_sdk_local.netlink import Netlink
from kubo_sdk_local.stemcell import Stemcell

from .conftest import CACHE, DEMO, request


@pytest.fixture
def config(root: Path, stemcell: Stemcell) -> LocalConfig:
    return LocalConfig(root=root, cache=CACHE)


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A file system with 10 MB of room, from which nothing can be run."""
    place = tmp_path / "small"
    place.mkdir()
    syscalls.mount("tmpfs", str(place), "tmpfs", syscalls.MS_NOEXEC, "size=10m")
    yield place
    syscalls.unmount(str(place))


def test_this_host_can_carry_machines(config: LocalConfig) -> None:
    assert host.problems(config) == []
    assert config.root is not None
    assert not config.root.exists()


def test_without_root_nothing_else_is_looked_at(config: LocalConfig, tmp_path: Path) -> None:
    child = os.fork()
    if child == 0:
        os.setuid(65534)
        os._exit(0 if host.problems(config) == ["machines on this host need root; run it with sudo"] else 1)
    assert os.waitpid(child, 0)[1] == 0


def test_every_missing_program_is_named_with_its_package(config: LocalConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    problems = host.problems(LocalConfig(root=config.root, cache=Path("/nowhere")))
    assert "the program 'nsenter' is missing; run: apt-get install util-linux" in problems
    assert "the program 'mmdebstrap' is missing; run: apt-get install mmdebstrap" in problems


def test_a_place_without_room_or_without_programs_is_refused(small: Path, config: LocalConfig) -> None:
    problems = host.problems(LocalConfig(root=small / "root", cache=config.cache))
    assert problems == [
        f"{small} has 0.0 GiB free and needs 2; make room or set the cpi's option 'root' to another place",
        f"{small} is mounted noexec; set the cpi's option 'root' to another place",
    ]


def test_a_file_system_that_overlay_refuses_is_named(tmp_path: Path, config: LocalConfig) -> None:
    """An overlay is one that cannot carry the upper layer of another."""
    parts = {name: tmp_path / name for name in ("lower", "upper", "work", "over")}
    for part in parts.values():
        part.mkdir()
    options = f"lowerdir={parts['lower']},upperdir={parts['upper']},workdir={parts['work']},index=off"
    syscalls.mount("overlay", str(parts["over"]), "overlay", 0, options)
    try:
        problems = host.problems(LocalConfig(root=parts["over"], cache=config.cache))
    finally:
        syscalls.unmount(str(parts["over"]))
    assert problems == [f"overlayfs does not work over the file system of {parts['over']}; choose another root"]


def test_a_kernel_that_gives_no_namespaces_is_refused(config: LocalConfig) -> None:
    """Without the capability the kernel says no, as it does without the feature."""
    program = f"""
from pathlib import Path
from kubo_sdk_local import host, syscalls
from kubo_sdk_local.config import LocalConfig
print(host.problems(LocalConfig(root=Path({str(config.root)!r}), cache=Path({str(CACHE)!r}))))
"""
    run = ["setpriv", "--bounding-set=-sys_admin", "--inh-caps=-sys_admin", sys.executable, "-c", program]
    said = subprocess.run(run, capture_output=True, text=True, check=True).stdout
    assert "the kernel gives no mount, UTS, IPC, PID, network, cgroup namespaces; machines are made of them" in said


def test_every_problem_of_the_host_is_told_at_once(make_cpi: Callable[..., LocalCpi], small: Path) -> None:
    cpi = make_cpi(root=small / "root")
    with pytest.raises(HostError, match=r"needs 2; .*; .* is mounted noexec"):
        cpi.prepare(DEMO)
    assert not (small / "root").exists()


def test_a_subnet_that_this_host_uses_is_refused(make_cpi: Callable[..., LocalCpi], root: Path) -> None:
    with Netlink() as netlink:
        netlink.add_bridge("other", b"\x0a\x4b\0\0\0\x09")
        netlink.add_address(netlink.get_index("other"), IPv4Address("10.77.0.130").packed, 25)
    sentence = "the bridge address 10.77.0.1 is taken: the subnet 10.77.0.0/24 overlaps 10.77.0.128/25"
    with pytest.raises(Conflict, match=sentence):
        make_cpi().prepare(DEMO)
    assert not root.exists()


def test_a_cluster_name_of_another_director_is_refused(make_cpi: Callable[..., LocalCpi]) -> None:
    cpi = make_cpi()
    cpi.prepare(DEMO)
    with pytest.raises(Conflict, match="the cluster name 'demo' belongs to the director 'tests' on this host"):
        cpi.prepare(ClusterId(director="intruder", name="demo"))
    assert cpi.list_vms(ClusterId(director="intruder", name="demo")) == ()


def test_a_cluster_does_not_move_to_another_subnet(make_cpi: Callable[..., LocalCpi]) -> None:
    make_cpi().prepare(DEMO)
    with pytest.raises(Conflict, match=r"made with the cpi options subnet 10\.77\.0\.0/24 and outside False"):
        make_cpi(subnet=IPv4Network("10.78.0.0/24")).prepare(DEMO)


def test_preparing_again_brings_a_lost_bridge_back(make_cpi: Callable[..., LocalCpi]) -> None:
    """As after the host's own reboot."""
    cpi = make_cpi()
    cpi.prepare(DEMO)
    network.remove_bridge(cpi.layout.bridge(DEMO))
    with pytest.raises(HostError, match=r"there is no network link kb-[0-9a-f]{12}; prepare the cluster again"):
        cpi.create_vm(request())
    assert cpi.list_vms(DEMO) == ()
    cpi.prepare(DEMO)
    cpi.create_vm(request())


def test_a_cluster_that_was_not_prepared_gets_no_machines(make_cpi: Callable[..., LocalCpi]) -> None:
    with pytest.raises(HostError, match="cluster tests/demo is not prepared; prepare it first"):
        make_cpi().create_vm(request())


def test_a_cluster_with_machines_is_not_disposed_of(make_cpi: Callable[..., LocalCpi]) -> None:
    cpi = make_cpi()
    cpi.prepare(DEMO)
    vm = cpi.create_vm(request())
    with pytest.raises(Conflict, match=r"cluster tests/demo still has machines \(worker/0\); delete them first"):
        cpi.dispose(DEMO)
    assert cpi.list_vms(DEMO) == (vm,)


def test_every_option_that_cannot_work_is_named(make_cpi: Callable[..., LocalCpi]) -> None:
    with pytest.raises(ConfigError) as caught:
        make_cpi(
            root=Path("/var/lib/a:b"), subnet=IPv4Network("203.0.0.0/8"), stemcell_packages=("vim", "no such; package")
        )
    assert caught.value.problems == (
        "cpi local: root: '/var/lib/a:b' must not hold a space, colon, comma or backslash",
        "cpi local: subnet: 203.0.0.0/8 must be from /16 to /29",
        "cpi local: stemcell_packages: 'no such; package' is not the name of a Debian package",
    )
    with pytest.raises(ConfigError, match=r"subnet: 8\.8\.8\.0/24 is not a private network"):
        make_cpi(subnet=IPv4Network("8.8.8.0/24"))
