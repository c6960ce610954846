"""Version skew: the rules as sentences, and what no way from one version to another may ever do."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubo_sdk.model.version import NEWEST_MINOR, OLDEST_MINOR, KubernetesVersion
from kubo_sdk.planning.skew import (
    kubelet_lag,
    minors_between,
    why_no_containerd,
    why_no_etcd,
    why_no_kubelet,
    why_no_step,
)
from kubo_sdk.releases.companions import companions

VERSIONS = st.builds(KubernetesVersion, st.just(1), st.integers(OLDEST_MINOR, NEWEST_MINOR), st.integers(0, 30))
ETCDS = st.builds("3.{}.{}".format, st.integers(4, 6), st.integers(0, 40))


def version(text: str) -> KubernetesVersion:
    return KubernetesVersion.parse(text)


@given(have=VERSIONS, wish=VERSIONS)
def test_api_servers_go_up_one_minor_version_at_a_time_and_never_down(
    have: KubernetesVersion, wish: KubernetesVersion
) -> None:
    assert (why_no_step(have, wish) == "") == (wish.minor - have.minor in (0, 1))


@given(have=VERSIONS, wish=VERSIONS)
def test_every_way_up_has_only_steps_that_are_allowed_and_takes_every_kubelet_along(
    have: KubernetesVersion, wish: KubernetesVersion
) -> None:
    if wish.minor < have.minor:
        assert minors_between(have, wish) == ()
        return
    way = [have, *(KubernetesVersion(1, minor, 0) for minor in minors_between(have, wish)), wish]
    for before, after in itertools.pairwise(way):
        assert why_no_step(before, after) == ""
        assert why_no_kubelet(before, after) == "", "the kubelets follow after the masters"
        assert why_no_etcd(companions(before).etcd_version, companions(after).etcd_version) == ""


@given(kubelet=VERSIONS, api_server=VERSIONS)
def test_a_kubelet_is_never_newer_and_never_much_older_than_the_api_servers(
    kubelet: KubernetesVersion, api_server: KubernetesVersion
) -> None:
    behind = api_server.minor - kubelet.minor
    assert (why_no_kubelet(kubelet, api_server) == "") == (0 <= behind <= kubelet_lag(api_server.minor))
    assert kubelet_lag(api_server.minor) == (3 if api_server.minor >= 28 else 2)


@given(have=ETCDS, wish=ETCDS)
def test_etcd_skips_no_minor_version_and_never_goes_back(have: str, wish: str) -> None:
    old, new = (tuple(map(int, each.split("."))) for each in (have, wish))
    step = new[1] - old[1]
    allowed = step in (0, 1) and not (old[1] == 5 and new[1] == 6 and old[2] < 20)
    assert (why_no_etcd(have, wish) == "") == allowed


@pytest.mark.parametrize(
    ("have", "wish", "told"),
    [
        ("3.4.23", "3.6.8", "cannot become 3.6.8 at once"),
        ("3.5.12", "3.6.8", "use a release with etcd 3.5.20"),
        ("3.6.8", "3.5.21", "does not go back"),
    ],
)
def test_what_is_wrong_with_an_etcd_is_one_sentence(have: str, wish: str, told: str) -> None:
    assert told in why_no_etcd(have, wish)


def test_of_an_etcd_that_nobody_knows_nothing_is_refused() -> None:
    assert why_no_etcd("", "3.6.8") == ""


def test_a_containerd_that_speaks_no_newer_interface_is_refused() -> None:
    assert "needs containerd 1.6 or newer" in why_no_containerd("1.4.13", version("1.26.0"))
    assert why_no_containerd("1.4.13", version("1.25.9")) == ""
    assert why_no_containerd("1.6.20~ds1", version("1.26.0")) == ""
