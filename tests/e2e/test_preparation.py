"""Machines from a stock Debian image become a cluster: packages by apt through a proxy, the release fetched by them."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import attrs
import pytest
from kubo_sdk_local.config import DEFAULT_CACHE

from kubo_sdk import Cluster
from kubo_sdk.engine.retry import wait_until
from kubo_sdk.model.preparation_spec import PackageSource, PackagesSpec
from kubo_sdk.nodes import preparation
from kubo_sdk.nodes.preparation_script import PREPARE, PROGRAM, REFUSED
from kubo_sdk.ports.shell import Shell

from .site import SMALL, Site
from .stock import Stock, stock

pytestmark = pytest.mark.e2e

# Every package that any machine of these tests is given.
PACKAGES = (
    *preparation.BASE, *preparation.WORKER, *preparation.ETCD,
    "haproxy", "nftables", "pdns-backend-remote", "pdns-recursor", "pdns-server",
)  # fmt: skip
PORT = 8000
GATEWAY = "10.97.0.1"
KEY = "machines:s3cr:t/#"


@pytest.fixture(scope="module")
def image() -> Stock:
    return stock(PACKAGES)


@pytest.fixture(scope="module")
def mirror(shared_site: Site, image: Stock, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A mirror in the namespace of the site.  Yields the file with a line for each request it answered."""
    log = tmp_path_factory.mktemp("mirror") / "requests"
    served = (f"debian={image.repository}", f"releases={DEFAULT_CACHE / 'releases'}")
    program = (sys.executable, str(Path(__file__).parent / "mirror.py"), str(PORT), *served, KEY)
    with log.open("w") as out, subprocess.Popen(shared_site.command(*program), stdout=out) as process:
        try:
            yield log
        finally:
            process.kill()


@pytest.fixture(scope="module")
def made(shared_site: Site, image: Stock, mirror: Path) -> tuple[Site, Path]:
    """A small cluster whose machines reach nothing but the proxy."""
    assert mirror.exists()
    (shared_site.home / "proxy.key").write_text(f"{KEY}\n")
    spec = shared_site.spec(
        "stock",
        SMALL,
        cpi={
            "provider": "local",
            "root": str(shared_site.home / "local"),
            "subnet": "10.97.0.0/24",
            "stock_tree": str(image.tree),
        },
        preparation={
            "packages": {"apt": ["deb [trusted=yes] http://mirror.example/debian ./"]},
            "proxy": {"http": f"http://{GATEWAY}:{PORT}", "credentials_file": "proxy.key"},
            "release_url": "http://mirror.example/releases",
        },
    )
    shared_site.kubo(spec, "up")
    return shared_site, spec


def shell_of(site: Site, spec: Path, instance: str) -> Shell:
    cluster = Cluster.load(spec, state_dir=site.state)
    cpi = cluster.providers.cpi
    return cpi.open_shell(next(vm for vm in cpi.list_vms(cluster.spec.id) if vm.instance == instance))


def said(shell: Shell, command: str) -> str:
    return shell.run(["sh", "-c", command]).stdout.decode()


def test_the_cluster_serves_and_nothing_is_left_to_do(made: tuple[Site, Path]) -> None:
    site, spec = made
    assert site.plan(spec)["steps"] == []
    assert site.status(spec)["healthy"]
    nodes = json.loads(site.kubectl(spec, "get", "nodes", "-o", "json"))["items"]
    assert "Debian" in nodes[0]["status"]["nodeInfo"]["osImage"]


def test_everything_came_through_the_proxy(made: tuple[Site, Path], mirror: Path) -> None:
    assert made
    lines = [line.split() for line in mirror.read_text().splitlines()]
    assert {by for by, code, path, _ in lines if code == "200"} == {"proxy"}
    fetched = [path for by, code, path, _ in lines if code == "200"]
    assert any(path.startswith("/debian/") and "containerd" in path for path in fetched)
    assert any(path.endswith("/bin/kubelet") for path in fetched)


def test_the_password_lies_where_its_owner_alone_can_read_it(made: tuple[Site, Path]) -> None:
    shell = shell_of(*made, "worker/0")
    password = KEY.partition(":")[2]
    places = said(shell, "grep -rlE 's3cr(:|%3A)t' /etc /var/lib/kubo /run /var/log 2>/dev/null").split()
    assert places == ["/etc/containerd/proxy.env"]
    assert said(shell, "stat -c %a:%U /etc/containerd/proxy.env").strip() == "600:root"
    assert password not in said(shell, "journalctl --no-pager")


def test_packages_started_nothing(made: tuple[Site, Path]) -> None:
    """What runs are the core's own units, also after the machine starts again."""
    shell = shell_of(*made, "worker/0")
    for name in ("pdns", "pdns-recursor"):
        assert said(shell, f"systemctl is-active {name}; systemctl is-enabled {name}").split() == [
            "inactive",
            "disabled",
        ]
    units = said(shell_of(*made, "proxy/0"), "systemctl show --property=FragmentPath --value haproxy kubo-haproxy")
    assert units.split() == ["/lib/systemd/system/haproxy.service", "/etc/systemd/system/kubo-haproxy.service"]
    assert said(shell_of(*made, "proxy/0"), "systemctl is-active haproxy").strip() == "inactive"


def test_a_package_more_is_a_change_in_place(made: tuple[Site, Path]) -> None:
    site, spec = made
    document = spec.read_text()
    extra = document.replace("packages:\n", "packages:\n    extra: [socat]\n")
    assert extra != document
    before = said(shell_of(site, spec, "master/0"), "systemctl show --property=MainPID kube-apiserver")
    spec.write_text(extra)
    assert {step["id"].split()[0] for step in site.plan(spec)["steps"]} == {"prepare"}
    site.kubo(spec, "up")
    master = shell_of(site, spec, "master/0")
    assert "ii" in said(master, "dpkg -l socat")
    assert said(master, "systemctl show --property=MainPID kube-apiserver") == before
    assert site.plan(spec)["steps"] == []


def wished(*packages: str, **changes: Any) -> preparation.Preparation:
    source = PackagesSpec(apt=(f"deb [trusted=yes] http://{GATEWAY}:{PORT}/debian ./",))
    return preparation.Preparation(packages=packages, source=attrs.evolve(source, **changes))


def prepare(shell: Shell, wanted: preparation.Preparation, *, late: float = 0.0, **patience: int) -> tuple[int, str]:
    given = preparation.orders(wanted, now=time.time() + late, lock_seconds=1, **patience)
    outcome = shell.run(["sh", "-c", PREPARE, "sh", PROGRAM, "200"], stdin=given, timeout=240)
    return outcome.exit_code, outcome.stdout.decode().strip()


NOBODY = ("deb [trusted=yes] http://127.0.0.1:9 ./",)
REFUSALS = {
    "no mirror": (wished("hello", apt=NOBODY), "again it gets no packages from its mirrors: "),
    "no such package": (wished("no-such-thing"), "never its mirrors lack a package: Unable to locate package no-such-"),
    "not in the image": (wished("hello", source=PackageSource.IMAGE, apt=()), "never it lacks the packages hello, and"),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_what_cannot_be_installed_is_told_in_one_sentence(made: tuple[Site, Path], case: str) -> None:
    wanted, sentence = REFUSALS[case]
    code, told = prepare(shell_of(*made, "proxy/0"), wanted)
    assert (code, told[: len(sentence)]) == (REFUSED, sentence)
    assert said(shell_of(*made, "proxy/0"), "ls /usr/sbin/policy-rc.d 2>/dev/null") == ""
    assert "\n" not in told


def test_a_clock_that_is_far_off_is_told(made: tuple[Site, Path]) -> None:
    code, told = prepare(shell_of(*made, "proxy/0"), wished("hello"), late=5000, clock_seconds=0)
    assert code == REFUSED
    assert told.startswith("never its clock is ")
    assert "behind the director's; let it reach a time server" in told


def test_another_system_is_told(made: tuple[Site, Path]) -> None:
    shell = shell_of(*made, "proxy/0")
    said(shell, "mv /etc/os-release /etc/os-release.kept; echo ID=fedora PRETTY_NAME=Fedora >/etc/os-release")
    try:
        code, told = prepare(shell, wished("hello"))
    finally:
        said(shell, "mv /etc/os-release.kept /etc/os-release")
    assert code == REFUSED
    assert told == "never it runs Fedora; take an image of Debian 12 or 13, or Ubuntu 22.04 or 24.04"


def test_another_apt_that_goes_on_for_too_long_is_told(made: tuple[Site, Path]) -> None:
    shell = shell_of(*made, "proxy/0")
    hold = "import fcntl, time; f = open('/var/lib/dpkg/lock-frontend', 'w'); fcntl.lockf(f, fcntl.LOCK_EX); "
    said(shell, f"systemd-run --quiet --unit=holder python3 -c \"{hold}open('/run/held', 'w'); time.sleep(600)\"")
    wait_until(lambda: "yes" in said(shell, "test -e /run/held && echo yes") or None, what="the lock", timeout=30)
    try:
        code, told = prepare(shell, wished("conntrack"))
    finally:
        said(shell, "systemctl stop holder")
    assert code == REFUSED
    assert told.startswith("never another apt or dpkg has run there for 1 s: ")


def test_a_preparation_that_is_killed_goes_on_the_next_time(made: tuple[Site, Path]) -> None:
    shell = shell_of(*made, "proxy/0")
    wanted = wished("containerd", "conntrack", "socat")
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(prepare, shell, wanted)
        there = "test -e /usr/sbin/policy-rc.d && echo yes"
        wait_until(lambda: "yes" in said(shell, there) or None, what="packages being installed", timeout=60)
        said(shell, "systemctl kill --signal=KILL kubo-prepare.service")
        assert first.result()[0] == REFUSED
    assert prepare(shell, wanted) == (0, "ok")
    assert said(shell, "dpkg --audit; ls /usr/sbin/policy-rc.d 2>/dev/null") == ""
    assert said(shell, "systemctl is-active containerd; systemctl is-enabled containerd").split() == [
        "inactive",
        "disabled",
    ]
    assert prepare(shell, wanted) == (0, "")
