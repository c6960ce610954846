"""Which address a machine gets."""

from __future__ import annotations

from ipaddress import IPv4Network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubo_sdk.errors import QuotaExceeded
from kubo_sdk_local.addresses import choose, gateway

SUBNET = IPv4Network("10.77.0.0/29")
HOSTS = [str(address) for address in SUBNET.hosts()][1:]
INSTANCES = st.sampled_from([f"worker-{number}" for number in range(4)])


def test_the_bridge_has_the_first_address_and_machines_the_next() -> None:
    assert gateway(SUBNET) == "10.77.0.1"
    assert choose(SUBNET, "worker-0", (), {}) == "10.77.0.2"


def test_a_full_subnet_is_refused() -> None:
    with pytest.raises(QuotaExceeded, match=r"all addresses of 10\.77\.0\.0/29 are in use"):
        choose(SUBNET, "worker-9", HOSTS, {})


def test_an_address_that_somebody_had_is_taken_last() -> None:
    remembered = {"worker-0": HOSTS[0], "worker-1": HOSTS[1]}
    assert choose(SUBNET, "worker-2", [], remembered) == HOSTS[2]
    assert choose(SUBNET, "worker-2", HOSTS[2:], remembered) == HOSTS[0]


@given(
    instance=INSTANCES,
    taken=st.sets(st.sampled_from(HOSTS), max_size=len(HOSTS) - 1),
    remembered=st.dictionaries(INSTANCES, st.sampled_from(HOSTS)),
)
def test_the_address_is_always_free_and_the_instances_own_when_that_is(
    instance: str, taken: set[str], remembered: dict[str, str]
) -> None:
    address = choose(SUBNET, instance, taken, remembered)
    assert address in HOSTS
    assert address not in taken
    if instance in remembered and remembered[instance] not in taken:
        assert address == remembered[instance]
