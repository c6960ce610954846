"""Commands that reach for a cluster: how they end when the infrastructure refuses, and what they print."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from kubo_sdk.cli.commands.delete import confirm
from kubo_sdk.cli.commands.status import show
from kubo_sdk.errors import Cancelled
from kubo_sdk.model.status import ClusterStatus, InstanceStatus

PORTS = ("cpi", "credential_store", "dns", "overlay", "ingress", "cluster_dns")

PLUGIN = """
from attrs import frozen
from kubo_sdk import hookimpl
from kubo_sdk.errors import HostError
from kubo_sdk.ports import providers

@frozen(kw_only=True)
class Config:
    reason: str = "no bridge"

def refuse(config, context):
    raise HostError(f"this host has {config.reason}; install one")

def offer(kind):
    return lambda: [kind(name="refusing", summary="", config=Config, connect=refuse)]
"""


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A directory with a spec whose providers all refuse, and an installed plugin that offers them."""
    source = PLUGIN
    for port in PORTS:
        kind = "".join(part.capitalize() for part in port.split("_")) + "Provider"
        source += f"\n@hookimpl\ndef kubo_{port}_providers():\n    return offer(providers.{kind})()\n"
    (tmp_path / "fake_refusing.py").write_text(source)
    metadata = tmp_path / "fake_refusing-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: fake-refusing\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text("[kubo_sdk]\nrefusing = fake_refusing\n")
    choices = "".join(f"{port}: refusing\n" for port in PORTS)
    (tmp_path / "cluster.yml").write_text("name: demo\nkubernetes: {version: 1.20.2}\n" + choices)
    return tmp_path


def kubo(*arguments: str, place: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "kubo_sdk", "--state", str(place / "state"), *arguments],
        capture_output=True,
        check=False,
        cwd=place,
        env={**os.environ, "PYTHONPATH": str(place), "KUBO_PLUGINS": "refusing"},
        stdin=subprocess.DEVNULL,
        text=True,
        timeout=60,
    )


@pytest.mark.parametrize(
    "command",
    ["up", "plan", "status", "kubeconfig", "delete --yes", "ssh worker/0", "exec worker/0 -- ls", "logs etcd/0"],
)
def test_a_host_that_cannot_do_it_is_one_line_and_exit_code_4(command: str, place: Path) -> None:
    told = kubo(*command.split(), place=place)
    assert (told.stderr, told.returncode) == ("kubo: this host has no bridge; install one\n", 4)
    assert told.stdout == ""


def test_with_json_the_last_line_of_up_tells_the_error(place: Path) -> None:
    told = kubo("up", "--json", place=place)
    assert json.loads(told.stdout.splitlines()[-1]) == {
        "result": "error",
        "error": "HostError",
        "exit_code": 4,
        "messages": ["this host has no bridge; install one"],
    }


def test_an_unknown_option_of_a_provider_is_told_with_its_line_and_what_there_is(place: Path) -> None:
    with (place / "cluster.yml").open("a") as file:
        file.write("#\n")
    text = (place / "cluster.yml").read_text().replace("cpi: refusing", "cpi: {provider: refusing, raeson: x}")
    (place / "cluster.yml").write_text(text)
    told = kubo("plan", place=place)
    sentence = "kubo: cluster.yml:3: cpi.raeson is not known, did you mean 'reason'? known here: reason\n"
    assert (told.stderr, told.returncode) == (sentence, 2)


def test_an_exec_without_a_command_says_how(place: Path) -> None:
    told = kubo("exec", "worker/0", place=place)
    assert told.stderr == "kubo: exec needs a command; for example: kubo exec worker/0 -- uptime\n"
    assert told.returncode == 2


@pytest.mark.parametrize("answer", ["", "y\n", "demo2\n"])
def test_delete_needs_the_clusters_own_name(answer: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(answer))
    with pytest.raises(Cancelled, match="nothing was deleted"):
        confirm("demo")
    monkeypatch.setattr(sys, "stdin", io.StringIO("demo\n"))
    confirm("demo")


def test_status_shows_the_verdict_and_a_row_for_each_instance(capsys: pytest.CaptureFixture[str]) -> None:
    def instance(name: str, healthy: bool, **facts: str) -> InstanceStatus:
        role = name.split("/", maxsplit=1)[0]
        return InstanceStatus(
            instance=name, role=role, state="running", address="10.0.0.1", az="z1", healthy=healthy, facts=facts
        )

    show(
        ClusterStatus(
            cluster="kubo/demo",
            kubernetes="1.20.2",
            endpoint="https://10.0.0.9:8443",
            healthy=False,
            verdict="1 of 2 instances is not healthy",
            instances=(
                instance("etcd/0", True, etcd="leader"),
                instance("worker/0", False, node="NotReady", machine="ok"),
            ),
        )
    )
    assert capsys.readouterr().out.splitlines() == [
        "kubo/demo  Kubernetes 1.20.2  https://10.0.0.9:8443",
        "1 of 2 instances is not healthy",
        "INSTANCE  ROLE    STATE    ADDRESS   AZ  FACTS",
        "etcd/0    etcd    running  10.0.0.1  z1  etcd: leader",
        "worker/0  worker  running  10.0.0.1  z1  node: NotReady, machine: ok",
    ]
