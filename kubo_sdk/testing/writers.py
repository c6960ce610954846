"""Other processes that put records at the same moment, for the suite of DNS providers.

``python -m kubo_sdk.testing.writers`` reads one JSON object in one line, says when it is connected, and puts its
records when another line comes.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import IO, Any

from attrs import asdict, evolve

from kubo_sdk.config.structure import structure
from kubo_sdk.errors import ConfigError
from kubo_sdk.model.spec import ClusterSpec
from kubo_sdk.plugins import Plugins
from kubo_sdk.ports.dns import Dns, Record
from kubo_sdk.ports.providers import ConnectContext
from kubo_sdk.testing.node_contexts import sample_spec
from kubo_sdk.testing.spawn import DEADLINE, Spawnable

Writer = subprocess.Popen[bytes]


def put_from_processes(spawnable: Spawnable, spec: ClusterSpec, parts: Sequence[Sequence[Record]]) -> None:
    """One process for each of *parts*, connected for the cluster of *spec*; all begin when the last is connected."""
    with ExitStack() as held:
        writers = []
        for part in parts:
            writers.append(held.enter_context(_started()))
            held.callback(writers[-1].kill)
            _say(writers[-1], json.dumps(_asked(spawnable, spec, part)))
        for writer in writers:
            _pipe(writer.stdout).readline()  # it is connected, or has ended
        for writer in writers:
            _say(writer, "go")
        for writer in writers:
            _, errors = writer.communicate(timeout=DEADLINE)
            assert writer.returncode == 0, f"another process failed: {errors.decode(errors='replace')}"


def _started() -> Writer:
    pipe = subprocess.PIPE
    # Nothing is held back for a pipe that may be broken by then.
    command = [sys.executable, "-m", "kubo_sdk.testing.writers"]
    return subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, bufsize=0)


def _asked(spawnable: Spawnable, spec: ClusterSpec, records: Sequence[Record]) -> dict[str, Any]:
    return {
        "provider": spawnable.provider,
        "options": dict(spawnable.options),
        "directories": [str(each) for each in (spawnable.state_dir, spawnable.cache_dir, spawnable.base)],
        "cluster": [spec.name, spec.director, spec.zone],
        "records": [asdict(record) for record in records],
    }


def _say(writer: Writer, line: str) -> None:
    with suppress(BrokenPipeError):  # its exit code says what became of it
        _pipe(writer.stdin).write(line.encode() + b"\n")
        _pipe(writer.stdin).flush()


def _pipe(stream: IO[bytes] | None) -> IO[bytes]:
    assert stream is not None
    return stream


def main() -> None:
    """The child."""
    asked = json.loads(sys.stdin.readline())
    dns = _connect(asked)
    records = [Record(**{**each, "values": tuple(each["values"])}) for each in asked["records"]]
    os.write(1, b"connected\n")
    sys.stdin.readline()
    for record in records:
        dns.put_record(record)


def _connect(asked: dict[str, Any]) -> Dns:
    plugins = Plugins()
    provider = plugins.dns(asked["provider"])
    config, problems = structure(provider.config, asked["options"], "dns")
    if problems:
        raise ConfigError(problems)
    name, director, zone = asked["cluster"]
    state, cache, base = map(Path, asked["directories"])
    spec = evolve(sample_spec(name, director), zone=zone)
    return plugins.connect(provider, config, ConnectContext(spec=spec, state_dir=state, cache_dir=cache, base_dir=base))


if __name__ == "__main__":
    main()
