"""A real nats-server, and an HTTP router that knows what was registered there."""

from __future__ import annotations

import json
import signal
import socket
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from kubo_sdk_cfrouting.agent.https import Trust
from kubo_sdk_cfrouting.agent.nats_client import NatsClient
from kubo_sdk_cfrouting.agent.nats_protocol import Message
from kubo_sdk_cfrouting.agent.nats_session import Login, Server

from .pki import Files
from .process import free_ports, start, stop, wait_for

USER, PASSWORD = "nats", "password-of-the-lab"


class NatsServer:
    """With users, and with TLS both ways unless *files* is None."""

    def __init__(self, directory: Path, files: Files | None, *, extra: str = "") -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.port = free_ports(1)[0]
        self.address = Server("127.0.0.1", self.port)
        self.log = directory / f"nats-{self.port}.log"
        self.files = files
        self._config = directory / f"nats-{self.port}.conf"
        tls = ""
        if files is not None:
            named = f'cert_file: "{files.certificate}", key_file: "{files.key}", ca_file: "{files.ca}"'
            tls = f"tls {{ {named}, verify: true }}"
        login = extra or f'authorization {{ user: "{USER}", password: "{PASSWORD}" }}'
        self._config.write_text(f"listen: 127.0.0.1:{self.port}\n{login}\n{tls}\n")
        self._process: Any = None

    def start(self) -> NatsServer:
        self._process = start(["nats-server", "--config", str(self._config)], self.log)
        wait_for(self._answers, f"nats-server ({self.log})")
        return self

    def stop(self) -> None:
        stop(self._process)

    def lame_duck(self) -> None:
        """Let it say that it is about to stop."""
        self._process.send_signal(signal.SIGUSR2)

    def login(self, client: Files | None = None) -> Login:
        """Of whoever shows the certificate *client*."""
        shown = client or self.files
        context = Trust(*shown).context() if shown is not None else None
        return Login(USER, PASSWORD, context)

    def _answers(self) -> bool:
        try:
            socket.create_connection(self.address, 1).close()
        except OSError:
            return False
        return True


class Router:
    """Hears as gorouter does, and asks for routes every *interval* seconds."""

    def __init__(self, server: NatsServer, interval: int = 20) -> None:
        self.log: list[tuple[str, dict[str, Any]]] = []
        self.routes: dict[str, dict[str, str]] = {}
        self.subjects = ("router.register", "router.unregister", "router.greet")
        self._said = {"id": "r", "minimumRegisterIntervalInSeconds": interval, "pruneThresholdInSeconds": 120}
        self._pending: list[Message] = []
        self._lock = threading.Lock()
        self.client = NatsClient([server.address], server.login, self)
        threading.Thread(target=self.client.run, daemon=True).start()
        wait_for(lambda: self.client.connected, f"the router's connection ({self.client.trouble})")

    def close(self) -> None:
        self.client.close()

    def backends(self, host: str) -> set[str]:
        with self._lock:
            return set(self.routes.get(host, ()))

    def count(self, subject: str, host: str) -> int:
        with self._lock:
            return sum(1 for said, found in self.log if said == subject and host in found["uris"])

    def last(self, host: str) -> dict[str, Any]:
        """The newest registration of *host*."""
        with self._lock:
            return next(
                found for said, found in reversed(self.log) if said.endswith(".register") and host in found["uris"]
            )

    def say(self, subject: str, **said: Any) -> None:
        """As another component of Cloud Foundry would."""
        self.publish(Message(subject, "", json.dumps(said).encode()))

    def publish(self, *messages: Message) -> None:
        """As anybody might."""
        with self._lock:
            self._pending += messages
        assert self.client.flush(30)

    def announce(self) -> None:
        """A router that knows nothing has just started."""
        with self._lock:
            self.routes.clear()
        self.say("router.start", **self._said)

    def opened(self) -> Iterable[Message]:
        return (Message("router.start", "", json.dumps(self._said).encode()),)

    def closed(self) -> None:
        """Nothing to do."""

    def due(self) -> Iterable[Message]:
        with self._lock:
            said, self._pending = self._pending, []
        return said

    def heard(self, message: Message) -> None:
        if message.subject == "router.greet":
            with self._lock:
                self._pending.append(Message(message.reply, "", json.dumps(self._said).encode()))
            return
        said = json.loads(message.payload)
        with self._lock:
            self.log.append((message.subject, said))
            for uri in said["uris"]:
                backend, known = f"{said['host']}:{said['port']}", self.routes.setdefault(uri, {})
                if message.subject == "router.register":
                    known[backend] = said["private_instance_id"]
                else:
                    known.pop(backend, None)
