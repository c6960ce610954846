"""Opens the cluster that the command line means."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from kubo_sdk.cli.parser import DEFAULT_FILE
from kubo_sdk.cluster import Cluster
from kubo_sdk.engine.cancel import CancelToken
from kubo_sdk.errors import ConfigError
from kubo_sdk.events import Observer


def spec_file(arguments: argparse.Namespace) -> Path:
    """The spec file: ``FILE`` or ``--file FILE``, or ./cluster.yml."""
    positional, option = getattr(arguments, "file_argument", None), arguments.file
    if positional and option and positional != option:
        raise ConfigError([f"two spec files are given, {positional} and {option}; name one"])
    return Path(positional or option or DEFAULT_FILE)


def open_cluster(
    arguments: argparse.Namespace, *, observers: Sequence[Observer] = (), cancel: CancelToken | None = None
) -> Cluster:
    """The cluster of the spec file.  Nothing is connected yet."""
    return Cluster.load(
        spec_file(arguments),
        state_dir=arguments.state,
        cache_dir=arguments.cache,
        observers=observers,
        cancel=cancel,
    )


def repeat_with(arguments: argparse.Namespace, command: str) -> str:
    """*command* as the user would type it for the same cluster: ``kubo -f other.yml status``."""
    path = spec_file(arguments)
    return f"kubo {command}" if path == Path(DEFAULT_FILE) else f"kubo -f {path} {command}"
