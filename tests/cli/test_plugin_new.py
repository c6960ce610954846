"""`kubo plugin new`: what it refuses, in one sentence each, and what it tells."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from kubo_sdk.cli.commands.plugin_new import write
from kubo_sdk.errors import HostError


def kubo(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "kubo_sdk", "plugin", "new", *arguments]
    environment = {**os.environ, "KUBO_PLUGINS": "", "KUBO_DISABLE_PLUGINS": ""}
    return subprocess.run(command, capture_output=True, check=False, cwd=cwd, env=environment, text=True, timeout=60)


def refusal(*arguments: str, cwd: Path, code: int = 2) -> str:
    """The one sentence on standard error."""
    told = kubo(*arguments, cwd=cwd)
    assert told.returncode == code, told.stderr
    (line,) = told.stderr.splitlines()
    return line.removeprefix("kubo: ")


@pytest.mark.parametrize("name", ["Acme", "acme_dns", "1dns", "-dns", "acme--dns", "dns-", "../dns", "a b", ""])
def test_a_name_that_no_distribution_should_have_is_refused(name: str, tmp_path: Path) -> None:
    told = refusal("--port", "dns", "--", name, cwd=tmp_path)
    assert told == (
        f"a plugin cannot be called {name!r}; use small letters, digits and dashes, beginning with a letter"
    )
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["class", "json", "tests", "kubo-sdk"])
def test_a_name_whose_module_would_hide_another_is_refused(name: str, tmp_path: Path) -> None:
    told = refusal(name, "--port", "dns", cwd=tmp_path)
    assert told == f"a plugin cannot be called {name!r}: Python or kubo uses that name; add a word, as in 'my-{name}'"


def test_a_name_that_a_provider_of_the_port_has_is_refused_and_another_port_may_have_it(tmp_path: Path) -> None:
    told = refusal("hosts", "--port", "dns", cwd=tmp_path)
    assert told.startswith("there is a DNS provider 'hosts' already, from kubo-sdk 0.")
    assert told.endswith("; choose another name")
    assert kubo("hosts", "--port", "ingress", cwd=tmp_path).returncode == 0


def test_a_directory_that_is_there_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "acme").mkdir()
    told = refusal("acme", "--port", "dns", cwd=tmp_path)
    assert told == "acme is there already; remove it, or name another with --directory"
    assert not list((tmp_path / "acme").iterdir())


def test_a_directory_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    told = refusal("acme", "--port", "dns", "--directory", "file/below", cwd=tmp_path, code=4)
    assert told == "file/below cannot be made: Not a directory; name another with --directory"


def test_what_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(HostError, match=r"cannot be written: File exists; name another"):
        write(tmp_path / "acme", {"README.md": "a file", "README.md/deep": "is in the way"})
    assert not (tmp_path / "acme").exists()


def test_a_port_that_there_is_not_is_refused_with_those_there_are(tmp_path: Path) -> None:
    told = kubo("acme", "--port", "storage", cwd=tmp_path)
    assert told.returncode == 2
    assert (
        "invalid choice: 'storage' (choose from 'cluster-dns', 'cpi', 'credential-store', 'dns', 'ingress', 'overlay')"
        in told.stderr
    )


def test_it_tells_what_to_do_next_and_nothing_else_is_needed(tmp_path: Path) -> None:
    told = kubo("acme-dns", "--port", "dns", "--directory", "work/acme", cwd=tmp_path)
    assert told.stdout.splitlines()[0] == "work/acme holds the DNS provider 'acme-dns': 7 files"
    assert (tmp_path / "work/acme/acme_dns/provider.py").is_file()


def test_json_names_the_files(tmp_path: Path) -> None:
    told = json.loads(kubo("acme", "--port", "credential-store", "--json", cwd=tmp_path).stdout)
    assert (told["result"], told["port"], told["directory"]) == ("done", "credential_store", "acme")
    assert all((tmp_path / "acme" / path).is_file() for path in told["files"])
