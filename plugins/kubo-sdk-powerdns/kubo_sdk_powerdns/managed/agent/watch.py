"""Watch: ends a daemon that runs and does not answer.  systemd sees only those that end by themselves."""

from __future__ import annotations

import signal

from kubo_sdk_powerdns.managed.agent import processes
from kubo_sdk_powerdns.managed.agent.journal import say
from kubo_sdk_powerdns.managed.agent.question import answers

# So many questions in a row, a second each, must stay without an answer.
DEAF = 5
SETTLING_SECONDS = 10.0


class Watch:
    """Over one daemon at one port."""

    def __init__(self, program: str, config: str, address: str, port: int, zone: str) -> None:
        self._program, self._config = program, config
        self._where = (address, port, zone)
        self._missed = 0

    def look(self) -> bool:
        """Ask once; whether it answers."""
        if answers(*self._where):
            self._missed = 0
            return True
        self._missed += 1
        if self._missed >= DEAF:
            self._missed = 0
            for pid in processes.find(self._program, self._config):
                if processes.age(pid) > SETTLING_SECONDS:
                    say(f"{self._program} runs and does not answer; it is ended, and starts again")
                    processes.end(pid, signal.SIGKILL)
        return False
