"""The answers of Compute Engine and of Google's token service, in the shapes of their references, over one state."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from attrs import define, field

from .standin import Asked

PROJECT = "kubo-lab"
_API = f"https://www.googleapis.com/compute/v1/projects/{PROJECT}"
_FOUND = {"global/images/family/debian-12", "global/networks/default"}


@define
class Gce:
    """What the project holds, by kind and name.  ``failing``: the error that the next operation ends with."""

    kept: dict[str, dict[str, Any]] = field(factory=lambda: {"instances": {}, "disks": {}, "firewalls": {}})
    failing: Any = None
    made: int = 0

    def reply(self, asked: Asked, url: str) -> tuple[Any, ...]:
        if asked.path == "/o/oauth2/token":
            return 200, {"access_token": "a-token", "expires_in": 3600}
        path = re.sub(r"^/compute/v1/projects/[^/]+/", "", asked.path)
        if path in _FOUND:
            return 200, {"name": path}
        words = path.removeprefix("zones/europe-west1-b/").removeprefix("global/").split("/")
        return self._operation(words, asked) or self._list(words, asked) or self._one(words, asked)

    def _operation(self, words: list[str], asked: Asked) -> tuple[Any, ...] | None:
        if words[0] != "operations":
            return None
        failing, self.failing = self.failing, None
        failed = {"error": {"errors": [failing]}, "httpErrorStatusCode": 403} if failing else {}
        return 200, {"name": words[1], "status": "DONE", **failed}

    def _list(self, words: list[str], asked: Asked) -> tuple[Any, ...] | None:
        kind = words[-1]
        if asked.method != "GET" or kind not in self.kept:
            return None
        wanted = asked.query["filter"]
        label = re.fullmatch(r"labels\.kubo-mark=(\w+)", wanted)
        fits: Callable[[Any], bool] = lambda each: re.fullmatch(wanted.split('"')[1], each["name"]) is not None  # noqa: E731
        if label:
            mark = label[1]
            fits = lambda each: each["labels"]["kubo-mark"] == mark  # noqa: E731
        found = [each for each in self.kept[kind].values() if fits(each)]
        return 200, {"items": {"zones/europe-west1-b": {kind: found}} if words[0] == "aggregated" else found}

    def _one(self, words: list[str], asked: Asked) -> tuple[Any, ...]:
        kind, *rest = words
        scope = {} if kind == "firewalls" else {"zone": f"{_API}/zones/europe-west1-b"}
        begun = {"name": f"operation-{self.made}", "status": "RUNNING", **scope}
        if not rest:
            return self._make(kind, asked.body, scope, begun)
        held = next((each for each in self.kept[kind].values() if rest[0] in (each["name"], each["id"])), None)
        if held is None:
            return 404, {"error": {"code": 404, "errors": [{"reason": "notFound"}], "message": f"{rest[0]} not found"}}
        if asked.method == "GET":
            return 200, held
        if asked.method == "DELETE":
            del self.kept[kind][held["name"]]
        elif asked.method == "PUT":
            held |= asked.body
        else:
            self._act(held, rest[1], asked)
        return 200, begun

    def _make(self, kind: str, body: Any, scope: Any, begun: Any) -> tuple[Any, ...]:
        name = body["name"]
        if name in self.kept[kind]:
            return 409, {"error": {"code": 409, "message": f"{name} already exists"}}
        if self.failing is None:
            self.made += 1
            link = f"{_API}/zones/europe-west1-b/{kind}/{name}"
            extra = {"status": "RUNNING" if kind == "instances" else "READY", "id": str(4000 + self.made)}
            self.kept[kind][name] = {**body, **scope, **extra, "selfLink": link}
            for each in body.get("networkInterfaces", ()):
                each["networkIP"] = "10.132.0.7"
        return 200, begun

    def _act(self, held: Any, action: str, asked: Asked) -> None:
        if action in ("start", "stop"):
            held["status"] = {"start": "RUNNING", "stop": "TERMINATED"}[action]
        elif action == "attachDisk":
            held["disks"].append(asked.body)
            self._disk(asked.body["source"])["users"] = [held["selfLink"]]
        else:
            gone = next(each for each in held["disks"] if each.get("deviceName") == asked.query["deviceName"])
            held["disks"].remove(gone)
            self._disk(gone["source"])["users"] = []

    def _disk(self, link: str) -> Any:
        return self.kept["disks"][link.rsplit("/", 1)[-1]]
