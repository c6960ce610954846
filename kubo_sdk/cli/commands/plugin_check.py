"""``kubo plugin check PORT PROVIDER``: runs the contract suite of a port against an installed provider."""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kubo_sdk.cli.output import print_json
from kubo_sdk.cluster_parts import DEFAULT_CACHE_DIR
from kubo_sdk.config.document import read_document
from kubo_sdk.config.structure import structure
from kubo_sdk.errors import ConfigError, HostError, PluginError

NAMED_SKIPS = 3

if TYPE_CHECKING:
    from kubo_sdk.testing.report import SuiteReport, TestResult
    from kubo_sdk.testing.subject import Subject


def run(arguments: argparse.Namespace) -> int:
    require_pytest()
    from kubo_sdk.testing.run import run_suite  # noqa: PLC0415 - needs the extra "testing"

    on_result: Callable[[TestResult], object] = (lambda _: None) if arguments.json else tell
    with ExitStack() as held:
        try:
            report = run_suite(subject(arguments, held), on_result)
        except ConfigError as error:
            raise error if arguments.options else told_where(error) from None
    if arguments.json:
        print_json(report.to_json())
    else:
        summarise(report)
    return 0 if report.passed else PluginError.exit_code


def require_pytest() -> None:
    """HostError where the extra ``testing`` is not installed."""
    if find_spec("pytest") is None:
        raise HostError("the contract suites need pytest, which is not installed; pip install 'kubo-sdk[testing]'")


def subject(arguments: argparse.Namespace, held: ExitStack) -> Subject:
    """The provider the command line names.  Without --state it gets a directory that is removed with *held*."""
    from kubo_sdk.testing.settings import SuiteSettings  # noqa: PLC0415
    from kubo_sdk.testing.subject import Subject  # noqa: PLC0415

    state = arguments.state
    if state is None:
        state = Path(held.enter_context(tempfile.TemporaryDirectory(prefix="kubo-check-", ignore_cleanup_errors=True)))
    settings, problems = structure(SuiteSettings, mapping(arguments.suite))
    if settings is None:
        raise ConfigError(problems)
    return Subject(
        port=arguments.port.replace("-", "_"),
        provider=arguments.provider,
        options=mapping(arguments.options),
        settings=settings,
        state_dir=state,
        cache_dir=arguments.cache or DEFAULT_CACHE_DIR,
        base_dir=arguments.options.resolve().parent if arguments.options else Path.cwd(),
    )


def told_where(error: ConfigError) -> ConfigError:
    """The same; options that are missing can only come from a file, and none was named."""
    where = "; write it into a YAML file and give that with --options"
    return ConfigError([each + where if " is missing; " in each else each for each in error.problems])


def mapping(path: Path | None) -> Mapping[str, Any]:
    """What the YAML file holds; nothing without one."""
    if path is None:
        return {}
    if path.is_dir():
        raise ConfigError([f"{path}: this is a directory; name a YAML file with a mapping"])
    if not path.is_file():
        raise ConfigError([f"{path}: there is no such file; leave the option out, or name a YAML file with a mapping"])
    found, problems = read_document(path, is_spec=False)
    if problems:
        raise ConfigError(problems)
    return found


def tell(result: TestResult) -> None:
    """One test in one line, or two with its reason.  What is skipped is told at the end."""
    if result.outcome == "skipped":
        return
    print(f"{result.outcome:<8}{result.sentence}", flush=True)
    if result.reason:
        print(f"{'':<8}  {result.reason}", flush=True)


def summarise(report: SuiteReport) -> None:
    """Everything about the failures, why tests were skipped, the notes, and how many there were of each outcome."""
    for result in report.failures():
        print(f"\n{result.sentence}:\n{result.detail}")
    for reason, skipped in report.skips().items():
        names = f": {', '.join(skipped)}" if len(skipped) <= NAMED_SKIPS else ""
        print(f"{'skipped':<8}{len(skipped):>3}  {reason}{names}")
    for note in report.notes:
        print(f"note: {note}")
    counts = ", ".join(f"{report.count(outcome)} {outcome}" for outcome in ("passed", "failed", "skipped"))
    print(f"{report.port} {report.provider}: {counts} in {report.seconds:.1f} s")
