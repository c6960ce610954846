"""Which machine an instance gets: a table of wishes and machines."""

from __future__ import annotations

from ipaddress import IPv4Address
from typing import Any

import pytest
from attrs import evolve

from kubo_sdk.errors import ConfigError, QuotaExceeded
from kubo_sdk.model.instance import ClusterId
from kubo_sdk.model.spec import VmSize
from kubo_sdk.ports.cpi import VmRequest
from kubo_sdk_static.choosing import NEIGHBOURS, candidates, rings
from kubo_sdk_static.claims import Claim, Look
from kubo_sdk_static.machines_file import Machine
from kubo_sdk_static.survey import Sight

from .lab import RACKS, request


def sight(
    name: str, *, cpus: int = 4, memory_mb: int = 8192, used: str = "", claim: Claim | None = None, **more: Any
) -> Sight:
    machine = Machine(name=name, address=IPv4Address(f"10.0.0.{int(name[1:]) + 1}"), **more)
    return Sight(machine=machine, look=Look(mark="1", cpus=cpus, memory_mb=memory_mb, used=used, claim=claim))


def silent(name: str) -> Sight:
    return evolve(sight(name), look=None)


def claim(name: str, instance: str, cluster: ClusterId = RACKS) -> Claim:
    machine = sight(name).machine
    return Claim.of(request(instance, cluster), machine, at=f"2026-01-01T00:00:{name[1:]:0>2}Z", by="test")


def names(wished: VmRequest, *sights: Sight) -> list[str]:
    return [machine.name for machine in candidates(wished, sights)]


def test_only_free_machines_of_the_zone_that_answer_can_be_had() -> None:
    sights = (
        sight("m0", zone="z2"),
        silent("m1"),
        sight("m2", claim=claim("m2", "etcd/0")),
        sight("m3", used="/var/lib/kubelet is not empty"),
        sight("m4"),
    )
    assert names(request("worker/0"), *sights) == ["m4"]
    assert names(request("worker/0", az="z2"), *sights) == ["m0"]


def test_a_machine_is_as_large_as_wished() -> None:
    sights = (sight("m0", cpus=2), sight("m1", memory_mb=4096), sight("m2"))
    assert names(request("worker/0", size=VmSize(cpus=4, memory_mb=8000)), *sights) == ["m2"]


def test_labels_and_names_that_are_wished_for_are_obeyed() -> None:
    sights = (sight("m0", labels={"disk": "ssd"}), sight("m1", labels={"disk": "hdd"}), sight("m2"))
    ssd = VmSize(cloud_properties={"labels": {"disk": "ssd"}})
    assert names(request("worker/0", size=ssd), *sights) == ["m0"]
    assert names(request("worker/0", size=VmSize(cloud_properties={"machines": ["m1"]})), *sights) == ["m1"]


def test_what_is_special_is_kept_for_those_who_ask_for_it() -> None:
    sights = (sight("m0", labels={"disk": "ssd"}), sight("m1"), sight("m2", labels={"gpu": "yes", "disk": "ssd"}))
    assert names(request("worker/0"), *sights) == ["m1", "m0", "m2"]


def test_a_group_is_spread_over_the_racks() -> None:
    there = (sight("m0", rack="r1", claim=claim("m0", "etcd/0")), sight("m1", rack="r2", claim=claim("m1", "worker/0")))
    free = (sight("m2", rack="r1"), sight("m3", rack="r2"), sight("m4", rack="r3"))
    assert names(request("etcd/1"), *there, *free)[-1] == "m2"
    assert names(request("worker/1"), *there, *free)[-1] == "m3"


def test_the_smallest_machine_that_will_do_comes_first() -> None:
    assert names(request("worker/0"), sight("m0", cpus=8), sight("m1", cpus=2), sight("m2")) == ["m1", "m2", "m0"]


def test_everybody_chooses_alike_and_slots_choose_differently() -> None:
    sights = tuple(sight(f"m{index}") for index in range(20))
    assert names(request("worker/0"), *sights) == names(request("worker/0"), *reversed(sights))
    assert len({names(request(f"worker/{index}"), *sights)[0] for index in range(10)}) > 3


def test_no_machine_left_tells_what_became_of_each() -> None:
    sights = (sight("m0", zone="z2"), silent("m1"), sight("m2", claim=claim("m2", "etcd/0")), sight("m3", used="x"))
    with pytest.raises(QuotaExceeded) as refused:
        candidates(request("worker/0"), sights)
    assert str(refused.value) == (
        "no machine is free for worker/0 of cluster lab/racks in zone z1 (1 in another zone; 1 in use by somebody else "
        "(m3); 1 silent (m1); 1 taken); add one to the machines file or shrink group 'worker'"
    )


@pytest.mark.parametrize(
    ("properties", "told"),
    [
        ({"label": {}}, "'label' is not known; known here: labels, machines"),
        ({"labels": "ssd"}, "labels must be a mapping"),
        ({"machines": "m0"}, "machines must be a list of names"),
    ],
)
def test_a_wish_that_nobody_understands_is_refused(properties: dict[str, object], told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        candidates(request("worker/0", size=VmSize(cloud_properties=properties)), (sight("m0"),))


def test_every_machine_is_remembered_by_four_others_when_there_are_so_many() -> None:
    claims = [claim(f"m{index}", f"worker/{index}") for index in range(9)]
    pairs = set(rings(claims))
    for about in claims:
        assert len({holder.machine for holder, known in pairs if known == about}) == 2 * NEIGHBOURS
    assert all(holder != about for holder, about in pairs)
    assert set(rings(claims[:2])) == {(claims[0], claims[1]), (claims[1], claims[0])}
    assert not list(rings(claims[:1]))
