"""Election: one of the masters leads, by a Lease of Kubernetes.

The time in the Lease is never compared with a clock: a Lease is over when it did not change for its duration, measured
here.  So clocks may differ as they like.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, NamedTuple

from kubo_sdk_cfrouting.agent.routes_kubernetes import CONFLICT, NOT_FOUND, ApiError, Kubernetes, Object
from kubo_sdk_cfrouting.agent.trouble import Trouble, say

NAMESPACE, LEASE = "kube-system", "kubo-cf-routes"
LEASES = f"/apis/coordination.k8s.io/v1/namespaces/{NAMESPACE}/leases"
PATH = f"{LEASES}/{LEASE}"


class Standing(StrEnum):
    """HOLDING: led until the API went away, and heard of no other leader."""

    LEADING = "leading"
    HOLDING = "holding"
    WAITING = "waiting"


class Terms(NamedTuple):
    """In seconds.  A leader gives up after *deadline* without an answer, the others wait for *duration*."""

    duration: int = 15
    deadline: float = 10.0
    retry: float = 2.0


class _Held(NamedTuple):
    led: bool
    until: float = 0.0


class Election:
    """*me* is this master's name.  *changed* is called when the standing may be another."""

    def __init__(
        self,
        api: Kubernetes,
        me: str,
        terms: Terms,
        changed: Callable[[], None],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._api = api
        self._me = me
        self._terms = terms
        self._changed = changed
        self._monotonic = monotonic
        self._trouble = Trouble("take part in the election of a leader")
        self._lock = threading.Lock()
        self._held = _Held(False)
        self._seen: tuple[str, object] = ("", None)
        self._seen_at = 0.0
        self._stopped = threading.Event()
        self.leader = ""

    @property
    def standing(self) -> Standing:
        """At once, also while the API is asked."""
        held = self._held
        if not held.led:
            return Standing.WAITING
        return Standing.LEADING if self._monotonic() < held.until else Standing.HOLDING

    @property
    def trouble(self) -> str:
        return self._trouble.told

    def run(self) -> None:
        """Until `release`."""
        told = (Standing.WAITING, "")
        while not self._stopped.is_set():
            before = self.standing
            self.step()
            if self.standing is not before:
                self._changed()
            if (self.standing, self.leader) != told:
                told = (self.standing, self.leader)
                self._say(*told)
            self._stopped.wait(self._terms.retry)

    def _say(self, standing: Standing, leader: str) -> None:
        if standing is Standing.LEADING:
            say("this master leads: it keeps the routes of Services")
        elif standing is Standing.HOLDING:
            say("this master led and cannot renew its lease: it keeps the routes there are, and changes none")
        elif leader and leader != self._me:
            say(f"{leader} leads, this master waits")

    def step(self) -> None:
        """Ask once, and take or renew the lease if that may be."""
        with self._lock:
            if self._stopped.is_set():
                return
            began = self._monotonic()
            try:
                self._try(began)
            except ApiError as error:
                if error.status == CONFLICT:  # somebody was faster; who, the next look tells
                    self._held = _Held(False)
                    return
                self._trouble.begins(str(error))
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                self._trouble.begins(f"the lease {NAMESPACE}/{LEASE} is strange: {error!r}; delete it")
            else:
                self._trouble.ends()

    def _try(self, began: float) -> None:
        try:
            found = self._api.get(PATH)
        except ApiError as error:
            if error.status != NOT_FOUND:
                raise
            self._api.create(LEASES, self._lease({}, {}))
            self._won(began)
            return
        spec = found.get("spec") or {}
        holder = str(spec.get("holderIdentity") or "")
        self._observe(holder, found["metadata"].get("resourceVersion"))
        if holder not in ("", self._me):
            self._held = _Held(False)
            if began < self._seen_at + float(spec.get("leaseDurationSeconds") or self._terms.duration):
                return
        self._api.replace(PATH, self._lease(found["metadata"], spec))
        self._won(began)

    def _observe(self, holder: str, version: object) -> None:
        self.leader = holder
        if (holder, version) != self._seen:
            self._seen, self._seen_at = (holder, version), self._monotonic()

    def _won(self, began: float) -> None:
        """The others count from what they see, which is not earlier than *began*."""
        self._held, self.leader = _Held(True, began + self._terms.deadline), self._me

    def release(self) -> bool:
        """Take part no longer, and let another lead at once.  Whether this master led and could say so."""
        self._stopped.set()
        with self._lock:
            held, self._held = self._held, _Held(False)
            if not held.led:
                return False
            try:
                found = self._api.get(PATH)
                spec = dict(found.get("spec") or {})
                if spec.get("holderIdentity") != self._me:
                    return False
                spec |= {"holderIdentity": "", "leaseDurationSeconds": 1, "renewTime": _now()}
                self._api.replace(PATH, {**found, "spec": spec})
            except (ApiError, KeyError, TypeError, ValueError) as error:
                self._trouble.begins(f"the lease could not be given back: {error}")
                return False
        return True

    def successor(self) -> str:
        """Who leads after `release`; empty for nobody.  Raises ApiError."""
        return str((self._api.get(PATH).get("spec") or {}).get("holderIdentity") or "")

    def _lease(self, metadata: Object, before: dict[str, Any]) -> Object:
        mine, now = before.get("holderIdentity") == self._me, _now()
        spec = {
            "holderIdentity": self._me,
            "leaseDurationSeconds": self._terms.duration,
            "acquireTime": before.get("acquireTime") or now if mine else now,
            "renewTime": now,
            "leaseTransitions": int(before.get("leaseTransitions") or 0) + (0 if mine else 1),
        }
        named = {"name": LEASE, "namespace": NAMESPACE}
        if "resourceVersion" in metadata:
            named["resourceVersion"] = metadata["resourceVersion"]
        return {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": named, "spec": spec}


def _now() -> str:
    """For people; nobody computes with it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
