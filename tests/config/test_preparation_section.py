"""The section ``preparation``: what is refused, and the files it names."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from kubo_sdk.config import from_mapping
from kubo_sdk.config.preparation import read_named_files
from kubo_sdk.errors import ConfigError


def spec(**preparation: Any) -> Any:
    return from_mapping({"name": "demo", "kubernetes": {"version": "1.20.2"}, "preparation": preparation})


CASES: dict[str, tuple[dict[str, Any], str]] = {
    "a source that is none": (
        {"packages": {"apt": ["http://m.example"]}},
        "packages.apt[0] is 'http://m.example'; write it as in sources.list: deb http://HOST/debian {codename} main",
    ),
    "a bundle that is not named": (
        {"packages": {"source": "bundle"}},
        "packages.bundle is missing; name the directory of .deb files that machines are sent",
    ),
    "sources nobody asks": (
        {"packages": {"source": "image", "apt": ["deb http://m/debian bookworm main"]}},
        "packages.apt is not used while source is image; write source: apt",
    ),
    "a password in the spec": (
        {"proxy": {"http": "http://me:secret@proxy.example:3128"}},
        "proxy.http holds a user name or password, and nothing secret stands in a spec; give them by credentials_file",
    ),
    "a registry twice": (
        {"registries": [{"host": "a.example"}, {"host": "a.example"}]},
        "registries[0].host is 'a.example' more than once; put all of it into one entry",
    ),
    "a release from nowhere": (
        {"release_url": "ftp://a.example/"},
        "release_url is 'ftp://a.example/'; it must be an http or https address",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_preparation_that_cannot_work_is_refused(case: str) -> None:
    section, sentence = CASES[case]
    with pytest.raises(ConfigError) as raised:
        spec(**section)
    assert f"preparation.{sentence}" in raised.value.problems
    assert "secret@" not in str(raised.value)


def test_a_source_may_have_options_and_a_placeholder() -> None:
    line = "deb [arch=amd64 trusted=yes] http://mirror.example/debian {codename} main contrib"
    assert spec(packages={"apt": [line]}).preparation.packages.apt == (line,)


def test_every_file_that_cannot_be_read_is_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "bad.key").write_text("no colon\n")
    wrong = spec(
        proxy={"http": "http://p.example", "credentials_file": "absent.key"},
        registries=[{"host": "r.example", "credentials_file": "bad.key"}],
    )
    with pytest.raises(ConfigError) as raised:
        read_named_files(wrong, tmp_path)
    assert raised.value.problems == (
        "preparation names the file absent.key, which cannot be read: No such file or directory",
        "preparation names the file bad.key, which must hold one line: USER:PASSWORD",
    )


def test_a_file_is_read_beside_the_spec_and_kept_secret(tmp_path: Path) -> None:
    (tmp_path / "proxy.key").write_text("me:pass:word\n")
    found = read_named_files(spec(proxy={"http": "http://p.example", "credentials_file": "proxy.key"}), tmp_path)
    assert found[Path("proxy.key")].reveal() == "me:pass:word"
    assert "pass:word" not in repr(found)
