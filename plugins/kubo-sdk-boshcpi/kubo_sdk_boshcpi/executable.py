"""Executable: runs one process for one request, in an environment of its own.

The three streams are files, not pipes.  A process of the SDK that dies, however hard, neither cuts off the request nor
stops the CPI, and an answer that was wanted in a named file can be read by the next process.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

from attrs import field, frozen

from kubo_sdk.errors import HostError, Unavailable
from kubo_sdk.private_files import make_private_directory

LARGEST_ANSWER = 64 << 20
LARGEST_LOG = 256 << 10
TERM_GRACE_SECONDS = 2.0
DIRECTOR_PATH = "/usr/sbin:/usr/bin:/sbin:/bin"

# Leaves a mark and becomes the executable.  Where the mark is missing, the executable was surely never started.
_MARKED = ("/bin/sh", "-c", ': >"$0" && exec "$@"')


class TimedOut(Unavailable):
    """The process took too long and was killed; nobody knows what it did."""


@frozen(kw_only=True)
class Finished:
    """What a call left behind."""

    exit_code: int
    stdout: bytes = field(repr=False)
    stderr: bytes = field(repr=False)


@frozen(kw_only=True)
class Executable:
    """A program with its arguments, its whole environment and the seconds it may take."""

    path: Path
    arguments: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(factory=dict, repr=False)
    timeout: float = 3600.0

    def run(self, request: bytes, what: str, *, answer: Path | None = None) -> Finished:
        """Run it to its end with *request* on its standard input.

        *answer* keeps its standard output, locked as long as the process lives, beside a mark that it was started
        (`mark_of`).  HostError when it cannot be started, TimedOut when it takes longer than it may; then its process
        group is killed, as it is when anything else breaks in.
        """
        with contextlib.ExitStack() as opened:
            stdin, stderr = _memory(opened), _memory(opened)
            stdout = _memory(opened) if answer is None else _named(opened, answer)
            _fill(stdin, request)
            marked = () if answer is None else (*_MARKED, str(mark_of(answer)))
            process = self._start(marked, stdin, stdout, stderr)
            try:
                process.wait(self.timeout)
            except BaseException as error:
                end_group(process)
                if isinstance(error, subprocess.TimeoutExpired):
                    raise TimedOut(
                        f"{what} of the BOSH CPI did not end within {self.timeout:g} s; "
                        "look into its log or raise the option timeout",
                        retry_after=None,
                    ) from None
                raise
            return Finished(
                exit_code=process.returncode,
                stdout=_content(stdout, LARGEST_ANSWER),
                stderr=_content(stderr, LARGEST_LOG),
            )

    def _start(self, marked: tuple[str, ...], stdin: int, stdout: int, stderr: int) -> subprocess.Popen[bytes]:
        try:
            return subprocess.Popen(
                [*marked, str(self.path), *self.arguments],
                stdin=stdin,
                stdout=stdout,
                stderr=stderr,
                env=dict(self.environment),
                cwd="/",
                start_new_session=True,
            )
        except OSError as error:
            raise HostError(
                f"the BOSH CPI {self.path} cannot be started ({error.strerror}); "
                "it must be an executable file that begins with #! and an interpreter, or a binary"
            ) from error


def director_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """What a director lets a CPI see of *environ*: nothing but where to find programs and put files."""
    kept = {name: environ[name] for name in ("TMPDIR", "HOME") if name in environ}
    return {"PATH": DIRECTOR_PATH, **kept}


def end_group(process: subprocess.Popen[bytes]) -> None:
    """End the process and all of its group: asked first, then killed."""
    _signal(process, signal.SIGTERM)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(TERM_GRACE_SECONDS)
    _signal(process, signal.SIGKILL)
    process.wait()


def _signal(process: subprocess.Popen[bytes], number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, number)


def mark_of(answer: Path) -> Path:
    """The file that is there as soon as the process of *answer* is started."""
    return answer.with_suffix(".started")


def left_answer(answer: Path) -> bytes | None:
    """What a call of an earlier process left in *answer*; None while that call still runs."""
    descriptor = os.open(answer, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return _content(descriptor, LARGEST_ANSWER)
    except BlockingIOError:
        return None
    finally:
        os.close(descriptor)


def _memory(opened: contextlib.ExitStack) -> int:
    descriptor = os.memfd_create("kubo-boshcpi")
    opened.callback(os.close, descriptor)
    return descriptor


def _named(opened: contextlib.ExitStack, path: Path) -> int:
    make_private_directory(path.parent)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    opened.callback(os.close, descriptor)
    # The lock belongs to the open file, which the process inherits as its standard output.
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    return descriptor


def _fill(descriptor: int, content: bytes) -> None:
    for block in _blocks(content):
        os.write(descriptor, block)
    os.lseek(descriptor, 0, os.SEEK_SET)


def _blocks(content: bytes) -> Iterator[bytes]:
    for start in range(0, len(content), 1 << 20):
        yield content[start : start + (1 << 20)]


def _content(descriptor: int, limit: int) -> bytes:
    """At most the last *limit* bytes of the file."""
    size = os.fstat(descriptor).st_size
    return os.pread(descriptor, limit, max(0, size - limit))
