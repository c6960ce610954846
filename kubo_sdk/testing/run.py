"""Runs the suite of a port against one provider, without a test module: what ``kubo plugin check`` does."""

from __future__ import annotations

import tempfile
import time
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from kubo_sdk.errors import PluginError
from kubo_sdk.ports.node import NodeContributor
from kubo_sdk.testing.report import FAILED, PASSED, SKIPPED, SuiteReport, TestResult
from kubo_sdk.testing.subject import Subject

SUITES = {
    "cpi": "TestCpi",
    "credential_store": "TestCredentialStore",
    "dns": "TestDns",
    "overlay": "TestOverlay",
    "ingress": "TestIngress",
    "cluster_dns": "TestClusterDns",
}
# The suites of the other ports look at contributions themselves.
CONTRIBUTING = ("cpi", "credential_store")
_MODULE = Path(__file__).with_name("connected_suites.py")
_NOT_RUN = frozenset({pytest.ExitCode.INTERNAL_ERROR, pytest.ExitCode.USAGE_ERROR})

OnResult = Callable[[TestResult], object]


def run_suite(subject: Subject, on_result: OnResult = lambda _: None) -> SuiteReport:
    """Connect the provider and run its port's suite.  *on_result* hears of every test as it ends.

    Whatever makes the provider unusable is raised before anything is run.  KeyboardInterrupt stops the suite, which
    removes what it made and raises it again.
    """
    suites = [SUITES[subject.port]]
    contributes = isinstance(subject.connect(), NodeContributor)
    if contributes and subject.port in CONTRIBUTING:
        suites.append("TestContribution")
    started = time.monotonic()
    collector = Collector(on_result, SubjectFixture(subject))
    collector.run([f"{_MODULE}::{suite}" for suite in suites])
    return SuiteReport(
        port=subject.port,
        provider=subject.provider,
        results=tuple(collector.results),
        notes=tuple(dict.fromkeys(collector.notes)),
        seconds=time.monotonic() - started,
    )


class SubjectFixture:
    """A pytest plugin with the fixture ``subject``."""

    def __init__(self, subject: Subject) -> None:
        self._subject = subject

    @pytest.fixture
    def subject(self) -> Subject:
        """The provider to be judged."""
        return self._subject


class Collector:
    """A pytest plugin that keeps every result, and the run it listens to.  *others* are plugins that run with it."""

    def __init__(self, on_result: OnResult = lambda _: None, *others: object) -> None:
        self.results: list[TestResult] = []
        self.notes: list[str] = []
        self._on_result = on_result
        self._others = others
        self._parts: list[pytest.TestReport] = []
        self._interrupted = False

    def run(self, arguments: Sequence[str]) -> None:
        """Run pytest in this process, apart from whatever configuration lies about."""
        with tempfile.TemporaryDirectory(prefix="kubo-check-", ignore_cleanup_errors=True) as directory:
            configuration = Path(directory, "pytest.ini")
            configuration.write_text("[pytest]\nverbosity_assertions = 1\n", encoding="utf-8")
            apart = ["-c", str(configuration), "--rootdir", directory, "--noconftest", "--import-mode=importlib"]
            quiet = ["-p", "no:terminal", "-p", "no:cacheprovider", "-p", "no:faulthandler"]
            with warnings.catch_warnings():
                code = pytest.main([*apart, *quiet, *arguments], plugins=[self, *self._others])
        if self._interrupted:
            raise KeyboardInterrupt
        if code in _NOT_RUN:
            raise PluginError(f"the suite could not be run: pytest ended with {pytest.ExitCode(code).name.lower()}")

    def pytest_configure(self, config: pytest.Config) -> None:
        """A failure is told in a few lines; the option belongs to the terminal, which is left out."""
        config.option.tbstyle = "short"
        pytest.register_assert_rewrite("kubo_sdk.testing.contracts")  # pytest runs only now

    def pytest_keyboard_interrupt(self) -> None:
        """The user wants it to stop; whoever called is told once everything is removed."""
        self._interrupted = True

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Called for set-up, call and tear-down of a test."""
        self._parts.append(report)
        if report.when == "teardown":
            result = _result(self._parts)
            self._parts = []
            self.results.append(result)
            self._on_result(result)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """What cannot even be collected has failed."""
        if report.failed:
            self.results.append(
                TestResult(name="collection", outcome=FAILED, seconds=0.0, reason=report.longreprtext.splitlines()[-1])
            )

    def pytest_warning_recorded(self, warning_message: warnings.WarningMessage) -> None:
        """Notes come as warnings, so that an author's own pytest shows them too."""
        if warning_message.category.__name__ == "ReducedContract":
            self.notes.append(str(warning_message.message))


def _result(parts: Sequence[pytest.TestReport]) -> TestResult:
    seconds = sum(part.duration for part in parts)
    name = parts[0].nodeid.rpartition("::")[2]
    for outcome in (FAILED, SKIPPED):
        for part in parts:
            if part.outcome == outcome:
                detail = part.longreprtext if outcome == FAILED else ""
                return TestResult(name=name, outcome=outcome, seconds=seconds, reason=_reason(part), detail=detail)
    return TestResult(name=name, outcome=PASSED, seconds=seconds)


def _reason(part: pytest.TestReport) -> str:
    """One line: the reason of a skip, or what a failed test says."""
    told: Any = part.longrepr
    if isinstance(told, tuple):
        return str(told[2]).removeprefix("Skipped: ")
    crash = getattr(told, "reprcrash", None)
    text = crash.message if crash is not None else str(told)
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[0] if lines else "it says nothing"
