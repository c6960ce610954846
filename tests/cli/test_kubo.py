"""The program itself, run as its users run it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import kubo_sdk
from kubo_sdk import errors
from kubo_sdk.cli.parser import EXIT_CODES, build_parser

DOCUMENT = Path(__file__).parents[2] / "docs" / "reference" / "cli.md"
COMMANDS = (
    "up",
    "plan",
    "status",
    "check",
    "heal",
    "monitor",
    "pause",
    "resume",
    "kubeconfig",
    "kubectl",
    "ssh",
    "exec",
    "logs",
    "delete",
    "tasks",
    "task",
    "plugins",
    "version",
)
HEAVY = ("attr", "cryptography", "importlib.metadata", "json", "logging", "pluggy", "rich", "yaml", "kubo_sdk.cluster")


def kubo(*arguments: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "kubo_sdk", *arguments],
        capture_output=True,
        check=False,
        cwd=cwd,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        text=True,
        timeout=60,
    )


@pytest.fixture
def wrong(tmp_path: Path) -> Path:
    path = tmp_path / "cluster.yml"
    path.write_text("name: demo\nkubernetes: {version: 1.20.2}\ninstance_groups: [{name: etcd, instances: 2}]\nx: 1\n")
    return path


def test_help_names_every_command_and_every_exit_code(tmp_path: Path) -> None:
    told = kubo("--help", cwd=tmp_path)
    assert told.returncode == 0
    for command in COMMANDS:
        assert re.search(rf"^    {command} ", told.stdout, re.MULTILINE)
    for code, meaning in EXIT_CODES.items():
        assert f"{code:>3}  {meaning}" in told.stdout


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_of_its_own(command: str, tmp_path: Path) -> None:
    assert f"usage: kubo {command}" in kubo(command, "--help", cwd=tmp_path).stdout


def test_help_imports_nothing_heavy(tmp_path: Path) -> None:
    program = (
        "import sys; sys.argv = ['kubo', '--help']; from kubo_sdk.cli.main import main\n"
        "try: main()\n"
        f"except SystemExit: print('heavy:', [name for name in {HEAVY!r} if name in sys.modules])"
    )
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, text=True, cwd=tmp_path)
    assert told.stdout.splitlines()[-1] == "heavy: []"


def test_a_command_line_that_makes_no_sense_ends_with_2(tmp_path: Path) -> None:
    for arguments in ((), ("upp",), ("ssh",), ("up", "--frobnicate"), ("logs", "worker/0", "-n", "many")):
        told = kubo(*arguments, cwd=tmp_path)
        assert told.returncode == 2
        assert "usage: kubo" in told.stderr


@pytest.mark.parametrize("command", ["up", "plan", "status", "kubeconfig", "delete --yes"])
def test_every_problem_of_a_bad_file_is_one_line(command: str, wrong: Path) -> None:
    told = kubo(*command.split(), cwd=wrong.parent)
    assert told.returncode == 2
    assert told.stdout == ""
    lines = told.stderr.splitlines()
    assert len(lines) == 4
    assert lines[-1].startswith("kubo: cluster.yml:4: x is not known; known here: backup, ")
    assert "kubo: cluster.yml:3: instance_groups[0].instances is 2, and 2 etcd members survive" in told.stderr


def test_with_json_the_problems_are_an_object_as_well(wrong: Path) -> None:
    told = kubo("--json", "up", cwd=wrong.parent)
    result = json.loads(told.stdout)
    assert (result["result"], result["error"], result["exit_code"]) == ("error", "ConfigError", 2)
    assert told.stderr.splitlines() == [f"kubo: {message}" for message in result["messages"]]


def test_a_missing_file_is_told_by_its_name(tmp_path: Path) -> None:
    told = kubo("plan", cwd=tmp_path)
    assert told.returncode == 2
    assert told.stderr == "kubo: cluster.yml: there is no such file; name the file that describes your cluster\n"
    for arguments in (("plan", "a.yml"), ("plan", "-f", "a.yml"), ("--file", "a.yml", "plan")):
        assert "kubo: a.yml: there is no such file" in kubo(*arguments, cwd=tmp_path).stderr


def test_two_files_are_one_too_many(tmp_path: Path) -> None:
    told = kubo("-f", "a.yml", "up", "b.yml", cwd=tmp_path)
    assert (told.returncode, told.stderr) == (2, "kubo: two spec files are given, b.yml and a.yml; name one\n")


def test_delete_acts_only_when_somebody_said_yes(tmp_path: Path) -> None:
    (tmp_path / "cluster.yml").write_text("name: demo\nkubernetes: {version: 1.20.2}\n")
    told = kubo("delete", "--state", str(tmp_path / "state"), cwd=tmp_path)
    assert told.returncode == 2
    assert told.stderr == "kubo: delete asks before it acts, and there is nobody to ask; add --yes\n"
    assert not (tmp_path / "state").exists()


def test_an_unknown_provider_is_answered_with_what_is_installed(tmp_path: Path) -> None:
    (tmp_path / "cluster.yml").write_text("name: demo\nkubernetes: {version: 1.20.2}\ncredential_store: fiel\n")
    told = kubo("plan", "--state", str(tmp_path / "state"), cwd=tmp_path)
    assert told.returncode == 2
    assert "there is no credential store 'fiel', did you mean 'file'? installed: " in told.stderr
    assert "Traceback" not in told.stderr


def test_plugins_json_lists_providers_with_their_options(tmp_path: Path) -> None:
    told = kubo("plugins", "--json", cwd=tmp_path)
    rows = json.loads(told.stdout)
    (file_store,) = [row for row in rows if (row["port"], row["name"]) == ("credential_store", "file")]
    assert (file_store["distribution"], file_store["plugin"], file_store["status"]) == ("kubo-sdk", "builtin", "ok")
    assert all({"name", "type", "required", "default"} == set(option) for option in file_store["options"])


def test_plugins_prints_aligned_columns_without_a_terminal(tmp_path: Path) -> None:
    lines = kubo("plugins", cwd=tmp_path, KUBO_DISABLE_PLUGINS="kubo-sdk-local").stdout.splitlines()
    assert lines[0].split() == ["PORT", "NAME", "DISTRIBUTION", "STATUS", "SUMMARY"]
    at = lines[0].index("STATUS")
    assert all(line[at - 1] == " " and line[at] != " " for line in lines)


def test_version_tells_the_distributions_version(tmp_path: Path) -> None:
    assert kubo("version", cwd=tmp_path).stdout.startswith(f"kubo {kubo_sdk.__version__}, Python 3.")
    assert json.loads(kubo("version", "--json", cwd=tmp_path).stdout)["kubo"] == kubo_sdk.__version__


def test_a_reader_that_leaves_early_causes_no_traceback(tmp_path: Path) -> None:
    command = f"{sys.executable} -m kubo_sdk plugins --json | true"
    told = subprocess.run(
        ["bash", "-c", command], capture_output=True, check=False, text=True, cwd=tmp_path, timeout=60
    )
    assert "Traceback" not in told.stderr
    assert "BrokenPipe" not in told.stderr


def test_every_error_has_an_exit_code_that_help_and_document_explain() -> None:
    classes = [
        value for value in vars(errors).values() if isinstance(value, type) and issubclass(value, errors.KuboError)
    ]
    assert {each.exit_code for each in classes} <= set(EXIT_CODES)
    text = DOCUMENT.read_text()
    for code, meaning in EXIT_CODES.items():
        assert f"| {code} | {meaning} |" in text.replace("`status`", "status")


def test_the_document_describes_every_command() -> None:
    text = DOCUMENT.read_text()
    for command in COMMANDS:
        assert re.search(rf"^\| `{command}[ `]", text, re.MULTILINE), command


def test_common_options_may_stand_on_both_sides_of_the_command() -> None:
    parser = build_parser()
    for arguments in (["--json", "--state", "/s", "-f", "x", "plan"], ["plan", "-f", "x", "--state", "/s", "--json"]):
        found = parser.parse_args(arguments)
        assert (found.json, found.state, found.file) == (True, Path("/s"), "x")
    assert (parser.parse_args(["plan"]).json, parser.parse_args(["plan"]).file) == (False, None)
