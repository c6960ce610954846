"""``kubo plugin check``: run as an author runs it, on providers that are installed."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

HIDE_PYTEST = "import sys; sys.modules['pytest'] = None; from kubo_sdk.cli.main import main; sys.exit(main())"

BROKEN = """
from kubo_sdk import hookimpl
from kubo_sdk.builtin.hosts_config import HostsConfig
from kubo_sdk.builtin.hosts_dns import HostsDns
from kubo_sdk.ports.dns import Record
from kubo_sdk.ports.providers import DnsProvider


class Forgetful(HostsDns):
    def list_records(self):
        return (Record(name="a.contract.kubo.internal", type="A", values=("10.0.0.1",)),)


@hookimpl
def kubo_dns_providers():
    connect = lambda config, context: Forgetful()
    return [DnsProvider(name="forgetful", summary="forgets", config=HostsConfig, connect=connect)]
"""


NEEDY = """
from pathlib import Path
from attrs import frozen
from kubo_sdk import hookimpl
from kubo_sdk.builtin.hosts_dns import HostsDns
from kubo_sdk.ports.providers import DnsProvider


@frozen(kw_only=True)
class Config:
    path: Path


@hookimpl
def kubo_dns_providers():
    connect = lambda config, context: HostsDns()
    return [DnsProvider(name="needy", summary="needs a path", config=Config, connect=connect)]
"""


def run(command: list[str], cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *command],
        capture_output=True,
        check=False,
        cwd=cwd,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        text=True,
        timeout=120,
    )


def check(*arguments: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return run(["-m", "kubo_sdk", "plugin", "check", *arguments], cwd, **environment)


def install(directory: Path, source: str, name: str = "forgetful") -> str:
    """A distribution with a DNS provider; the value PYTHONPATH needs to find it."""
    metadata = directory / f"{name}-1.0.dist-info"
    metadata.mkdir(parents=True)
    (directory / f"{name}.py").write_text(source)
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(f"[kubo_sdk]\n{name} = {name}\n")
    return os.pathsep.join(filter(None, (str(directory), os.environ.get("PYTHONPATH", ""))))


def test_a_provider_that_keeps_its_contract_is_told_test_by_test_and_ends_with_zero(tmp_path: Path) -> None:
    told = check("ingress", "haproxy", cwd=tmp_path)
    assert (told.returncode, told.stderr) == (0, "")
    lines = told.stdout.splitlines()
    assert "passed  what runs on proxies follows the backends" in lines
    (skipped,) = [line for line in lines if line.endswith("IngressInfo.runs_on_proxies is True")]
    assert re.fullmatch(r"skipped +\d+  IngressInfo.runs_on_proxies is True", skipped)
    assert skipped in lines[-4:]
    assert lines[-1].startswith("ingress haproxy: ")
    assert ", 0 failed, " in lines[-1]


def test_a_provider_that_breaks_its_contract_is_told_with_what_was_found_and_ends_like_a_broken_plugin(
    tmp_path: Path,
) -> None:
    path = install(tmp_path / "site", BROKEN)
    told = check("dns", "forgetful", cwd=tmp_path, PYTHONPATH=path)
    assert told.returncode == 3
    assert "failed  where nothing is published nothing is kept" in told.stdout
    assert "('10.0.0.1',), ttl=60)" in told.stdout
    assert ", 1 failed, " in told.stdout.splitlines()[-1]


def test_the_report_as_json_is_all_there_is_on_standard_output(tmp_path: Path) -> None:
    path = install(tmp_path / "site", BROKEN)
    told = check("--json", "dns", "forgetful", cwd=tmp_path, PYTHONPATH=path)
    report = json.loads(told.stdout)
    assert (told.returncode, report["result"], report["failed"]) == (3, "failed", 1)
    (failed,) = [test for test in report["tests"] if test["outcome"] == "failed"]
    assert failed["name"] == "test_where_nothing_is_published_nothing_is_kept"
    assert "AssertionError" in failed["detail"]
    assert told.stderr == ""


def test_options_of_the_provider_and_of_the_suite_come_from_files(tmp_path: Path) -> None:
    options, suite = tmp_path / "options.yml", tmp_path / "suite.yml"
    options.write_text("key_algorithm: rsa-2048\n")
    suite.write_text("patience: 5\n")
    told = check("credential-store", "file", "--options", "options.yml", "--suite", "suite.yml", cwd=tmp_path)
    assert told.returncode == 0, told.stdout
    options.write_text("key_algoritm: rsa-2048\n")
    suite.write_text("patiense: 5\n")
    told = check("credential-store", "file", "--options", "options.yml", cwd=tmp_path)
    assert told.returncode == 2
    assert "did you mean 'key_algorithm'?" in told.stderr
    told = check("credential-store", "file", "--suite", "suite.yml", cwd=tmp_path)
    assert (told.returncode, told.stdout) == (2, "")
    assert "did you mean 'patience'?" in told.stderr
    told = check("credential-store", "file", "--suite", "absent.yml", cwd=tmp_path)
    assert told.returncode == 2
    assert told.stderr.startswith("kubo: absent.yml: there is no such file;")


def test_a_file_of_options_that_is_none_is_refused_with_what_belongs_there(tmp_path: Path) -> None:
    (tmp_path / "list.yml").write_text("- key_algorithm\n")
    (tmp_path / "comment.yml").write_text("# nothing yet\n")
    (tmp_path / "suite.yml").write_text("record_types: [A, MX]\n")
    told = check("dns", "hosts", "--options", "list.yml", cwd=tmp_path)
    assert (told.returncode, told.stdout) == (2, "")
    assert "list.yml:1: the file must hold a mapping, a line 'key: value' for each option, not " in told.stderr
    told = check("dns", "hosts", "--options", ".", cwd=tmp_path)
    assert (told.returncode, told.stderr) == (
        2,
        "kubo: .: this is a directory; name a YAML file with a mapping\n",
    )
    told = check("dns", "hosts", "--suite", "suite.yml", cwd=tmp_path)
    assert told.returncode == 2
    assert "MX is no type of record here; name some of A, AAAA, CNAME, TXT, SRV, PTR" in told.stderr
    assert check("dns", "hosts", "--options", "comment.yml", cwd=tmp_path).returncode == 0


def test_options_that_are_missing_are_told_with_the_way_to_give_them(tmp_path: Path) -> None:
    path = install(tmp_path / "site", NEEDY, "needy")
    told = check("dns", "needy", cwd=tmp_path, PYTHONPATH=path)
    assert told.returncode == 2
    assert told.stderr == (
        "kubo: dns.path is missing; it must be a path; write it into a YAML file and give that with --options\n"
    )


def test_without_pytest_one_sentence_says_what_to_install(tmp_path: Path) -> None:
    told = run(["-c", HIDE_PYTEST, "plugin", "check", "dns", "hosts"], tmp_path)
    assert (told.returncode, told.stdout) == (4, "")
    assert told.stderr == (
        "kubo: the contract suites need pytest, which is not installed; pip install 'kubo-sdk[testing]'\n"
    )


def test_a_provider_that_is_not_there_is_named_with_those_that_are(tmp_path: Path) -> None:
    told = check("dns", "host", cwd=tmp_path)
    assert told.returncode == 2
    assert "there is no DNS provider 'host', did you mean 'hosts'?" in told.stderr


def test_a_configuration_of_pytest_that_lies_about_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = --no-such-option\n")
    (tmp_path / "conftest.py").write_text("raise SystemExit('not for us')\n")
    assert check("dns", "hosts", cwd=tmp_path).returncode == 0
    assert {path.name for path in tmp_path.iterdir()} == {"pytest.ini", "conftest.py"}
