"""examples/static: its spec and its machines fit together, and its plan is that of a new cluster."""

from __future__ import annotations

from pathlib import Path

from attrs import evolve

from kubo_sdk import Cluster, Plugins
from kubo_sdk.config import load, structure
from kubo_sdk.ports.cpi import VmRequest
from kubo_sdk.testing.fakes import FakeCloud, fake_spec
from kubo_sdk_static.choosing import candidates
from kubo_sdk_static.claims import Claim, Look
from kubo_sdk_static.config import StaticConfig, check
from kubo_sdk_static.machines_file import read_machines
from kubo_sdk_static.survey import Sight

EXAMPLE = Path(__file__).resolve().parents[3] / "examples" / "static"


def test_every_instance_of_the_example_finds_a_machine_of_its_zone() -> None:
    spec = load(EXAMPLE / "cluster.yml")
    config, problems = structure(StaticConfig, spec.cpi.options, "cpi")
    assert problems == ()
    assert config is not None
    check(config)
    file = read_machines(EXAMPLE / config.machines)
    sights = {m.name: Sight(machine=m, look=Look(mark="1", cpus=8, memory_mb=16384)) for m in file.machines}
    racks: dict[str, list[str]] = {}
    for instance in spec.instances():
        request = VmRequest(cluster=spec.id, instance=instance, token=instance.slug, size=spec.group(instance.group).vm)
        machine = candidates(request, tuple(sights.values()))[0]
        claim = Claim.of(request, machine, at="2026-01-01T00:00:00Z", by="test")
        sights[machine.name] = Sight(machine=machine, look=Look(mark="1", cpus=8, memory_mb=16384, claim=claim))
        racks.setdefault(instance.group, []).append(machine.rack)
        assert machine.zone == instance.az
        assert (instance.group == "etcd") == (machine.labels.get("disk") == "ssd")
    assert len(set(racks["etcd"])) == len(racks["etcd"])


def test_the_example_is_planned_against_the_fake_cloud(tmp_path: Path) -> None:
    spec = load(EXAMPLE / "cluster.yml")
    with FakeCloud(stock_images=True) as cloud:
        fakes = fake_spec(tmp_path / "release")
        planned = evolve(
            fakes, name=spec.name, instance_groups=spec.instance_groups, network=spec.network, update=spec.update
        )
        places = {"state_dir": tmp_path / "state", "cache_dir": tmp_path / "cache"}
        plugins = Plugins(cloud.plugin(), load_installed=False)
        cluster = Cluster(planned, plugins=plugins, clock=cloud.clock, **places)
        verbs = [str(step.verb) for step in cluster.plan().steps]
    assert verbs.count("create vm") == verbs.count("prepare") == 9
    assert "create disk" not in verbs
