"""Reporter: complaints become events on their Services, each once and then now and then for as long as it is true."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

from kubo_sdk_cfrouting.agent.routes_kubernetes import CONFLICT, ApiError, Kubernetes
from kubo_sdk_cfrouting.agent.routes_wishes import Complaint
from kubo_sdk_cfrouting.agent.trouble import Trouble

COMPONENT = "kubo-cf-routes"
# API servers forget events after an hour.
REPEAT_SECONDS = 1200.0
LONGEST_MESSAGE = 1000
# So many at a time: routes must not wait for a thousand Services that are wrong.
AT_ONCE = 20


class Reporter:
    """*instance* is this master's name."""

    def __init__(self, api: Kubernetes, instance: str, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._api = api
        self._instance = instance
        self._monotonic = monotonic
        self._told: dict[Complaint, float] = {}
        self._trouble = Trouble("report what is wrong with Services")

    @property
    def trouble(self) -> str:
        return self._trouble.told

    def report(self, complaints: Iterable[Complaint]) -> bool:
        """Whether all of it was told; what was not is told when this is called again."""
        current, now = dict.fromkeys(complaints), self._monotonic()
        self._told = {each: at for each, at in self._told.items() if each in current}
        due = [each for each in current if each not in self._told or now >= self._told[each] + REPEAT_SECONDS]
        for each in due[:AT_ONCE]:
            try:
                self._tell(each)
            except ApiError as error:
                if error.status == 0 or error.status >= 500:
                    self._trouble.begins(str(error))
                    return False
                # The namespace is about to go, or the API wants no such event; neither passes by itself.
                self._trouble.begins(f"{each.service.key}: {error}")
            else:
                self._trouble.ends()
            self._told[each] = now
        return len(due) <= AT_ONCE

    def _tell(self, complaint: Complaint) -> None:
        """A complaint has one event, whose count grows; so it does whichever master tells it."""
        events = f"/api/v1/namespaces/{complaint.service.namespace}/events"
        event = event_of(complaint, self._instance, _now())
        try:
            self._api.create(events, event)
        except ApiError as error:
            if error.status != CONFLICT:
                raise
            path = f"{events}/{event['metadata']['name']}"
            known = self._api.get(path)
            count = {"count": int(known.get("count") or 1) + 1, "lastTimestamp": event["lastTimestamp"]}
            self._api.patch(path, count)


def event_of(complaint: Complaint, instance: str, now: str) -> dict[str, Any]:
    """The same name for the same complaint."""
    service = complaint.service
    told = "\0".join((service.uid, complaint.reason, complaint.text))
    digest = hashlib.sha256(told.encode()).hexdigest()[:16]
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": f"{service.name}.{digest}", "namespace": service.namespace},
        "involvedObject": {
            "apiVersion": "v1",
            "kind": "Service",
            "namespace": service.namespace,
            "name": service.name,
            "uid": service.uid,
        },
        "type": "Warning",
        "reason": complaint.reason,
        "message": complaint.text[:LONGEST_MESSAGE],
        "source": {"component": COMPONENT, "host": instance},
        "firstTimestamp": now,
        "lastTimestamp": now,
        "count": 1,
    }


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
