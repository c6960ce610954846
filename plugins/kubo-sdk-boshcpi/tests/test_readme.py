"""The README says what the code does: every option with its default, and examples that are read as they stand."""

from __future__ import annotations

import json
import re
from enum import Enum
from pathlib import Path
from typing import Any

import attrs
import pytest
import yaml

from kubo_sdk.config import from_mapping, structure
from kubo_sdk.ports.cpi import DiskCpi
from kubo_sdk_boshcpi.config import BoshConfig, NetworkOption
from kubo_sdk_boshcpi.protocol import Request
from kubo_sdk_boshcpi.server.methods import methods
from kubo_sdk_boshcpi.server.settings import Defaults, Settings, read_settings

from .conftest import DEMO, Foreign

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, flags=re.DOTALL)


def rows() -> dict[str, str]:
    """The default of each option, as the first table tells it."""
    return dict(re.findall(r"^\| `(\w+)` \| (.*?) \| ", README, flags=re.MULTILINE))


def test_every_option_is_in_the_table_and_every_row_is_an_option() -> None:
    told = rows()
    assert set(told) == {field.name for field in attrs.fields(BoshConfig)}
    for field in attrs.fields(BoshConfig):
        assert (told[field.name] == "required") == (field.default is attrs.NOTHING)
        if isinstance(field.default, bool | int | float) and not isinstance(field.default, Enum):
            assert told[field.name] == f"`{json.dumps(field.default).removesuffix('.0')}`"


def test_the_keys_of_a_network_are_named() -> None:
    row = next(line for line in README.splitlines() if line.startswith("| `networks`"))
    assert {field.name for field in attrs.fields(NetworkOption)} <= set(re.findall(r"`(\w+)`", row))


def test_the_example_spec_is_read_as_it_stands() -> None:
    whole, chain = (yaml.safe_load(block) for block in blocks("yaml"))
    spec = from_mapping(whole)
    for options in (dict(spec.cpi.options), {key: chain["cpi"][key] for key in chain["cpi"] if key != "provider"}):
        config, problems = structure(BoshConfig, options, "cpi")
        assert (problems, config is None) == ((), False)


def test_the_examples_of_the_ledger_are_found(foreign: Foreign, prepared: DiskCpi) -> None:
    foreign.configure(unimplemented=["has_vm", "has_disk"])
    entries: list[dict[str, Any]] = [json.loads(block) for block in blocks("json")][:2]
    for entry in entries:
        directory = foreign.state_dir / "boshcpi" / "tests" / "demo" / f"{entry['kind']}s"
        directory.mkdir(parents=True, exist_ok=True)
        (directory / "by-hand.json").write_text(json.dumps({**entry, "director": "tests", "cluster": "demo"}))
    assert [vm.address for vm in prepared.list_vms(DEMO)] == ["10.0.4.12"]
    assert [disk.attached_to for disk in prepared.list_disks(DEMO)] == ["i-0456"]


def test_the_settings_of_kubo_cpi_are_read_as_they_stand(tmp_path: Path) -> None:
    path = tmp_path / "cpi.json"
    path.write_text(blocks("json")[2])
    settings = read_settings(path)
    assert set(json.loads(path.read_text())) == {field.name for field in attrs.fields(Settings)} - {"base_dir"}
    assert settings.defaults == Defaults()


@pytest.mark.parametrize("name", ["create_vm", "attach_disk", "kubo_list_vms", "update_disk"])
def test_methods_of_the_table_are_there(name: str) -> None:
    table = methods(Settings(provider="local", state_dir=Path("/s")), Request(method=name))
    assert name in table
    told = set(re.findall(r"`(\w+)`", README))
    assert {known for known in table if "network" not in known and "snapshot" not in known and known != "ping"} <= told
