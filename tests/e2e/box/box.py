"""Box: the tests' end of a cloud in a box."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from attrs import frozen
from kubo_sdk_local.config import DEFAULT_CACHE

from ..site import Site

PORT = 5000
_SECONDS = 120
_START = (
    "import sys; sys.path.append(sys.argv[1]); from pathlib import Path; from box import server; "
    "server.{function}(Path(sys.argv[2]), Path(sys.argv[3]){more})"
)


@frozen(kw_only=True)
class Box:
    """A running box.  Its API answers inside the site's namespace only, at 127.0.0.1 and `PORT`."""

    home: Path
    process: subprocess.Popen[str]

    def inventory(self) -> list[str]:
        """Everything billed or left behind, a line each: ``volume vol-0123``."""
        return list(self.order("inventory"))

    def instances(self) -> list[dict[str, Any]]:
        """Every instance there ever was: ``id``, ``state``, ``address`` and ``tags``."""
        return list(self.order("instances"))

    def members(self) -> dict[str, list[str]]:
        """The addresses of the machines behind each balancer."""
        return dict(self.order("members"))

    def terminate(self, instance: str) -> None:
        """End that instance, past everybody who believes to have it."""
        self.order("terminate", instance)

    def arm(self, kind: str, action: str, times: int = 1) -> None:
        """The next *times* requests of *action* go wrong; the kinds are those of `gate.Fault`."""
        self.order("arm", kind, action, times)

    def disarm(self) -> None:
        """Nothing goes wrong any more."""
        self.order("disarm")

    def run(self, instance: str, *command: str) -> str:
        """What a command on that instance's machine says, without SSH."""
        return str(self.order("run", instance, *command))

    def cut_off(self, instance: str) -> None:
        """Take that instance's machine off the network."""
        self.order("cut_off", instance)

    def order(self, *words: Any) -> Any:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(words) + "\n")
        self.process.stdin.flush()
        return self.answer()

    def answer(self) -> Any:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        answer = json.loads(line) if line else {"error": "the box has ended"}
        if "error" in answer:
            raise AssertionError(f"{answer['error']}\n{self.log()}")
        return answer["answer"]

    def log(self) -> str:
        return (self.home / "box.log").read_text(errors="replace")[-4000:]


@contextmanager
def box(site: Site) -> Iterator[Box]:
    """Run a box in the namespace of *site*; nothing of it is there afterwards, however it ended."""
    home, cache = (site.home / "box").resolve(), Path(os.environ.get("KUBO_CACHE") or DEFAULT_CACHE)
    home.mkdir()
    with (home / "box.log").open("w") as log:
        process = subprocess.Popen(
            site.command(*_command("main", home, cache, more=f", {PORT}")),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True,
        )  # fmt: skip
    try:
        running = Box(home=home, process=process)
        running.answer()
        yield running
    finally:
        _end(site, process, home, cache)


def _end(site: Site, process: subprocess.Popen[str], home: Path, cache: Path) -> None:
    try:
        process.communicate(timeout=_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    code = process.returncode
    text = (home / "box.log").read_text(errors="replace")[-4000:]
    subprocess.run(site.command(*_command("sweep", home, cache)), check=True, timeout=_SECONDS)
    assert code == 0, f"the box ended with {code}:\n{text}"


def _command(function: str, home: Path, cache: Path, more: str = "") -> list[str]:
    start = _START.format(function=function, more=more)
    return [sys.executable, "-I", "-c", start, str(Path(__file__).parents[1]), str(home), str(cache)]
