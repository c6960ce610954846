"""Executables that cannot be used, or do not answer: each is told in one sentence."""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from kubo_sdk.engine.retry import wait_until
from kubo_sdk.errors import ConfigError, HostError, KuboError, ProviderError, Unavailable
from kubo_sdk.ports.cpi import DiskCpi

from .conftest import DEMO, Foreign, make_executable, vm_request


def refused(foreign: Foreign, kind: type[KuboError], **options: Any) -> str:
    with pytest.raises(kind) as caught:
        foreign.connect(**options)
    sentence = str(caught.value)
    assert "\n" not in sentence
    return sentence


def script(foreign: Foreign, body: str) -> str:
    return str(make_executable(foreign.root / "other", f"#!/bin/sh\n{body}\n"))


def test_an_executable_that_is_missing(foreign: Foreign) -> None:
    said = refused(foreign, ConfigError, executable="/no/such/cpi")
    assert said == (
        "cpi bosh: executable: /no/such/cpi cannot be found (No such file or directory); "
        "install the CPI or correct the path"
    )


def test_an_executable_that_is_not_executable(foreign: Foreign) -> None:
    path = foreign.root / "plain"
    path.write_text("#!/bin/sh\n")
    assert "plain is not executable; make it so with chmod +x" in refused(foreign, ConfigError, executable=str(path))
    assert "is not executable" in refused(foreign, ConfigError, executable=str(foreign.root))


def test_an_executable_without_an_interpreter(foreign: Foreign) -> None:
    path = make_executable(foreign.root / "strange", "no interpreter\n")
    assert "strange cannot be started (Exec format error)" in refused(foreign, HostError, executable=str(path))


def test_an_executable_that_exits_without_json(foreign: Foreign) -> None:
    said = refused(foreign, ProviderError, executable=script(foreign, "echo 'no bundler' >&2; exit 3"))
    assert said == (
        "the answer of the BOSH CPI to info is empty (it ended with exit code 3, and last logged 'no bundler'); "
        "look into its log"
    )


def test_an_executable_that_prints_something_else(foreign: Foreign) -> None:
    said = refused(foreign, ProviderError, executable=script(foreign, "echo Starting"))
    assert said == "the answer of the BOSH CPI to info is not JSON (it ended with exit code 0); look into its log"


@pytest.mark.parametrize("version", ["3.1", '"two"', "0", "true", "null"])
def test_an_api_version_that_is_no_version(foreign: Foreign, version: str) -> None:
    answer = f'{{"result":{{"api_version":{version}}},"error":null,"log":""}}'
    said = refused(foreign, ProviderError, executable=script(foreign, f"echo '{answer}'"))
    assert "the BOSH CPI reports the unknown api_version" in said


def test_a_newer_executable_is_spoken_to_in_version_2(foreign: Foreign) -> None:
    foreign.configure(api_version=3)
    cpi = foreign.connect()
    cpi.prepare(DEMO)
    cpi.create_vm(vm_request())
    assert foreign.requests("create_vm")[0]["api_version"] == 2
    assert "api_version" not in foreign.requests("info")[0]


def test_an_executable_that_takes_too_long_is_killed_with_its_children(foreign: Foreign) -> None:
    sleeping = script(foreign, f"sleep 1000 & echo $! >{foreign.root}/child; trap '' TERM; wait; sleep 1000")
    said = refused(foreign, Unavailable, executable=sleeping, timeout=0.5)
    assert said == ("info of the BOSH CPI did not end within 0.5 s; look into its log or raise the option timeout")
    child = int((foreign.root / "child").read_text())
    wait_until(lambda: _is_dead(child) or None, what="the death of the child", timeout=10)


def _is_dead(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


@pytest.mark.parametrize(
    ("mode", "kind", "sentence"),
    [
        ("garbage", ProviderError, "the answer of the BOSH CPI to has_vm is not JSON"),
        ("close", ProviderError, "the answer of the BOSH CPI to has_vm is empty"),
        ("silent", ProviderError, "last logged 'bundler: command not found: cpi'"),
        ("unknown", ProviderError, "an error of the unknown type 'Bosh::Clouds::../Weather': it rains"),
        ("broken", ProviderError, "has_vm of the BOSH CPI failed: the cloud said no"),
    ],
)
def test_a_call_that_goes_wrong_is_told_in_one_sentence(
    foreign: Foreign, prepared: DiskCpi, mode: str, kind: type[KuboError], sentence: str
) -> None:
    prepared.create_vm(vm_request())
    foreign.next("has_vm", mode)
    with pytest.raises(kind) as caught:
        prepared.list_vms(DEMO)
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)
    assert "hunter2" not in str(caught.value)
    assert len(prepared.list_vms(DEMO)) == 1


def test_the_environment_is_scrubbed_of_all_but_what_options_name(
    foreign: Foreign, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hunter2")
    monkeypatch.setenv("https_proxy", "http://proxy")
    monkeypatch.setenv("HOME", "/home/me")
    foreign.connect(process_environment={"BOSH_JOBS_DIR": "/var/vcap/jobs"})
    seen = json.loads((foreign.root / "environment.json").read_text())
    assert set(seen) - {"TMPDIR", "PWD", "SHLVL", "OLDPWD", "_", "LC_CTYPE"} == {"PATH", "HOME", "BOSH_JOBS_DIR"}
    assert (seen["PATH"], seen["HOME"]) == ("/usr/sbin:/usr/bin:/sbin:/bin", "/home/me")


def test_what_it_logs_is_kept_without_secrets(foreign: Foreign, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        foreign.connect()
    assert "connecting with password=<redacted> to https://admin:<redacted>@cloud" in caplog.text
    assert "hunter2" not in caplog.text


def test_a_large_request_and_a_large_answer_arrive_whole(foreign: Foreign, prepared: DiskCpi) -> None:
    cpi = foreign.connect(env={"user_data": "x" * (3 << 20)}, stemcell="s")
    cpi.create_vm(vm_request())
    assert len(foreign.requests("create_vm")[0]["arguments"][5]["user_data"]) == 3 << 20


def test_a_keyboard_interrupt_ends_the_executable(foreign: Foreign, prepared: DiskCpi) -> None:
    foreign.next("create_vm", "hang")
    code = (
        "import sys, json, signal\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "from pathlib import Path\n"
        "from kubo_sdk_boshcpi.executable import Executable\n"
        "Executable(path=Path(sys.argv[1])).run(json.dumps({'method': 'create_vm', 'arguments': []}).encode(), 'x')\n"
    )
    process = subprocess.Popen([sys.executable, "-c", code, str(foreign.root / "cpi")], stderr=subprocess.PIPE)
    hanging = foreign.root / "hanging"
    wait_until(lambda: (hanging.exists() and hanging.read_text()) or None, what="the call", timeout=20)
    os.kill(process.pid, signal.SIGINT)
    process.communicate(timeout=20)
    assert process.returncode == -signal.SIGINT
    assert _is_dead(int(hanging.read_text()))
