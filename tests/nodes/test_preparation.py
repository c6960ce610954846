"""What a preparation is called and ordered, and what containerd is told of registries and proxies.  Pure."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from kubo_sdk.model.preparation_spec import PackagesSpec, ProxySpec, RegistrySpec
from kubo_sdk.model.secret import Secret
from kubo_sdk.nodes.preparation import Preparation, orders
from kubo_sdk.nodes.registries import proxy_urls, registry_config, registry_files

KEY, AUTHORITY = Path("h.key"), Path("h.crt")
NAMED = {KEY: Secret('me:pass"word'), AUTHORITY: Secret("-----BEGIN CERTIFICATE-----")}
REGISTRIES = (
    RegistrySpec(host="registry.k8s.io", mirrors=("https://harbor.example/v2/k8s/", "http://10.0.0.9:5000")),
    RegistrySpec(host="harbor.example", ca_file=AUTHORITY, credentials_file=KEY),
    RegistrySpec(host="*", mirrors=("https://harbor.example",)),
)


def order(wanted: Preparation, word: str) -> list[str]:
    lines = orders(wanted, now=1.5).decode().splitlines()
    return [line.partition(" ")[2] for line in lines if line.startswith(f"{word} ")]


def test_a_preparation_is_called_by_what_it_leaves_on_the_machine() -> None:
    one = Preparation(packages=("a", "b"), source=PackagesSpec())
    elsewhere = Preparation(packages=("a", "b"), source=PackagesSpec(apt=("deb http://m/ ./",)))
    more = Preparation(packages=("a", "b", "c"), source=PackagesSpec())
    assert one.digest == elsewhere.digest != more.digest


@pytest.mark.parametrize(
    ("line", "signed"),
    [
        ("deb http://m/debian x main", "deb [signed-by=/var/lib/kubo/apt/key.asc] http://m/debian x main"),
        ("deb [arch=amd64] http://m/ ./", "deb [arch=amd64 signed-by=/var/lib/kubo/apt/key.asc] http://m/ ./"),
        ("deb [signed-by=/etc/k.gpg] http://m/ ./", "deb [signed-by=/etc/k.gpg] http://m/ ./"),
    ],
)
def test_a_key_signs_the_sources_that_name_none(line: str, signed: str) -> None:
    key = Secret("-----BEGIN PGP PUBLIC KEY BLOCK-----")
    wanted = Preparation(packages=("a",), source=PackagesSpec(apt=(line,)), key=key)
    assert order(wanted, "apt") == [signed]
    assert order(wanted, "key")[0].startswith("asc ")


def test_the_key_of_a_proxy_is_escaped_where_it_stands_in_an_address() -> None:
    proxy = ProxySpec(http="http://p.example:3128", credentials_file=KEY)
    assert {name: url.reveal() for name, url in proxy_urls(proxy, NAMED).items()} == {
        "http_proxy": "http://me:pass%22word@p.example:3128"
    }


def test_containerd_asks_mirrors_first_and_trusts_who_it_should() -> None:
    files = {file.path: file.data().decode() for file in registry_files(REGISTRIES, NAMED)}
    hosts = tomllib.loads(files["/etc/containerd/certs.d/registry.k8s.io/hosts.toml"])
    assert hosts["server"] == "https://registry.k8s.io"
    assert list(hosts["host"]) == ["https://harbor.example/v2/k8s", "http://10.0.0.9:5000"]
    mirror = hosts["host"]["https://harbor.example/v2/k8s"]
    assert mirror["override_path"]
    assert mirror["ca"] == "/etc/containerd/certs.d/harbor.example/ca.crt"
    assert "server" not in tomllib.loads(files["/etc/containerd/certs.d/_default/hosts.toml"])
    assert files[mirror["ca"]] == "-----BEGIN CERTIFICATE-----"


def test_a_password_is_in_the_config_alone_and_makes_it_secret() -> None:
    text, is_secret = registry_config(REGISTRIES, NAMED)
    registry = tomllib.loads(text)["plugins"]["io.containerd.grpc.v1.cri"]["registry"]
    assert registry["configs"]["harbor.example"]["auth"] == {"username": "me", "password": 'pass"word'}
    assert is_secret
    assert not registry_config(REGISTRIES[:1], NAMED)[1]
    assert registry_config((), NAMED) == ("", False)
