"""The command ``kubo-cpi`` towards a director.  Behind it is the provider `bosh` with a foreign CPI: no root needed."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from kubo_sdk_boshcpi.protocol import CLOUDS

from .conftest import Chain, Foreign
from .director import AGENT, DYNAMIC, ENV, CpiFailed, Director


@pytest.fixture
def settings(foreign: Foreign, tmp_path: Path) -> Path:
    path = tmp_path / "cpi.json"
    options = {**foreign.options, "context": {"cloud_password": "hunter2-in-the-options"}, "disk_device": "/dev/sdb"}
    path.write_text(json.dumps({"provider": "bosh", "options": options, "state_dir": "behind"}))
    return path


@pytest.fixture
def director(settings: Path) -> Director:
    return Director((Chain(settings.parent).command, str(settings)))


def refusal(director: Director, method: str, *arguments: Any, **context: Any) -> CpiFailed:
    with pytest.raises(CpiFailed) as caught:
        director.call(method, *arguments, **context)
    return caught.value


def test_info_is_answered_without_a_version_and_says_the_highest(director: Director) -> None:
    told = Director(director.command, api_version=None).call("info")
    assert (told["api_version"], told["stemcell_formats"]) == (2, ["kubo-light"])
    assert director.call("ping") == "pong"


def test_info_needs_nothing_of_the_cpi_behind(settings: Path, director: Director) -> None:
    content = json.loads(settings.read_text())
    content["options"]["executable"] = "/no/such/cpi"
    settings.write_text(json.dumps(content))
    assert director.call("info") == {"api_version": 2, "stemcell_formats": ["kubo-light"]}
    error = refusal(director, "has_vm", "dir/dep:x")
    assert error.type == f"{CLOUDS}CpiError"
    assert "/no/such/cpi cannot be found" in error.message


def test_a_director_makes_finds_and_removes_a_machine_with_a_disk(director: Director, foreign: Foreign) -> None:
    assert director.call("create_stemcell", "/image", {}) == "kubo"
    vm, networks = director.create_vm(cpus=2, memory_mb=512, az="z2", other="kept")
    assert vm.startswith("dir/dep:i-")
    assert networks["private"]["ip"] == "10.9.0.1"
    assert networks["private"]["type"] == "dynamic"
    assert director.call("has_vm", vm) is True
    assert director.call("set_vm_metadata", vm, {"job": "worker", "index": "0"}) is None
    disk = director.call("create_disk", 100, {}, vm)
    assert disk.startswith("dir/dep:vol-")
    assert director.call("has_disk", disk) is True
    assert director.call("attach_disk", vm, disk) == "/var/lib/kubo/disk"
    assert director.call("get_disks", vm) == [disk]
    assert director.call("detach_disk", vm, disk) is None
    assert director.call("get_disks", vm) == []
    assert director.call("reboot_vm", vm) is None
    (made,) = foreign.has("vms").values()
    assert (made["boots"], made["cloud_properties"]["other"]) == (1, "kept")
    assert made["cloud_properties"]["instance_type"] == "c2.m512"
    assert made["env"]["bosh"]["groups"][:3] == ["dir", "dep", "worker"]
    assert made["env"]["bosh"]["tags"]["team"] == "a"
    for method, cid in (("delete_vm", vm), ("delete_vm", vm), ("delete_disk", disk), ("delete_disk", disk)):
        assert director.call(method, cid) is None
    assert (director.call("has_vm", vm), director.call("has_disk", disk)) == (False, False)
    assert director.call("delete_stemcell", "kubo") is None
    assert (foreign.has("vms"), foreign.has("disks")) == ({}, {})


def test_version_1_gets_a_cid_alone_and_no_hint(director: Director) -> None:
    old = Director(director.command, api_version=None)
    vm = old.create_vm()
    assert isinstance(vm, str)
    disk = old.call("create_disk", 100, {}, vm)
    assert old.call("attach_disk", vm, disk) is None
    old.call("delete_vm", vm)
    old.call("delete_disk", disk)


def test_the_same_agent_id_is_the_same_machine_and_another_is_another(director: Director) -> None:
    first, again = director.create_vm(), director.create_vm()
    other = director.create_vm("11111111-3b0e-4b7c-9d7e-2a1c7b1d9f10")
    assert first == again
    assert other[0] != first[0]
    for vm, _ in (first, other):
        director.call("delete_vm", vm)


def test_names_that_are_no_names_here_are_made_into_some(director: Director) -> None:
    env = {"bosh": {"groups": ["../My BOSH", "de/p", "worker", "x"]}}
    vm, _ = director.call("create_vm", AGENT, "kubo", {}, DYNAMIC, [], env)
    assert vm.startswith("My-BOSH/de-p:i-")
    assert director.call("has_vm", vm) is True
    director.call("delete_vm", vm)


def test_a_machine_without_groups_is_of_the_cluster_its_cloud_properties_name(director: Director) -> None:
    properties = {"director": "mine", "cluster": "one", "group": "etcd"}
    vm, _ = director.call("create_vm", AGENT, "kubo", properties, DYNAMIC, [], {})
    assert vm.startswith("mine/one:i-")
    bare, _ = director.call("create_vm", AGENT, "kubo", {}, DYNAMIC, [], {})
    assert bare.startswith("bosh/default:i-")
    for cid in (vm, bare):
        director.call("delete_vm", cid)


def test_a_size_becomes_cloud_properties(director: Director) -> None:
    wanted = {"cpu": 2, "ram": 4096, "ephemeral_disk_size": 20480}
    told = director.call("calculate_vm_cloud_properties", wanted)
    assert told == {"cpus": 2, "memory_mb": 4096, "ephemeral_disk_mb": 20480}


@pytest.mark.parametrize(
    ("method", "arguments", "type"),
    [
        ("reboot_vm", ["dir/dep:i-none"], "VMNotFound"),
        ("reboot_vm", ["no cid of ours"], "VMNotFound"),
        ("reboot_vm", ["../..:i-none"], "VMNotFound"),
        ("set_vm_metadata", ["dir/dep:i-none", {}], "VMNotFound"),
        ("get_disks", ["dir/dep:i-none"], "VMNotFound"),
        ("attach_disk", ["dir/dep:i-none", "dir/dep:vol-none"], "VMNotFound"),
        ("detach_disk", ["dir/dep:i-none", "dir/dep:vol-none"], "VMNotFound"),
        ("set_disk_metadata", ["dir/dep:vol-none", {}], "DiskNotFound"),
        ("resize_disk", ["dir/dep:vol-none", 1], "NotSupported"),
        ("update_disk", ["dir/dep:vol-none", 1, {}], "NotSupported"),
        ("snapshot_disk", ["dir/dep:vol-none", {}], "NotSupported"),
        ("delete_snapshot", ["snap"], "NotSupported"),
        ("create_network", [{}], "NotSupported"),
        ("delete_network", ["net"], "NotSupported"),
        ("configure_networks", ["dir/dep:i-none", {}], "NotSupported"),
        ("current_vm_id", [], "NotImplemented"),
        ("no_such_method", [], "NotImplemented"),
        ("__class__", [], "NotImplemented"),
        ("has_vm", [], "CpiError"),
        ("has_vm", ["a", "b"], "CpiError"),
        ("calculate_vm_cloud_properties", [{"cpu": "many"}], "CpiError"),
        ("create_vm", [AGENT, "kubo", {"role": "king"}, DYNAMIC, [], ENV], "CpiError"),
        ("create_vm", [AGENT, "kubo", {}, {"a": {"type": "manual", "ip": "10.0.0.5"}}, [], ENV], "NotSupported"),
    ],
)
def test_what_cannot_be_done_has_the_type_a_director_expects(
    director: Director, method: str, arguments: list[Any], type: str
) -> None:
    error = refusal(director, method, *arguments)
    assert (error.type, error.ok_to_retry) == (f"{CLOUDS}{type}", False)
    assert "\n" not in error.message
    assert "Traceback" not in error.message


def test_a_creation_that_may_succeed_later_says_so(director: Director, foreign: Foreign) -> None:
    foreign.next("create_vm", "retry")
    error = refusal(director, "create_vm", AGENT, "kubo", {}, DYNAMIC, [], ENV)
    assert (error.type, error.ok_to_retry) == (f"{CLOUDS}VMCreationFailed", True)
    vm, _ = director.create_vm()
    director.call("delete_vm", vm)


def test_no_room_is_no_reason_to_try_again(director: Director, foreign: Foreign) -> None:
    foreign.configure(vm_quota=0)
    error = refusal(director, "create_vm", AGENT, "kubo", {}, DYNAMIC, [], ENV)
    assert (error.type, error.ok_to_retry) == (f"{CLOUDS}VMCreationFailed", False)


@pytest.mark.parametrize(
    ("content", "type", "message"),
    [
        (b"", "CpiError", "the request is empty"),
        (b"{", "CpiError", "the request is not JSON"),
        (b'{"arguments":[]}', "CpiError", "the request has no method"),
        (b'{"method":"info"}', "CpiError", "the request has no list of arguments"),
        (
            b'{"method":"info","arguments":[],"api_version":9}',
            "NotImplemented",
            "api_version 9 is not known; the highest is 2",
        ),
    ],
)
def test_a_broken_request_gets_a_whole_response(director: Director, content: bytes, type: str, message: str) -> None:
    response, _ = director.send(content)
    assert response["result"] is None
    assert response["error"] == {"type": f"{CLOUDS}{type}", "message": message, "ok_to_retry": False}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "cpi.json cannot be read: No such file or directory"),
        ("{", "cpi.json is not JSON"),
        ("[]", "cpi.json must hold a JSON object"),
        ('{"state_dir":"s"}', "provider is missing"),
        ('{"provider":"bosch","state_dir":"s"}', "there is no CPI 'bosch', did you mean 'bosh'?"),
        ('{"provider":"local","options":{"subnett":1},"state_dir":"s"}', "options.subnett is not known"),
    ],
)
def test_settings_that_cannot_work_are_told_in_the_response(
    settings: Path, director: Director, content: str | None, message: str
) -> None:
    settings.unlink()
    if content is not None:
        settings.write_text(content)
    error = refusal(director, "has_vm", "dir/dep:x")
    assert error.type == f"{CLOUDS}CpiError"
    assert message in error.message


def test_its_log_tells_what_happened_and_no_secret(director: Director, foreign: Foreign) -> None:
    foreign.next("create_vm", "broken")
    request = {"method": "create_vm", "arguments": [AGENT, "kubo", {}, DYNAMIC, [], ENV], "context": {}}
    response, stderr = director.send(json.dumps({**request, "api_version": 2}).encode())
    assert "create_vm" in response["log"]
    assert "the cloud said no" in response["error"]["message"]
    assert "hunter2" not in json.dumps(response) + stderr


def test_a_command_line_that_makes_no_sense_says_how_it_is_used(director: Director) -> None:
    done = subprocess.run([director.command[0], "--help"], capture_output=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith(b"usage: kubo-cpi CONFIG")
