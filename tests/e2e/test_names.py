"""A cluster whose names are answered by PowerDNS on its own proxies, and what is left of that when something breaks."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from attrs import frozen

from .site import Site

pytestmark = pytest.mark.e2e

SHAPE = (("etcd", 1), ("master", 2), ("worker", 1), ("proxy", 2))
DOMAIN = "named.kubo.internal"
API = f"api.{DOMAIN}"
UNITS = ("kubo-pdns.service", "kubo-names.service")

# Each command costs a new process here, so a machine asks all it is to ask by itself.
RESOLVE = 'for name; do echo "$name" $(getent ahostsv4 "$name" | cut -d " " -f 1 | sort -u); done'
AWAIT = """
wished=$1 tries=0
shift
until found=$("$@"); [ "$(echo $found)" = "$wished" ]; do
  tries=$((tries + 1))
  if [ $tries -gt 400 ]; then echo "$* says: $found, and not: $wished" >&2; exit 1; fi
  sleep 0.2
done
"""


@frozen
class Named:
    """The cluster, and questions its machines ask."""

    site: Site
    spec: Path
    addresses: dict[str, str]

    def run(self, instance: str, *command: str, check: bool = True) -> str:
        return self.site.kubo(self.spec, "exec", instance, "--", *command, check=check).stdout.strip()

    def resolve(self, *names: str) -> dict[str, set[str]]:
        """The addresses that the worker's own C library finds; none is an answer too."""
        lines = self.run("worker/0", "sh", "-c", RESOLVE, "sh", *names).splitlines()
        return {name: set(found) for name, *found in map(str.split, lines)}

    def await_addresses(self, name: str, wished: set[str]) -> None:
        """Until the worker finds just these."""
        self.run(
            "worker/0", "sh", "-c", AWAIT, "sh", " ".join([name, *sorted(wished)]), "sh", "-c", RESOLVE, "sh", name
        )

    def of(self, role: str) -> set[str]:
        return {address for instance, address in self.addresses.items() if instance.startswith(role)}

    @property
    def full(self) -> dict[str, set[str]]:
        """What each full name should lead to."""
        return {f"{instance.replace('/', '-')}.{DOMAIN}": {address} for instance, address in self.addresses.items()}


@pytest.fixture(scope="module")
def named(shared_site: Site) -> Named:
    groups = [
        {"name": role, "instances": count, "persistent_disk_mb": {"etcd": 1024, "proxy": 64}.get(role, 0)}
        for role, count in SHAPE
    ]
    spec = shared_site.spec("named", instance_groups=groups, dns={"provider": "powerdns"})
    shared_site.kubo(spec, "up")
    instances = shared_site.status(spec)["instances"]
    return Named(shared_site, spec, {one["instance"]: one["address"] for one in instances})


def test_machines_find_each_other_by_full_and_by_short_name_and_by_address(named: Named) -> None:
    short = {instance.replace("/", "-"): {address} for instance, address in named.addresses.items()}
    wished = {**named.full, **short, f"nobody.{DOMAIN}": set()}
    assert named.resolve(*wished) == wished
    reverse = named.run("worker/0", "getent", "hosts", *named.addresses.values())
    assert {tuple(line.split()[:2]) for line in reverse.splitlines()} == {
        (address, name) for name, addresses in named.full.items() for address in addresses
    }
    named.await_addresses(API, named.of("proxy"))
    assert named.run("worker/0", "curl", "-sk", f"https://{API}:8443/readyz") == "ok"
    assert named.site.plan(named.spec)["steps"] == []


def test_the_servers_run_without_root_on_their_own_disk_and_keep_the_key_to_themselves(named: Named) -> None:
    assert named.run("proxy/0", "ps", "-o", "user=", "-C", "pdns_server,python3").split() == ["pdns", "pdns"]
    secret = "/run/kubo-pdns/api-key", "/var/lib/kubo/disk/names/pdns.sqlite3"
    assert set(named.run("proxy/0", "stat", "-c", "%U %a", *secret).splitlines()) == {"pdns 600"}
    key = named.run("proxy/0", "cat", "/run/kubo-pdns/api-key")
    said = named.run("proxy/0", "sh", "-c", "journalctl --no-pager; cat /proc/[0-9]*/cmdline | tr '\\0' ' '")
    assert "pdns_server" in said
    assert key not in said


def test_daemons_that_are_killed_come_back_by_themselves(named: Named) -> None:
    pids = ("systemctl", "show", "--property=MainPID", "--value", *UNITS)
    before = named.run("proxy/0", *pids).split()
    named.run("proxy/0", "kill", "-KILL", *before)
    named.run("proxy/0", "sh", "-c", AWAIT, "sh", "active active", "systemctl", "is-active", *UNITS)
    assert not set(before) & set(named.run("proxy/0", *pids).split())
    named.run("proxy/0", "sh", "-c", f"until getent hosts etcd-0.{DOMAIN}; do sleep 0.2; done")


def test_units_that_are_stopped_are_seen_and_repaired(named: Named) -> None:
    named.run("proxy/0", "systemctl", "stop", *UNITS)
    checked = named.site.kubo(named.spec, "check", "--json", check=False)
    (problem,) = json.loads(checked.stdout)["problems"]
    assert problem["id"] == "failed_unit:proxy/0"
    assert "kubo-names inactive, kubo-pdns inactive" in problem["sentence"]
    assert named.resolve(*named.full) == named.full
    named.site.kubo(named.spec, "heal")
    assert named.run("proxy/0", "systemctl", "is-active", *UNITS).split() == ["active", "active"]


def test_the_api_name_follows_the_proxies_and_then_the_masters(named: Named) -> None:
    named.run("proxy/1", "systemctl", "stop", "kubo-haproxy")
    named.await_addresses(API, {named.addresses["proxy/0"]})
    named.run("proxy/0", "systemctl", "stop", "kubo-haproxy")
    named.await_addresses(API, named.of("master"))
    named.run("master/0", "systemctl", "kill", "--signal=STOP", "kube-apiserver")
    named.await_addresses(API, {named.addresses["master/1"]})
    named.run("master/0", "systemctl", "kill", "--signal=CONT", "kube-apiserver")
    named.await_addresses(API, named.of("master"))
    for proxy in ("proxy/0", "proxy/1"):
        named.run(proxy, "systemctl", "start", "kubo-haproxy")
    named.await_addresses(API, named.of("proxy"))


def test_with_one_machine_that_answers_dead_all_names_are_answered(named: Named) -> None:
    named.run("proxy/0", "systemctl", "--no-block", "poweroff", check=False)
    named.await_addresses(API, {named.addresses["proxy/1"]})
    assert named.resolve(*named.full) == named.full
    # What is left to do afterwards, on a busy host, is not about names.
    named.site.kubo(named.spec, "heal", check=False)
    named.await_addresses(API, named.of("proxy"))


def test_a_running_cluster_goes_over_to_hosts_files_and_back_in_place(named: Named) -> None:
    text = named.spec.read_text()
    try:
        named.spec.write_text(text.replace("provider: powerdns", "provider: hosts"))
        steps = [step["id"] for step in named.site.plan(named.spec)["steps"]]
        assert steps
        assert not [step for step in steps if "vm" in step.split()]
        named.site.kubo(named.spec, "up")
        assert named.resolve(*named.full) == named.full
        assert "kubo" not in named.run("worker/0", "readlink", "-f", "/etc/resolv.conf")
        assert named.run("proxy/0", "pgrep", "pdns_server", check=False) == ""
    finally:
        named.spec.write_text(text)
    named.site.kubo(named.spec, "up")
    named.await_addresses(API, named.of("proxy"))
    assert named.run("worker/0", "readlink", "/etc/resolv.conf") == "/etc/kubo/names/resolv.conf"
    assert named.resolve(*named.full) == named.full
