"""The command line of ``kubo-cpi``.

``kubo-cpi CONFIG`` answers one request of a BOSH director.  ``kubo-cpi shell CONFIG VM_CID COMMAND`` runs a shell
command line on a machine, for the option ``shell_command`` of the provider `bosh`.
"""

from __future__ import annotations

import io
import logging
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import FrameType
from typing import NoReturn

from attrs import evolve

from kubo_sdk.errors import KuboError
from kubo_sdk_boshcpi import extension
from kubo_sdk_boshcpi.caller import end_with
from kubo_sdk_boshcpi.protocol import CLOUDS, Fault, MalformedError, Request, Response, parse_request
from kubo_sdk_boshcpi.redaction import Redactor
from kubo_sdk_boshcpi.server.answering import answer, redactor_of
from kubo_sdk_boshcpi.server.settings import read_settings
from kubo_sdk_boshcpi.server.vms import VmMethods

USAGE = "usage: kubo-cpi CONFIG <REQUEST, or kubo-cpi shell CONFIG VM_CID COMMAND-LINE"
USAGE_CODE, UNREACHABLE_CODE = 2, 255
# The caller has a bound of its own, and ends this process when it is reached.
SHELL_SECONDS = 7 * 24 * 3600.0


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; the exit code says nothing about the answer, which is on standard output."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    signal.signal(signal.SIGTERM, _end)
    if len(arguments) == 4 and arguments[0] == "shell":
        return _shell(Path(arguments[1]), arguments[2], arguments[3])
    if len(arguments) == 1 and not arguments[0].startswith("-"):
        return _cpi(Path(arguments[0]))
    sys.stderr.write(f"{USAGE}\n")
    return USAGE_CODE


def _end(_number: int, _frame: FrameType | None) -> NoReturn:
    """Leave as an exception does, so that what was started is ended as well."""
    sys.exit(128 + signal.SIGTERM)


def _cpi(config: Path) -> int:
    """Answer the request on standard input.  Whatever else prints goes to standard error."""
    with os.fdopen(os.dup(1), "wb") as stdout:
        os.dup2(2, 1)
        content = sys.stdin.buffer.read()
        logged = io.StringIO()
        _log_into(logged)
        redactor = Redactor()
        request = _parsed(content)
        extended = request.context.get(extension.KEY) if request is not None else None
        if isinstance(extended, Mapping):
            end_with(extended.get("caller"))
        try:
            settings = read_settings(config)
            redactor = redactor_of(settings, request)
            response = answer(content, settings)
        except KuboError as error:
            fault = Fault(type=f"{CLOUDS}CpiError", message="; ".join(str(error).splitlines()))
            response = Response(fault=fault)
        log = redactor.text(logged.getvalue())
        sys.stderr.write(log)
        stdout.write(evolve(response, log=log).encode())
    return 0


def _parsed(content: bytes) -> Request | None:
    try:
        return parse_request(content)
    except MalformedError:
        return None


def _log_into(logged: io.StringIO) -> None:
    """Keep the log of everything below kubo_sdk, for the response."""
    handler = logging.StreamHandler(logged)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    for name in ("kubo_sdk", "kubo_sdk_boshcpi"):
        logging.getLogger(name).setLevel(logging.DEBUG)


def _shell(config: Path, vm_cid: str, line: str) -> int:
    """Run *line* with sh on the machine, streams passed on.  255 when the machine cannot be entered."""
    try:
        cpi, vm = VmMethods(read_settings(config), None, 2).get(vm_cid)
        shell = cpi.open_shell(vm)
        if sys.stdin.isatty():
            return shell.interact(["sh", "-c", line])
        outcome = shell.run(["sh", "-c", line], stdin=sys.stdin.buffer.read(), timeout=SHELL_SECONDS)
    except KuboError as error:
        sys.stderr.write(f"{error}\n")
        return UNREACHABLE_CODE
    sys.stdout.buffer.write(outcome.stdout)
    sys.stdout.buffer.flush()
    sys.stderr.buffer.write(outcome.stderr)
    return outcome.exit_code
