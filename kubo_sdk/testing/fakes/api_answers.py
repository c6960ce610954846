"""What a fake API server answers: objects of any kind, server-side apply, patches, lists, watches, evictions."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any

from attrs import frozen

from kubo_sdk.testing.fakes.evictions import TooMany, evict
from kubo_sdk.testing.fakes.kubelets import NODES, Nodes
from kubo_sdk.testing.fakes.objects import Object, ObjectStore, Place, Stored, field_selector, merged, selector
from kubo_sdk.testing.fakes.wire import Reply, Request

# A watch ends after so many looks for something new, so many real seconds apart.
WATCH_LOOKS = 600
LOOK = 0.1

# Kinds by plural, for lists and discovery.
KINDS: Mapping[str, Mapping[str, str]] = {
    "/api/v1": {
        "configmaps": "ConfigMap",
        "namespaces": "Namespace",
        "nodes": "Node",
        "pods": "Pod",
        "secrets": "Secret",
        "services": "Service",
        "serviceaccounts": "ServiceAccount",
    },
    "/apis/apps/v1": {"daemonsets": "DaemonSet", "deployments": "Deployment"},
    "/apis/coordination.k8s.io/v1": {"leases": "Lease"},
    "/apis/policy/v1beta1": {"podsecuritypolicies": "PodSecurityPolicy"},
    "/apis/policy/v1": {"poddisruptionbudgets": "PodDisruptionBudget"},
    "/apis/rbac.authorization.k8s.io/v1": {
        "clusterroles": "ClusterRole",
        "clusterrolebindings": "ClusterRoleBinding",
        "roles": "Role",
        "rolebindings": "RoleBinding",
    },
}
UNNAMESPACED = ("namespaces", "nodes", "podsecuritypolicies", "clusterroles", "clusterrolebindings")


def status(code: int, reason: str, message: str, **more: Any) -> Reply:
    """A failure as the API writes it."""
    body = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": reason, "message": message}
    return Reply(status=code, body=json.dumps({**body, "code": code, **more}).encode())


@frozen(kw_only=True)
class _Target:
    place: Place
    name: str
    subresource: str

    @property
    def what(self) -> str:
        return f'{self.place.plural} "{self.name}"'


def _target(path: str) -> _Target | None:
    parts = path.strip("/").split("/")
    root_length = 2 if parts[0] == "api" else 3
    root, rest, namespace = "/" + "/".join(parts[:root_length]), parts[root_length:], ""
    if parts[0] not in ("api", "apis") or len(parts) < root_length or not rest:
        return None
    if rest[0] == "namespaces" and len(rest) > 2:
        namespace, rest = rest[1], rest[2:]
    plural, name, subresource = (*rest, "", "")[:3]
    return _Target(place=Place(root=root, plural=plural, namespace=namespace), name=name, subresource=subresource)


@frozen(kw_only=True)
class ApiAnswers:
    """One API server at one moment.  Whoever asks holds the cloud's *lock*; a watch goes on while it is *alive*."""

    store: ObjectStore
    nodes: Nodes
    version: str
    now: datetime
    lock: AbstractContextManager[object]
    alive: Callable[[], bool]
    metrics: bytes = b""

    def answer(self, request: Request) -> Reply:
        if request.path == "/version":
            return Reply(body=json.dumps({"gitVersion": f"v{self.version}"}).encode())
        if request.path == "/metrics":
            return Reply(body=self.metrics)
        target = _target(request.path)
        if target is None:
            return self._discovery(request.path)
        if target.place == NODES:
            self.nodes.register(self.store)
        if request.method == "GET":
            return self._read(request, target)
        if target.place.namespace and self.store.get(_NAMESPACES, target.place.namespace) is None:
            return status(404, "NotFound", f'namespaces "{target.place.namespace}" not found')
        return self._change(request, target)

    def _discovery(self, path: str) -> Reply:
        kinds = KINDS.get(path.rstrip("/"))
        if kinds is None:
            return status(404, "NotFound", "the server could not find the requested resource")
        rows = [{"name": name, "kind": kind, "namespaced": name not in UNNAMESPACED} for name, kind in kinds.items()]
        return Reply(body=json.dumps({"kind": "APIResourceList", "resources": rows}).encode())

    def _read(self, request: Request, target: _Target) -> Reply:
        if target.name:
            found = self._newest(target)
            return _missing(target) if found is None else Reply(body=found.text)
        wanted = selector(request.query.get("labelSelector", ""))
        fields = field_selector(request.query.get("fieldSelector", ""))
        place = target.place

        def matching() -> list[Stored]:
            found = self.store.find(place.root, place.plural, place.namespace)
            return [each for each in found if wanted(each.item) and fields(each.item)]

        held = matching()
        if place == NODES and self.nodes.refresh(self.store, held):
            held = matching()
        if request.query.get("watch") in ("true", "1"):
            return Reply(lines=self._watch(request, place, held, wanted))
        kind = KINDS.get(place.root, {}).get(place.plural, place.plural.title())
        head = f'{{"kind":"{kind}List","metadata":{{"resourceVersion":"{self.store.version}"}},"items":['
        return Reply(body=head.encode() + b",".join(each.text for each in held) + b"]}")

    def _newest(self, target: _Target) -> Stored | None:
        """The object as it is now: a Node's status is worked out when somebody asks."""
        found = self.store.get(target.place, target.name)
        if target.place == NODES and found is not None and self.nodes.refresh(self.store, [found]):
            return self.store.get(target.place, target.name)
        return found

    def _watch(self, request: Request, place: Place, held: list[Stored], wanted: Any) -> Iterator[bytes]:
        """All there is first, unless the request names a version; then what changes."""
        version = int(request.query.get("resourceVersion") or 0)
        if not version:
            version = self.store.version
            for each in held:
                yield _event("ADDED", each)
        for _ in range(WATCH_LOOKS):
            if not self.alive():
                return
            if place == NODES:
                with self.lock:
                    self.nodes.register(self.store)
                    self.nodes.refresh(self.store, self.store.find(place.root, place.plural))
            for at, kind, where, stored in self.store.since(version):
                version = at
                same = (where.root, where.plural) == (place.root, place.plural)
                if same and place.namespace in ("", where.namespace) and wanted(stored.item):
                    yield _event(kind, stored)
            with self.store.changed:
                if not self.store.since(version):
                    self.store.changed.wait(LOOK)

    def _change(self, request: Request, target: _Target) -> Reply:
        body = json.loads(request.body or b"{}")
        if target.place.plural == "pods" and target.subresource == "eviction":
            return self._evict(target)
        match request.method:
            case "PATCH":
                return self._patch(request, target, body)
            case "POST":
                return self._create(target, body)
            case "PUT":
                return self._replace(target, body)
            case "DELETE":
                return self._delete(target)
            case _:
                return status(405, "MethodNotAllowed", f"{request.method} is not allowed")

    def _patch(self, request: Request, target: _Target, body: Object) -> Reply:
        found = self._newest(target)
        applies = "apply-patch" in request.headers.get("content-type", "")
        if found is None and not applies:
            return _missing(target)
        conflict = _conflict(found, body, target)
        if conflict is not None:
            return conflict
        item = merged(found.item if found else {}, body, nulls_delete=not applies)
        item["metadata"] = {**item.get("metadata", {}), "name": target.name}
        if found is not None and _same(found.item, item):
            return Reply(body=found.text)
        stored = self._write(target, item)
        return Reply(status=200 if found else 201, body=stored.text)

    def _create(self, target: _Target, body: Object) -> Reply:
        name = body.get("metadata", {}).get("name", "")
        if not name:
            return status(422, "Invalid", "metadata.name: Required value: name is required")
        here = _Target(place=target.place, name=name, subresource="")
        if self.store.get(target.place, name) is not None:
            return status(409, "AlreadyExists", f"{here.what} already exists")
        return Reply(status=201, body=self._write(here, body).text)

    def _replace(self, target: _Target, body: Object) -> Reply:
        found = self.store.get(target.place, target.name)
        if found is None:
            return _missing(target)
        return _conflict(found, body, target) or Reply(body=self._write(target, body).text)

    def _delete(self, target: _Target) -> Reply:
        gone = self.store.remove(target.place, target.name)
        if gone is None:
            return _missing(target)
        if target.place == NODES:
            self.nodes.release(self.store, target.name)
        return Reply(body=gone.text)

    def _evict(self, target: _Target) -> Reply:
        if self.store.get(target.place, target.name) is None:
            return _missing(target)
        try:
            evict(self.store, target.place, target.name)
        except TooMany as refusal:
            cause = {"reason": "DisruptionBudget", "message": str(refusal)}
            message = "Cannot evict pod as it would violate the pod's disruption budget."
            return status(429, "TooManyRequests", message, details={"causes": [cause]})
        return Reply(status=201, body=b'{"kind":"Status","apiVersion":"v1","status":"Success"}')

    def _write(self, target: _Target, item: Object) -> Stored:
        metadata = item.setdefault("metadata", {})
        metadata.setdefault("creationTimestamp", self.now.strftime("%Y-%m-%dT%H:%M:%SZ"))
        return self.store.write(target.place, item)


_NAMESPACES = Place(root="/api/v1", plural="namespaces")


def _missing(target: _Target) -> Reply:
    return status(404, "NotFound", f"{target.what} not found")


def _conflict(found: Stored | None, body: Object, target: _Target) -> Reply | None:
    """The refusal of a change that was made for another version of the object, or for another object of its name."""
    if found is None:
        return None
    have, asked = found.item["metadata"], body.get("metadata", {})
    if any(asked.get(key) not in (None, "", have.get(key)) for key in ("resourceVersion", "uid")):
        message = "the object has been modified; please apply your changes to the latest version and try again"
        return status(409, "Conflict", f"Operation cannot be fulfilled on {target.what}: {message}")
    return None


def _same(old: Object, new: Object) -> bool:
    return {**old, "metadata": {**old["metadata"]}} == {
        **new,
        "metadata": {**new["metadata"], "resourceVersion": old["metadata"]["resourceVersion"]},
    }


def _event(kind: str, stored: Stored) -> bytes:
    return b'{"type":"%s","object":%s}' % (kind.encode(), stored.text)
