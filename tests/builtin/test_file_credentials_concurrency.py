"""The file credential store under threads, processes, forks and SIGKILL."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from kubo_sdk.builtin.file_credentials.key_file import OwnKeyFile
from kubo_sdk.builtin.file_credentials.store import FileCredentialStore
from kubo_sdk.model.secret import Secret
from kubo_sdk.ports.credentials import CertificateParameters, Kind, PasswordParameters, Text

WRITER = Path(__file__).with_name("credential_writer.py")

Start = Callable[..., "subprocess.Popen[str]"]


def open_store(directory: Path) -> FileCredentialStore:
    path = directory / "credentials.db"
    return FileCredentialStore(path, OwnKeyFile(path=path.with_suffix(".key"), database=path))


def integrity(directory: Path) -> str:
    connection = sqlite3.connect(directory / "credentials.db")
    try:
        return str(connection.execute("PRAGMA integrity_check").fetchone()[0])
    finally:
        connection.close()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start a writer and wait until it is ready."""
    started: list[subprocess.Popen[str]] = []

    def start(what: str, own: str, times: int) -> subprocess.Popen[str]:
        command = [sys.executable, str(WRITER), what, str(tmp_path), own, str(times)]
        started.append(subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout):
            stream.close()


def release(processes: list[subprocess.Popen[str]]) -> None:
    """Let all of them go at the same time."""
    for process in processes:
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        process.stdin.write("\n")
        process.stdin.flush()


def finish(processes: list[subprocess.Popen[str]]) -> list[list[str]]:
    """The lines of each; every one must have ended well."""
    with ThreadPoolExecutor(len(processes)) as pool:
        lines = list(pool.map(lambda process: process.stdout.read().splitlines(), processes))
    assert [process.wait() for process in processes] == [0] * len(processes)
    return lines


def test_forty_threads_generate_one_cluster(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    store.generate("/k/c/ca", CertificateParameters(common_name="ca", is_ca=True))

    def generate(number: int) -> str:
        return store.generate(f"/k/c/{number % 20}", CertificateParameters(common_name="x", ca="/k/c/ca")).version

    with ThreadPoolExecutor(40) as pool:
        versions = list(pool.map(generate, range(40)))
    assert versions[:20] == versions[20:]
    assert len(set(versions)) == 20


def test_threads_that_make_and_remove_the_files_do_not_lose_each_others_writes(tmp_path: Path) -> None:
    stores = [open_store(tmp_path) for _ in range(3)]

    def churn(number: int) -> None:
        store, name = stores[number % 3], f"/k/{number}/x"
        for _ in range(15):
            made = store.generate(name, PasswordParameters())
            assert store.get(name) == made
            store.delete(name)

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(churn, range(6)))
    assert list(tmp_path.iterdir()) == []


def test_processes_that_generate_the_same_names_agree(start: Start, tmp_path: Path) -> None:
    processes = [start("agree", str(number), 12) for number in range(4)]
    release(processes)
    lines = finish(processes)
    assert len(lines[0]) == 12
    assert all(each == lines[0] for each in lines)
    assert len(open_store(tmp_path).find("/k/c")) == 24


def test_processes_lose_no_write_of_each_other(start: Start, tmp_path: Path) -> None:
    processes = [start("write", str(number), 15) for number in range(3)]
    release(processes)
    store = open_store(tmp_path)
    for name, version in (line.split() for lines in finish(processes) for line in lines):
        assert version in {found.version for found in store.list_versions(name)}
    assert integrity(tmp_path) == "ok"


def test_processes_that_make_and_remove_the_files_do_not_lose_each_others_writes(start: Start, tmp_path: Path) -> None:
    processes = [start("churn", str(number), 30) for number in range(3)]
    release(processes)
    assert [len(lines) for lines in finish(processes)] == [30, 30, 30]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("seed", range(6))
def test_a_killed_process_loses_nothing_it_was_told_is_stored(start: Start, tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    processes = [start("write", str(number), 10_000) for number in range(2)]
    release(processes)
    acknowledged: list[list[str]] = []
    for process in processes:
        acknowledged += [process.stdout.readline().split() for _ in range(chance.randrange(1, 25))]
        process.send_signal(signal.SIGKILL)
        acknowledged += [line.split() for line in process.stdout if line.endswith("\n")]
    store = open_store(tmp_path)
    for name, version in acknowledged:
        assert version in {found.version for found in store.list_versions(name)}
    assert integrity(tmp_path) == "ok"
    for summary in store.find("/"):
        store.delete(summary.name)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("seed", range(6))
def test_whatever_a_killed_process_leaves_goes_with_the_next_delete(start: Start, tmp_path: Path, seed: int) -> None:
    process = start("churn", "x", 10_000)
    release([process])
    for _ in range(random.Random(seed).randrange(1, 15)):
        process.stdout.readline()
    process.kill()
    process.wait()
    store = open_store(tmp_path)
    for summary in store.find("/"):
        assert store.get(summary.name).kind is Kind.PASSWORD
        store.delete(summary.name)
    assert list(tmp_path.iterdir()) == []


def test_a_forked_child_and_its_parent_use_the_store_independently(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    store.put("/k/c/before", Kind.VALUE, Text(text=Secret("before")))
    child = os.fork()
    if child == 0:
        try:
            for number in range(10):
                store.put("/k/c/child", Kind.VALUE, Text(text=Secret(str(number))))
            os._exit(0 if store.get("/k/c/before").value.text.reveal() == "before" else 1)
        finally:
            os._exit(2)
    for number in range(10):
        store.put("/k/c/parent", Kind.VALUE, Text(text=Secret(str(number))))
    assert os.waitpid(child, 0)[1] == 0
    assert len(store.list_versions("/k/c/child")) == len(store.list_versions("/k/c/parent")) == 10
