"""A proxy in front of the moto server: does what Amazon does and moto does not, and goes wrong on request.

Amazon's: client tokens make one machine or volume of equal requests, refuse unequal ones, and outlive their machine;
unknown access keys are refused.
"""

from __future__ import annotations

import http.client
import re
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

from attrs import define, field

from .moto_server import ACCESS

Answer = tuple[int, bytes]
Params = dict[str, str]

REFUSAL = (
    "<Response><Errors><Error><Code>{code}</Code><Message>{message}</Message></Error></Errors>"
    "<RequestID>1</RequestID></Response>"
)


def refusal(code: str, status: int = 400, message: str = "asked for by a test") -> Answer:
    return status, REFUSAL.format(code=code, message=message).encode()


@define
class Fault:
    """What happens to the next ``times`` requests of *action* that *matches*.

    ``before``: the answer, and moto never hears of it.  ``after``: what becomes of moto's answer.
    """

    action: str
    before: Callable[[Params], Answer] | None = None
    after: Callable[[Params, Answer], Answer] | None = None
    times: int = 1
    matches: Callable[[Params], bool] = lambda _params: True


@define
class FaultingProxy:
    """``port`` is where it listens.  ``asked`` counts requests by their action, ``actions`` says of which service."""

    upstream: int
    port: int = 0
    faults: list[Fault] = field(factory=list)
    asked: Counter[str] = field(factory=Counter)
    actions: set[tuple[str, str]] = field(factory=set)
    _tokens: dict[str, tuple[Params, Answer]] = field(factory=dict)
    _lock: threading.RLock = field(factory=threading.RLock)

    def refuse(self, action: str, code: str, status: int = 400, times: int = 1) -> None:
        """Turn the next requests down."""
        self.faults.append(Fault(action, before=lambda _: refusal(code, status), times=times))

    def lose(self, action: str, times: int = 1) -> None:
        """Do what the next requests ask for, and answer 500."""
        self.faults.append(Fault(action, after=lambda *_: refusal("InternalError", 500), times=times))

    def rewrite(self, action: str, pattern: str, text: str, times: int = 1) -> None:
        """Replace what matches in moto's answers."""

        def changed(_params: Params, answer: Answer) -> Answer:
            return answer[0], re.sub(pattern.encode(), text.encode(), answer[1], flags=re.DOTALL)

        self.faults.append(Fault(action, after=changed, times=times))

    def calm(self) -> None:
        """No more faults."""
        with self._lock:
            self.faults.clear()

    def answer(self, body: bytes, headers: dict[str, str]) -> Answer:
        params = {name: values[0] for name, values in parse_qs(body.decode(), keep_blank_values=True).items()}
        action = params.get("Action", "")
        with self._lock:
            self.asked[action] += 1
            self.actions.add((_service(headers), action))
            fault = next((each for each in self.faults if each.action == action and each.matches(params)), None)
            if fault is not None:
                fault.times -= 1
                if fault.times <= 0:
                    self.faults.remove(fault)
        if f"Credential={ACCESS}/" not in headers.get("Authorization", ""):
            return refusal("AuthFailure", 401, "AWS was not able to validate the provided access credentials")
        if fault is not None and fault.before is not None:
            return fault.before(params)
        found = self._once(params, body, headers) if params.get("ClientToken") else self._ask(body, headers)
        return fault.after(params, found) if fault is not None and fault.after is not None else found

    def _once(self, params: Params, body: bytes, headers: dict[str, str]) -> Answer:
        with self._lock:
            known = self._tokens.get(params["ClientToken"])
            if known is None:
                found = self._ask(body, headers)
                if found[0] == 200:
                    self._tokens[params["ClientToken"]] = (params, found)
                return found
            if known[0] != params:
                return refusal("IdempotentParameterMismatch")
            return known[1]

    def _ask(self, body: bytes, headers: dict[str, str]) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.upstream, timeout=60)
        try:
            connection.request("POST", "/", body, headers)
            found = connection.getresponse()
            return found.status, found.read()
        finally:
            connection.close()


def _service(headers: dict[str, str]) -> str:
    """For whom the request is signed: ``Credential=KEY/DATE/REGION/ec2/aws4_request``."""
    scope = re.search(r"Credential=([^,\s]+)", headers.get("Authorization", ""))
    return scope[1].split("/")[3] if scope else ""


@contextmanager
def faulting_proxy(upstream: int) -> Iterator[FaultingProxy]:
    """A proxy in front of the server at the port *upstream*."""
    proxy = FaultingProxy(upstream=upstream)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # The body follows the headers in a packet of its own, which would wait for the other side.
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            kept = {name: value for name, value in self.headers.items() if name.lower() in _PASSED_ON}
            status, answer = proxy.answer(body, kept)
            self.send_response(status)
            self.send_header("Content-Length", str(len(answer)))
            self.send_header("Content-Type", "text/xml")
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_args: object) -> None:
            """Say nothing."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 256

    server = Server(("127.0.0.1", 0), Handler)
    proxy.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


_PASSED_ON = {"authorization", "content-type", "host", "x-amz-date", "x-amz-content-sha256", "x-amz-security-token"}
