"""The machines file: what it says, and everything that can be wrong with it, each with its line."""

from __future__ import annotations

from ipaddress import IPv4Address
from pathlib import Path

import pytest

from kubo_sdk.errors import ConfigError
from kubo_sdk_static.machines_file import read_machines

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFK1xTq3mRb1Tf0p4m5oC1xS7k2uV8yQ9wE0rT1yU2iO"
GOOD = f"""\
user: admin
key_file: keys/id
jump: {{host: 192.0.2.7, user: hop, host_keys: ["{KEY}"]}}
machines:
  - name: a
    address: 10.0.0.1
    host_keys: ["{KEY}"]
    labels: {{disk: ssd}}
  - name: b
    address: 10.0.0.2
    host: b.example
    port: 2222
    user: root
    zone: z2
    rack: r7
    key_file: /keys/b
    host_keys: ["{KEY} root@b"]
"""
BAD = f"""\
user: admin
port: 70000
colour: red
machines:
  - name: Upper
    address: 10.0.0.1
    host_keys: ["{KEY}"]
  - name: b
    address: 127.0.0.1
    host_keys: [nonsense]
  - name: c
    address: 10.0.0.1
    zone: ""
  - just a word
  - name: b
    adress: 10.0.0.4
    host_keys: ["{KEY}"]
  - name: d
    address: 10.0.0.5
    host: d.example
    port: 0
    host_keys: ["{KEY}"]
    labels: {{disk: 3}}
  - name: b
    address: 10.0.0.6
    host_keys: ["{KEY}"]
"""
WRONG = """\
2: port must be a port from 1 to 65535, not 70000
3: colour is not known; known here: jump, key_file, machines, port, user
5: machines[0].name must be a name of small letters, digits and dashes, not 'Upper'
9: machines[1].address must be where other machines reach it, which 127.0.0.1 is not
10: machines[1].host_keys[0] must be a public key such as 'ssh-ed25519 AAAA...', not 'nonsense'
11: machines[2].host_keys must hold the machine's public host key
12: machines[2].address must be its own: machines[0] has 10.0.0.1 already
13: machines[2].zone must not be empty; leave it out for z1
14: machines[3] must be a mapping with name and address
15: machines[4].address is missing; it must be an IPv4 address such as 10.0.0.1
16: machines[4].adress is not known, did you mean 'address'?
23: machines[5].labels.disk must be a text, not 3
24: machines[6].name must be its own: machines[1] has b already
"""


def write(home: Path, text: str) -> Path:
    path = home / "machines.yml"
    path.write_text(text)
    return path


def test_a_machine_has_what_holds_for_all_unless_it_says_otherwise(tmp_path: Path) -> None:
    file = read_machines(write(tmp_path, GOOD))
    first, second = file.machines
    assert (first.user, first.reached_at, first.zone) == ("admin", ("10.0.0.1", 22), "z1")
    assert first.key_file == tmp_path / "keys/id"
    assert (second.user, second.reached_at, second.zone, second.rack) == ("root", ("b.example", 2222), "z2", "r7")
    assert (second.address, second.key_file) == (IPv4Address("10.0.0.2"), Path("/keys/b"))
    assert file.jump is not None
    assert (file.jump.user, file.jump.key_file) == ("hop", tmp_path / "keys/id")


def test_everything_that_is_wrong_is_told_at_once_with_its_line(tmp_path: Path) -> None:
    path = write(tmp_path, BAD)
    with pytest.raises(ConfigError) as refused:
        read_machines(path)
    told = [problem.removeprefix(f"{path}:") for problem in refused.value.problems]
    expected = WRONG.splitlines()
    assert [problem[: len(line)] for problem, line in zip(told, expected, strict=True)] == expected


def test_a_port_of_one_machine_is_checked(tmp_path: Path) -> None:
    text = GOOD.replace("port: 2222", "port: 0")
    with pytest.raises(ConfigError, match=r"12: machines\[1\]\.port must be a port from 1 to 65535, not 0"):
        read_machines(write(tmp_path, text))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "machines is missing; it must be a list"),
        ("machines: []", "machines must list at least one machine"),
        ("machines: 3", "machines must be a list, not 3"),
        ("- a", "the file must hold a mapping"),
        ("machines: [", "this is not YAML as it should be"),
        (GOOD.replace(f'host_keys: ["{KEY}"]}}', "host_keys: []}"), "jump.host_keys must hold"),
        (GOOD.replace("b.example", "10.0.0.1").replace("2222", "22"), "must be its own: machines[0] has 10.0.0.1:22"),
    ],
)
def test_a_file_that_cannot_be_used_says_why(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(ConfigError) as refused:
        read_machines(write(tmp_path, text))
    assert told in str(refused.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there is no such file"):
        read_machines(tmp_path / "machines.yml")


def test_machines_without_keys_may_be_read_to_ask_for_their_keys(tmp_path: Path) -> None:
    text = "machines:\n  - {name: a, address: 10.0.0.1}\n"
    assert [machine.name for machine in read_machines(write(tmp_path, text), pinned=False).machines] == ["a"]
