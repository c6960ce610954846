"""What a suite found: one result for every test, and the notes of a run with less than its full measure."""

from __future__ import annotations

from collections import Counter
from typing import Any

from attrs import frozen

PASSED, FAILED, SKIPPED = "passed", "failed", "skipped"


@frozen(kw_only=True)
class TestResult:
    """One test.  ``outcome`` is passed, failed or skipped; ``reason`` one line, ``detail`` all of a failure."""

    __test__ = False

    name: str
    outcome: str
    seconds: float
    reason: str = ""
    detail: str = ""

    @property
    def sentence(self) -> str:
        """The name as people read it: ``a disk outlives its machine [etcd]``."""
        name, bracket, parameters = self.name.partition("[")
        return name.removeprefix("test_").replace("_", " ") + (f" {bracket}{parameters}" if bracket else "")


@frozen(kw_only=True)
class SuiteReport:
    """All results of one suite, in their order."""

    port: str
    provider: str
    results: tuple[TestResult, ...]
    notes: tuple[str, ...] = ()
    seconds: float

    @property
    def passed(self) -> bool:
        """Whether something was tried and nothing failed."""
        return self.count(PASSED) > 0 and self.count(FAILED) == 0

    def count(self, outcome: str) -> int:
        """How many tests ended that way."""
        return Counter(result.outcome for result in self.results)[outcome]

    def failures(self) -> tuple[TestResult, ...]:
        return tuple(result for result in self.results if result.outcome == FAILED)

    def skips(self) -> dict[str, tuple[str, ...]]:
        """The sentences of the tests that were skipped, by the reason."""
        found: dict[str, list[str]] = {}
        for result in self.results:
            if result.outcome == SKIPPED:
                found.setdefault(result.reason, []).append(result.sentence)
        return {reason: tuple(sentences) for reason, sentences in found.items()}

    def to_json(self) -> dict[str, Any]:
        """Port, provider, verdict, counts, seconds, notes, and name, outcome, reason, detail, seconds of every test."""
        return {
            "port": self.port,
            "provider": self.provider,
            "result": PASSED if self.passed else FAILED,
            **{outcome: self.count(outcome) for outcome in (PASSED, FAILED, SKIPPED)},
            "seconds": round(self.seconds, 3),
            "notes": list(self.notes),
            "tests": [
                {
                    "name": result.name,
                    "outcome": result.outcome,
                    "seconds": round(result.seconds, 3),
                    "reason": result.reason,
                    "detail": result.detail,
                }
                for result in self.results
            ],
        }
