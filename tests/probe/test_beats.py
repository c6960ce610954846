"""A Ready Node whose kubelet renews its lease no more says nothing of a machine that is silent."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from kubo_sdk import Cluster, Plugins
from kubo_sdk.planning.diagnosis import diagnose
from kubo_sdk.planning.health import Source, Verdict
from kubo_sdk.planning.problems import Evidence
from kubo_sdk.probe.beats import MUTE_SECONDS, Beats
from kubo_sdk.probe.prober import Prober
from kubo_sdk.testing.fakes import FakeCloud, fake_spec, sized

START = datetime(2026, 1, 1, tzinfo=UTC)
LATER = START + timedelta(seconds=MUTE_SECONDS)


def test_a_lease_that_does_not_change_for_longer_than_a_renewal_takes_tells_of_a_mute_kubelet() -> None:
    beats = Beats()
    beats.hear({"a": "1", "b": "1"}, START)
    beats.hear({"a": "1", "b": "2"}, LATER)
    assert beats.mute(LATER) == {"a"}
    assert not beats.mute(LATER - timedelta(seconds=1))


def test_what_was_not_asked_for_meanwhile_counts_from_the_next_answer_on() -> None:
    beats = Beats()
    beats.hear({"a": "1"}, START)
    beats.hear({}, START)
    beats.hear({"a": "1"}, LATER)
    assert not beats.mute(LATER)


@pytest.mark.parametrize(("renews", "evidence"), [(True, Evidence.SERVES), (False, Evidence.SILENT)])
def test_a_silent_worker_is_sure_to_be_ill_as_soon_as_its_kubelet_is_silent_too(
    tmp_path: Path, renews: bool, evidence: Evidence
) -> None:
    spec = fake_spec(tmp_path / "release", instance_groups=sized(etcd=1, master=1, worker=2, proxy=0))
    with FakeCloud() as cloud:
        plugins = Plugins(cloud.plugin(), load_installed=False)
        cluster = Cluster(
            spec, plugins=plugins, clock=cloud.clock, state_dir=tmp_path / "state", cache_dir=tmp_path / "cache"
        )
        cluster.deploy()
        with Prober(spec, cluster.providers, cloud.clock) as asking:
            node = next(node.name for node in asking.probe().nodes or () if node.instance == "worker-0")
            client = asking.api()
            assert client is not None
            cloud.machines["worker/0"].hang()
            for beat in range(4):
                renewed = f"2026-01-01T00:00:{beat * renews:02}.000000Z"
                client.apply(
                    {
                        "apiVersion": "coordination.k8s.io/v1",
                        "kind": "Lease",
                        "metadata": {"name": node, "namespace": "kube-node-lease"},
                        "spec": {"renewTime": renewed},
                    }
                )
                report = asking.probe()
                cloud.clock.advance(MUTE_SECONDS / 2)
    assert report.health("worker/0").says(Source.NODE, Verdict.GOOD) is renews
    (problem,) = diagnose(report, spec)
    assert problem.evidence is evidence
