"""What a foreign CPI is asked for: the arguments, made of the options and of the core's request."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from kubo_sdk.errors import ConfigError, QuotaExceeded
from kubo_sdk.model.spec import VmSize
from kubo_sdk.ports.cpi import DiskCpi, VmState

from .conftest import DEMO, Foreign, instance, vm_request

MANUAL = {
    "name": "private",
    "type": "manual",
    "range": "10.0.4.0/24",
    "gateway": "10.0.4.1",
    "first": "10.0.4.10",
    "last": "10.0.4.12",
    "dns": ["10.0.0.2"],
    "cloud_properties": {"subnet": "subnet-1"},
}


def created(foreign: Foreign, **options: Any) -> dict[str, Any]:
    """The request for a machine of a CPI with these options."""
    cpi = foreign.connect(**options)
    cpi.prepare(DEMO)
    cpi.create_vm(vm_request("worker/3", az="z2", tags=(("role", "worker"),)))
    return foreign.requests("create_vm")[-1]


def test_a_machine_is_asked_for_as_a_director_would(foreign: Foreign) -> None:
    request = created(foreign, director_uuid="d-1", context={"region": "eu"})
    agent, stemcell, properties, networks, disks, env = request["arguments"]
    assert len(agent) == 36
    assert (stemcell, properties, disks) == ("stemcell-1", {}, [])
    assert networks == {
        "default": {"type": "dynamic", "dns": [], "default": ["dns", "gateway"], "cloud_properties": {}}
    }
    assert env["bosh"]["group"] == "tests-demo-worker"
    assert env["bosh"]["groups"][:3] == ["tests", "demo", "worker"]
    assert env["bosh"]["tags"]["role"] == "worker"
    context = request["context"]
    assert context.pop("request_id").startswith("cpi-")
    assert context == {"region": "eu", "director_uuid": "d-1", "vm": {"stemcell": {"api_version": 2}}}
    assert list(request) == ["method", "arguments", "context", "api_version"]


def test_the_metadata_says_whose_machine_it_is(foreign: Foreign) -> None:
    created(foreign)
    (vm,) = foreign.has("vms").values()
    metadata = dict(vm["metadata"])
    assert metadata.pop("created_at")
    assert metadata == {
        "director": "tests",
        "deployment": "demo",
        "id": "worker/3",
        "job": "worker",
        "instance_group": "worker",
        "index": "3",
        "name": "worker/3",
        "kubo_token": "worker-3",
        "role": "worker",
    }


def test_cloud_properties_come_from_all_of_the_az_and_the_group_in_that_order(foreign: Foreign) -> None:
    cpi = foreign.connect(
        cloud_properties={"a": "all", "b": "all", "c": "all"}, azs={"z1": {"b": "az", "c": "az"}, "z2": {}}
    )
    cpi.prepare(DEMO)
    cpi.create_vm(vm_request(size=VmSize(cpus=2, memory_mb=4096, cloud_properties={"c": "group"})))
    properties = foreign.requests("create_vm")[0]["arguments"][2]
    assert properties == {"instance_type": "c2.m4096", "disk": 10240, "a": "all", "b": "az", "c": "group"}
    assert cpi.info().zones


def test_an_az_without_cloud_properties_is_refused_before_anything_is_made(foreign: Foreign) -> None:
    with pytest.raises(ConfigError, match="azs: the AZ 'z2' of worker/3 is missing; known: z1"):
        created(foreign, azs={"z1": {}})
    assert foreign.has("vms") == {}
    assert foreign.connect(azs={"z1": {}}).list_vms(DEMO) == ()


def test_a_size_the_cpi_cannot_calculate_is_left_to_the_cloud_properties(foreign: Foreign) -> None:
    foreign.configure(unimplemented=["calculate_vm_cloud_properties", "set_vm_metadata", "has_vm"])
    cpi = foreign.connect()
    cpi.prepare(DEMO)
    vm = cpi.create_vm(vm_request(size=VmSize(cpus=2, cloud_properties={"type": "m1"})))
    assert foreign.requests("create_vm")[0]["arguments"][2] == {"type": "m1"}
    assert cpi.list_vms(DEMO) == (vm,)


def test_the_env_of_the_options_goes_over_ours(foreign: Foreign) -> None:
    env = created(foreign, env={"bosh": {"password": "$6$x", "mbus": {"urls": ["nats://n"]}}, "mine": 1})
    told = env["arguments"][5]
    assert (told["mine"], told["bosh"]["password"], told["bosh"]["mbus"]) == (1, "$6$x", {"urls": ["nats://n"]})
    assert told["bosh"]["group"] == "tests-demo-worker"


def test_a_manual_network_gives_out_addresses_and_the_same_one_again(foreign: Foreign) -> None:
    cpi = foreign.connect(networks=[MANUAL])
    cpi.prepare(DEMO)
    vms = [cpi.create_vm(vm_request(f"worker/{index}")) for index in range(3)]
    assert [vm.address for vm in vms] == ["10.0.4.10", "10.0.4.11", "10.0.4.12"]
    assert foreign.requests("create_vm")[1]["arguments"][3] == {
        "private": {
            "type": "manual",
            "ip": "10.0.4.11",
            "netmask": "255.255.255.0",
            "gateway": "10.0.4.1",
            "dns": ["10.0.0.2"],
            "default": ["dns", "gateway"],
            "cloud_properties": {"subnet": "subnet-1"},
        }
    }
    with pytest.raises(QuotaExceeded, match="every address of the network 'private' is taken"):
        cpi.create_vm(vm_request("worker/3"))
    cpi.delete_vm(vms[0].id)
    cpi.delete_vm(vms[2].id)
    assert [cpi.create_vm(vm_request(f"worker/{index}")).address for index in (2, 0)] == ["10.0.4.12", "10.0.4.10"]


def test_networks_may_be_for_some_azs_only(foreign: Foreign) -> None:
    two = {"name": "two", "azs": ["z2"]}
    request = created(foreign, networks=[{"name": "one", "azs": ["z1"]}, two])
    assert list(request["arguments"][3]) == ["two"]
    with pytest.raises(ConfigError, match="none is for the AZ 'z3'"):
        foreign.connect(networks=[two]).create_vm(vm_request("worker/4", az="z3"))


def test_the_address_of_a_network_that_is_not_told_comes_from_the_address_command(foreign: Foreign) -> None:
    foreign.configure(dynamic_address=False)
    cpi = foreign.connect(address_command=["sh", "-c", "cat $0/address && echo second line", str(foreign.root)])
    cpi.prepare(DEMO)
    assert cpi.create_vm(vm_request()).address == ""
    (foreign.root / "address").write_text("10.1.2.3\n")
    assert [vm.address for vm in cpi.list_vms(DEMO)] == ["10.1.2.3"]
    (foreign.root / "address").unlink()
    assert [vm.address for vm in foreign.connect().list_vms(DEMO)] == ["10.1.2.3"]


def test_secrets_come_from_files_and_variables_and_are_nowhere_else(
    foreign: Foreign, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("CLOUD_KEY", "from the variable")
    (tmp_path / "password").write_text("from the file\n")
    cpi = foreign.connect(
        secrets={"key": {"variable": "CLOUD_KEY"}, "password": {"file": "password"}},
        context={"key": "((key))"},
        cloud_properties={"password": "p ((password))"},
        process_environment={"KEY": "((key))"},
    )
    cpi.prepare(DEMO)
    cpi.create_vm(vm_request(size=VmSize(cloud_properties={"group": ["((key))"]})))
    request = foreign.requests("create_vm")[0]
    assert request["context"]["key"] == "from the variable"
    assert request["arguments"][2] == {"password": "p from the file", "group": ["from the variable"]}
    written = [path.read_text() for path in foreign.state_dir.rglob("*") if path.is_file()]
    assert written
    assert not [text for text in [*written, repr(cpi)] if "from the" in text]


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"secrets": {"a": {"variable": "NOT_SET_ANYWHERE"}}}, "secret 'a': the environment variable NOT_SET_ANYWHERE"),
        ({"secrets": {"a": {"file": "nowhere"}}}, "nowhere cannot be read: No such file or directory"),
        ({"secrets": {"a": {}}}, "must have either file or variable"),
        ({"context": {"x": "((y))"}}, "context: there is no secret 'y'; known under secrets: none"),
        ({"shell_command": []}, "shell_command: must not be empty"),
        ({"api_version": 3}, "api_version: 3 is not known; it must be from 1 to 2"),
        ({"timeout": 0.0}, "timeout: 0 must be more than 0 seconds"),
        ({"networks": []}, "networks: must not be empty"),
        ({"networks": [{"name": "a"}, {"name": "a"}]}, "networks: 'a' stands there twice"),
        ({"networks": [{"name": "a", "type": "manual"}]}, "'a' is manual and must have range and gateway"),
        ({"networks": [{"name": "a", "gateway": "10.0.0.1"}]}, "'a' is dynamic and must not have gateway"),
        ({"networks": [{**MANUAL, "gateway": "10.9.9.9"}]}, "has the gateway 10.9.9.9, which is not in its range"),
        ({"networks": [{"name": "a", "azs": ["z9"]}], "azs": {"z1": {}}}, "names the AZ 'z9', which azs lacks"),
        ({"stemcell_image": "x.tgz"}, "stemcell_image: must not stand beside stemcell"),
    ],
)
def test_an_option_that_cannot_work_is_told_in_one_sentence(
    foreign: Foreign, options: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        foreign.connect(**options)
    assert sentence in str(caught.value)
    assert len(caught.value.problems) == 1


def test_an_image_is_uploaded_once_and_removed_after_the_last_cluster(foreign: Foreign, tmp_path: Path) -> None:
    (tmp_path / "image.tgz").write_bytes(b"image")
    options = {"stemcell": "", "stemcell_image": "image.tgz", "stemcell_properties": {"format": "raw"}}
    cpi = foreign.connect(**options)
    cpi.prepare(DEMO)
    foreign.connect(**options).prepare(DEMO)
    ((cid, stemcell),) = foreign.has("stemcells").items()
    assert stemcell["image"] == str(tmp_path / "image.tgz")
    vm = cpi.create_vm(vm_request())
    assert foreign.requests("create_vm")[0]["arguments"][1] == cid
    cpi.delete_vm(vm.id)
    cpi.dispose(DEMO)
    assert foreign.has("stemcells") == {}


def test_without_a_stemcell_preparing_says_what_to_do(foreign: Foreign) -> None:
    with pytest.raises(ConfigError, match="stemcell: is missing; give its cid, or the file to upload"):
        foreign.connect(stemcell="").prepare(DEMO)


def test_a_reboot_the_cpi_cannot_do_is_done_on_the_machine(foreign: Foreign) -> None:
    foreign.configure(unimplemented=["reboot_vm"])
    cpi = foreign.connect()
    cpi.prepare(DEMO)
    vm = cpi.create_vm(vm_request())
    cpi.reboot_vm(vm.id)
    (command,) = foreign.commands()
    assert command[:3] == [vm.id, "sh", "-c"]
    assert "reboot -f" in command[3]


def test_a_machine_that_vanished_is_not_listed_and_is_made_again(foreign: Foreign, prepared: DiskCpi) -> None:
    old = prepared.create_vm(vm_request())
    (foreign.root / "vms" / f"{old.id}.json").unlink()
    assert prepared.list_vms(DEMO) == ()
    new = prepared.create_vm(vm_request())
    assert (new.id != old.id, new.state) == (True, VmState.RUNNING)
    assert prepared.list_vms(DEMO) == (new,)
    assert instance("worker/0").id == new.instance
