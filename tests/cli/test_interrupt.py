"""Ctrl-C once stops gracefully, twice aborts."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest

from kubo_sdk.cli.interrupt import STOPPING, cancelling
from kubo_sdk.engine.cancel import CancelToken

# One write a line: two threads say something at the same moment.
GRACEFUL = """
import sys
from kubo_sdk.cli.interrupt import cancelling
from kubo_sdk.engine.cancel import CancelToken
from kubo_sdk.engine.clock import SystemClock
from kubo_sdk.errors import Cancelled
def say(text):
    sys.stdout.write(f"{text}\\n")
    sys.stdout.flush()
token = CancelToken()
try:
    with cancelling(token, say):
        say("ready")
        token.sleep(SystemClock(), 60)
except Cancelled as error:
    say(error)
    sys.exit(error.exit_code)
"""

STUBBORN = """
import threading
from kubo_sdk.cli.interrupt import cancelling
from kubo_sdk.engine.cancel import CancelToken
never = threading.Event()
threading.Thread(target=never.wait).start()  # as a step that does not end: it would keep the process alive
with cancelling(CancelToken(), lambda text: print(text, flush=True)):
    print("ready", flush=True)
    never.wait()
"""


@pytest.fixture
def processes() -> Iterator[list[subprocess.Popen[str]]]:
    started: list[subprocess.Popen[str]] = []
    yield started
    for process in started:
        process.kill()
        process.communicate()


def start(source: str, processes: list[subprocess.Popen[str]]) -> subprocess.Popen[str]:
    process = subprocess.Popen([sys.executable, "-c", source], stdout=subprocess.PIPE, text=True)
    processes.append(process)
    assert line(process) == "ready"
    return process


def line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


@pytest.mark.parametrize(("number", "reason"), [(signal.SIGINT, "Ctrl-C"), (signal.SIGTERM, "SIGTERM")])
def test_the_first_signal_cancels_and_says_so(
    number: signal.Signals, reason: str, processes: list[subprocess.Popen[str]]
) -> None:
    process = start(GRACEFUL, processes)
    process.send_signal(number)
    told = {line(process), line(process)}
    assert told == {STOPPING, f"stopped: {reason}; run the same command again to go on"}
    assert process.wait(30) == 130


def test_the_second_signal_aborts_whatever_still_runs(processes: list[subprocess.Popen[str]]) -> None:
    process = start(STUBBORN, processes)
    process.send_signal(signal.SIGINT)
    assert line(process) == STOPPING
    assert process.poll() is None
    process.send_signal(signal.SIGINT)
    assert process.wait(30) == 130


def test_afterwards_signals_and_threads_are_as_they_were() -> None:
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM), threading.active_count()
    token, notes = CancelToken(), list[str]()
    with cancelling(token, notes.append):
        assert signal.getsignal(signal.SIGINT) is not before[0]
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM), threading.active_count()) == before
    assert not token.is_cancelled
    assert notes == []
