"""Client: calls methods of a BOSH CPI executable, and turns what comes back into results and errors."""

from __future__ import annotations

import logging
import secrets
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from attrs import define, field, frozen

from kubo_sdk.errors import NotFound, ProviderError
from kubo_sdk_boshcpi.executable import Executable, Finished
from kubo_sdk_boshcpi.faults import Unsupported, error_of
from kubo_sdk_boshcpi.protocol import HIGHEST_VERSION, Fault, MalformedError, Request, Response, parse_response
from kubo_sdk_boshcpi.redaction import Redactor, sensitive

log = logging.getLogger(__name__)

OLDEST_VERSION = 1


class LostAnswer(ProviderError):
    """The executable ended without saying what became of the call."""


@frozen(kw_only=True)
class CpiDescription:
    """What ``info`` says.  ``extensions`` is there only where the executable is ``kubo-cpi``."""

    api_version: int = OLDEST_VERSION
    stemcell_formats: tuple[str, ...] = ()
    extensions: Mapping[str, Any] | None = None


@define
class Client:
    """One executable, spoken to in the version it agreed to.  ``context`` goes with every call."""

    executable: Executable
    context: Mapping[str, Any] = field(repr=False)
    redactor: Redactor = Redactor()
    highest_version: int = HIGHEST_VERSION
    _described: CpiDescription | None = None
    _lock: threading.Lock = field(factory=threading.Lock, init=False)

    def describe(self) -> CpiDescription:
        """What ``info`` says, asked once; its version is the one both sides speak."""
        with self._lock:
            if self._described is None:
                self._described = self._ask()
            return self._described

    @property
    def version(self) -> int:
        return self.describe().api_version

    def call(
        self, method: str, *arguments: Any, answer: Path | None = None, context: Mapping[str, Any] | None = None
    ) -> Any:
        """The result of *method*.

        *answer* names a file that keeps the answer until the caller removes it.  Raises the error of the fault,
        LostAnswer when there is no answer, Unavailable after the timeout, HostError when nothing could be started.
        """
        request = Request(
            method=method,
            arguments=arguments,
            context={**self._context(), **(context or {})},
            api_version=self.version,
        )
        return self._send(request, answer)

    def has(self, method: str, cid: str) -> bool:
        """What *method*, ``has_vm`` or ``has_disk``, says of *cid*; a CPI that cannot tell is believed to have it."""
        try:
            return bool(self.call(method, cid))
        except Unsupported:
            return True
        except NotFound:
            return False

    def read(self, method: str, content: bytes) -> Any:
        """The result in *content*, an answer to *method* that an earlier process left; errors as for `call`."""
        return self._result(method, self._parse(method, content, ""), self.redactor)

    def _ask(self) -> CpiDescription:
        try:
            found = self._send(Request(method="info", context=self._context()), None)
        except Unsupported:
            return CpiDescription()
        if not isinstance(found, dict):
            raise ProviderError("info of the BOSH CPI answers with no object; it is no CPI this SDK can drive")
        version = found.get("api_version", OLDEST_VERSION)
        if type(version) is not int or version < OLDEST_VERSION:
            raise ProviderError(
                f"the BOSH CPI reports the unknown api_version {version!r}; "
                f"known are {OLDEST_VERSION} and higher numbers"
            )
        formats, extensions = found.get("stemcell_formats"), found.get("kubo")
        return CpiDescription(
            api_version=min(version, self.highest_version),
            stemcell_formats=tuple(map(str, formats)) if isinstance(formats, list) else (),
            extensions=extensions if isinstance(extensions, dict) else None,
        )

    def _context(self) -> dict[str, Any]:
        return {**self.context, "request_id": f"cpi-{secrets.randbelow(900_000) + 100_000}"}

    def _send(self, request: Request, answer: Path | None) -> Any:
        values = (*sensitive(request.arguments), *sensitive(request.context))
        redactor = self.redactor.knowing(values)
        finished = self.executable.run(request.encode(), request.method, answer=answer)
        said = redactor.text(finished.stderr.decode(errors="replace")).strip()
        name = f"{request.method} ({request.context.get('request_id')})"
        if said:
            log.debug("%s logged: %s", name, said)
        response = self._parse(request.method, finished.stdout, _ending(finished, said))
        if response.log:
            log.debug("%s told: %s", name, redactor.text(response.log).strip())
        return self._result(request.method, response, redactor)

    def _parse(self, method: str, content: bytes, ending: str) -> Response:
        try:
            return parse_response(content)
        except MalformedError as error:
            raise LostAnswer(f"the answer of the BOSH CPI to {method} {error}{ending}; look into its log") from None

    def _result(self, method: str, response: Response, redactor: Redactor) -> Any:
        fault = response.fault
        if fault is None:
            return response.result
        clean = Fault(type=fault.type, message=redactor.text(fault.message), ok_to_retry=fault.ok_to_retry)
        raise error_of(clean, method)


def _ending(finished: Finished, said: str) -> str:
    """How the process ended, where that may explain a missing answer."""
    last = said.splitlines()[-1] if said else ""
    told = f", and last logged {last!r}" if last else ""
    return f" (it ended with exit code {finished.exit_code}{told})"
