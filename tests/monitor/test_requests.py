"""What people ask for: check, heal, pause and resume, and what they are told when it cannot be done."""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest
import yaml

from kubo_sdk.cli.main import main
from kubo_sdk.cli.parser import build_parser
from kubo_sdk.errors import ConfigError, NotFound, ProviderError, UnsafePlan
from kubo_sdk.events import RepairDecided, RepairsHeld
from kubo_sdk.notes import DirectorNotes, read_notes
from kubo_sdk.planning.health import HealthReport
from kubo_sdk.planning.problems import Problem, ProblemType
from kubo_sdk.planning.requested import choose
from kubo_sdk.testing.fakes import sized

from .ward import Ward

PLUGIN = """
    from kubo_sdk import hookimpl
    from kubo_sdk.testing.fakes.plugin import FakePlugin

    cloud = None

    @hookimpl
    def kubo_cpi_providers():
        return FakePlugin(cloud).kubo_cpi_providers()

    @hookimpl
    def kubo_credential_store_providers():
        return FakePlugin(cloud).kubo_credential_store_providers()

    @hookimpl
    def kubo_dns_providers():
        return FakePlugin(cloud).kubo_dns_providers()

    @hookimpl
    def kubo_overlay_providers():
        return FakePlugin(cloud).kubo_overlay_providers()

    @hookimpl
    def kubo_ingress_providers():
        return FakePlugin(cloud).kubo_ingress_providers()

    @hookimpl
    def kubo_cluster_dns_providers():
        return FakePlugin(cloud).kubo_cluster_dns_providers()
"""


@pytest.fixture
def kubo(ward: Ward, install: Callable[..., str], tmp_path: Path) -> Callable[..., int]:
    """``kubo("check", "--auto")`` on the ward's cluster, in this process; gives the exit code."""
    install("fake-cloud", "fake-cloud", PLUGIN)
    importlib.import_module("fake_cloud").cloud = ward.cloud  # type: ignore[attr-defined]
    document = {
        "name": ward.spec.name,
        "kubernetes": {"version": "1.30.2", "source": {"provider": "directory", "path": str(tmp_path / "release")}},
        "instance_groups": [
            {"name": group.name, "instances": group.instances, "azs": list(group.azs)}
            for group in ward.spec.instance_groups
        ],
        **dict.fromkeys(("cpi", "credential_store", "dns", "overlay", "ingress", "cluster_dns"), "fake"),
    }
    file = tmp_path / "cluster.yml"
    file.write_text(yaml.safe_dump(document))

    def run(command: str, *arguments: str) -> int:
        common = ("--file", str(file), "--state", str(tmp_path / "state"), "--cache", str(tmp_path / "cache"))
        return main([command, *common, *arguments])

    return run


def test_checking_changes_nothing_and_its_exit_code_says_whether_anything_is_wrong(
    ward: Ward, kubo: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert kubo("check") == 0
    assert capsys.readouterr().out == "cluster kubo/fakes has no problems\n"
    ward.machine("worker/0").kill()
    assert kubo("check") == 10
    told = capsys.readouterr().out
    assert "missing_vm:worker/0  worker/0: its machine is gone  recreate, ignore" in told
    assert "worker/0" not in ward.cloud.machines


def test_checking_in_json_tells_each_problem_with_its_resolutions(
    ward: Ward, kubo: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    ward.machine("etcd/0").stop_unit("etcd")
    assert kubo("check", "--json") == 10
    told = json.loads(capsys.readouterr().out)
    (problem,) = told["problems"]
    assert (told["healthy"], problem["id"], problem["default"]) == (False, "failed_unit:etcd/0", "restart_units")
    assert {each["name"]: each["destructive"] for each in problem["resolutions"]} == {
        "restart_units": False,
        "reboot": False,
        "recreate": False,
        "recreate_empty": True,
        "ignore": False,
    }


def test_the_monitor_says_nothing_of_a_healthy_cluster_and_ends_when_asked_to_look_once(
    kubo: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert kubo("monitor", "--once", "--json") == 0
    assert json.loads(capsys.readouterr().out) == {"result": "done", "command": "monitor", "cluster": "kubo/fakes"}


def test_pausing_and_resuming_say_what_they_did(
    ward: Ward, kubo: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    notes = partial(read_notes, ward.cloud.store, ward.spec.id)
    assert kubo("pause", "worker/0") == 0
    assert kubo("pause") == 0
    assert capsys.readouterr().out.splitlines() == [
        "worker/0 is left alone until kubo resume worker/0",
        "cluster kubo/fakes is left alone until kubo resume",
    ]
    assert notes() == DirectorNotes(cluster_paused=True, paused=("worker/0",))
    assert kubo("resume", "worker/0") == 0
    assert notes() == DirectorNotes(cluster_paused=True)
    assert kubo("resume", "--json") == 0
    assert notes() == DirectorNotes()


@pytest.mark.parametrize(
    ("command", "code", "sentence"),
    [
        (("pause", "worker/9"), 9, "cluster kubo/fakes has no instance 'worker/9'; there are: etcd/0, etcd/1"),
        (("check", "--resolution", "worker/0"), 2, "--resolution 'worker/0' must be PROBLEM=NAME"),
        (("check", "--resolution", "x=reboot"), 2, "there is no problem 'x' now; there are: missing_vm:worker/0"),
        (
            ("check", "--resolution", "missing_vm:worker/0=cry"),
            2,
            "problem 'missing_vm:worker/0' has no resolution 'cry'; there are: recreate, ignore",
        ),
    ],
)
def test_a_wrong_request_gets_one_sentence_and_changes_nothing(
    ward: Ward,
    kubo: Callable[..., int],
    capsys: pytest.CaptureFixture[str],
    command: tuple[str, ...],
    code: int,
    sentence: str,
) -> None:
    ward.machine("worker/0").kill()
    calls = ward.cloud.faults.counts["cpi.create_vm"]
    assert kubo(*command) == code
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"kubo: {sentence}")
    assert ward.cloud.faults.counts["cpi.create_vm"] == calls


def test_healing_does_at_once_what_is_safe_and_says_what_is_left(ward: Ward) -> None:
    ward.machine("worker/0").kill()
    ward.machine("master/0").stop_unit("kube-scheduler")
    left = ward.cluster.heal(auto=True)
    assert left == ()
    assert sorted(ward.decided) == [("master/0", "restart_units"), ("worker/0", "recreate")]


def test_only_what_was_named_is_resolved_and_how_it_was_named(ward: Ward) -> None:
    ward.machine("worker/0").kill()
    ward.machine("worker/1").stop_unit("kubelet")
    left = ward.cluster.heal({"failed_unit:worker/1": "reboot"})
    assert [problem.id for problem in left] == ["missing_vm:worker/0"]
    assert ward.decided == [("worker/1", "reboot")]
    assert ward.touched == {"worker/1"}


def test_nothing_is_resolved_unless_it_is_asked_for(ward: Ward) -> None:
    ward.machine("worker/0").kill()
    assert len(ward.cluster.heal()) == 1
    assert not ward.events


def test_who_asks_is_not_held_back_by_the_brake(admit: Callable[..., Ward]) -> None:
    ward = admit(instance_groups=sized(worker=10))
    for index in range(6):
        ward.machine(f"worker/{index}").kill()
    assert len(ward.heal()) == 6
    assert ward.told(RepairsHeld)
    assert ward.cluster.heal(auto=True) == ()


def test_what_is_paused_is_not_healed_on_request_either(ward: Ward) -> None:
    ward.machine("worker/0").kill()
    ward.cluster.pause("worker/0")
    with pytest.raises(UnsafePlan, match="worker/0 is paused, so missing_vm:worker/0 is left as it is"):
        ward.cluster.heal({"missing_vm:worker/0": "recreate"})
    assert len(ward.cluster.heal(auto=True)) == 1
    ward.cluster.pause()
    with pytest.raises(UnsafePlan, match="the cluster is paused"):
        ward.cluster.heal(auto=True)
    assert not ward.told(RepairDecided)


def test_an_etcd_member_is_not_made_empty_while_the_others_have_no_majority_without_it(ward: Ward) -> None:
    ward.machine("etcd/0").stop_unit("etcd")
    ward.machine("etcd/1").kill()
    with pytest.raises(UnsafePlan, match="failed_unit:etcd/0 cannot be resolved now"):
        ward.cluster.heal({"failed_unit:etcd/0": "recreate_empty"})
    assert not ward.steps


def test_data_is_given_up_when_somebody_asks_for_it_by_name(ward: Ward) -> None:
    disk = ward.cloud.disks["etcd/0"].id
    ward.machine("etcd/0").stop_unit("etcd")
    assert ward.cluster.heal({"failed_unit:etcd/0": "recreate_empty"}) == ()
    assert ward.cloud.disks["etcd/0"].id != disk
    assert ward.has_no_orphans()


def test_an_instance_that_is_not_there_cannot_be_resumed(ward: Ward) -> None:
    with pytest.raises(NotFound, match="has no instance 'worker/9'"):
        ward.cluster.resume("worker/9")


def test_a_credential_store_that_cannot_be_opened_is_one_sentence_and_nothing_is_touched(ward: Ward) -> None:
    ward.machine("worker/0").kill()
    ward.cloud.faults.fail("store.*", call=None, error=ProviderError("the key of the credentials is missing; bring it"))
    with pytest.raises(ProviderError, match="the key of the credentials is missing; bring it"):
        ward.cluster.heal(auto=True)
    assert not ward.steps


def test_every_wrong_name_is_told_at_once() -> None:
    problem = Problem(type=ProblemType.STRAY_VM, subject="vm", sentence="a stray")
    report = HealthReport(at=datetime(2026, 1, 1, tzinfo=UTC), instances=())
    with pytest.raises(ConfigError) as caught:
        choose([problem], report, {"stray_vm:vm": "reboot", "x": "ignore"})
    assert len(caught.value.problems) == 2


def test_the_commands_take_what_the_pages_say() -> None:
    parsed = build_parser().parse_args(["check", "--auto", "--resolution", "a=b", "--resolution", "c=d"])
    assert (parsed.auto, parsed.resolution) == (True, ["a=b", "c=d"])
    assert build_parser().parse_args(["monitor", "--once"]).once
    assert build_parser().parse_args(["pause"]).instance is None
