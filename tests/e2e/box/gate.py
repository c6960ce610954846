"""Gate: stands before moto's API, lets the world follow each change, and breaks requests that a test wants broken."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import parse_qs

from attrs import define

App = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]
_READING = ("Describe", "Get", "List")


@define
class Fault:
    """The next *times* requests of *action* end in *kind*.

    ``throttled``: turned down.  ``lost``: done, and answered as if it had failed.  ``unbootable``, ``stranger``: the
    instances made never boot, or have another host key than they were given.  ``stuck``: the attachment never ends.
    """

    kind: str
    action: str
    times: int = 1


class Gate:
    """*follow* is called after each request that changed something, with the action, the form and the faults of it."""

    def __init__(self, app: App, follow: Callable[[str, dict[str, list[str]], frozenset[str]], None]) -> None:
        self._app, self._follow = app, follow
        self._faults: list[Fault] = []
        self._lock = threading.Lock()

    def arm(self, fault: Fault) -> None:
        with self._lock:
            self._faults.append(fault)

    def disarm(self) -> None:
        with self._lock:
            self._faults.clear()

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = io.BytesIO(body)
        form = parse_qs(body.decode(errors="replace") or environ.get("QUERY_STRING", ""))
        action = form.get("Action", [""])[0]
        faults = self._struck(action)
        if "throttled" in faults:
            return _refuse(start_response, "503 Service Unavailable", "RequestLimitExceeded", "Request limit exceeded.")
        # The answer is read before it is sent: the world has followed by the time the caller hears of it.
        answer: list[Any] = []
        content = b"".join(self._app(environ, lambda *said: answer.append(said)))
        if not action.startswith(_READING) and answer[0][0].startswith("2"):
            self._follow(action, form, faults)
        if "lost" in faults:
            return _refuse(
                start_response, "500 Internal Server Error", "InternalError", "An internal error has occurred"
            )
        start_response(*answer[0])
        return [content]

    def _struck(self, action: str) -> frozenset[str]:
        with self._lock:
            found = [fault for fault in self._faults if fault.action == action]
            for fault in found:
                fault.times -= 1
            self._faults = [fault for fault in self._faults if fault.times > 0]
            return frozenset(fault.kind for fault in found)


def _refuse(start_response: Callable[..., Any], status: str, code: str, message: str) -> list[bytes]:
    """In the form that EC2 and ELB share well enough for clients of both."""
    content = (
        f"<?xml version='1.0' encoding='UTF-8'?><Response><Errors><Error><Code>{code}</Code>"
        f"<Message>{message}</Message></Error></Errors><RequestID>box</RequestID></Response>"
    ).encode()
    start_response(status, [("Content-Type", "text/xml"), ("Content-Length", str(len(content)))])
    return [content]
